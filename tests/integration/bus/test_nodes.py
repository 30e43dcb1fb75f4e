"""A bus of several nodes of which one does not answer."""

import pytest

from chassis.bus import open_bus
from tests.support.bus import rabbit_tls, retrieved

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]


@pytest.mark.parametrize("dead_first", [True, False])
def test_a_node_that_takes_no_connection_is_passed_over(rabbit_url: str, dead_first: bool) -> None:
    begin, _, rest = rabbit_url.rpartition("@")
    host, _, vhost = rest.partition("/")
    hosts = ["127.0.0.1:9", host] if dead_first else [host, "127.0.0.1:9"]
    bus = open_bus(f"{begin}@{','.join(hosts)}/{vhost}", service="tests", tls=rabbit_tls())
    try:
        bus.bind("crm", ["payment.*.v1"])
        bus.publish([retrieved("payment_1")])
        assert bus.waiting("crm") == 1
    finally:
        bus.close()
