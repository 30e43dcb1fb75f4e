"""Which node of RabbitMQ is asked, and whom next."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bus import rabbit_link
from chassis.bus.port import BusUnavailable
from chassis.bus.rabbit_link import Link, node_urls

HOSTS = st.lists(st.from_regex(r"[a-z][a-z0-9.-]{0,12}:[1-9][0-9]{0,3}", fullmatch=True), min_size=1, max_size=5)


@given(HOSTS, st.sampled_from(["", "user:pass%2Fword%40@"]), st.sampled_from(["", "/", "/wayvault"]))
def test_each_node_has_the_same_user_and_vhost(hosts: list[str], user: str, path: str) -> None:
    assert node_urls(f"amqps://{user}{','.join(hosts)}{path}") == [f"amqps://{user}{host}{path}" for host in hosts]


def test_a_url_without_a_host_is_refused() -> None:
    for url in ("amqps://", "amqps://user:password@/vhost", "amqps://user:password@,/vhost"):
        with pytest.raises(ValueError, match="needs a host"):
            node_urls(url)


@pytest.mark.enable_socket
def test_every_node_is_tried_and_the_fault_names_no_password() -> None:
    link = Link("amqp://user:hunter2@127.0.0.1:9,127.0.0.1:7,127.0.0.1:5/v", service="crm", tls=None)
    first = link.parameters("test").port
    with pytest.raises(BusUnavailable) as fault:
        link.connect("test")
    assert "hunter2" not in str(fault.value)
    assert link.parameters("test").port == first, "the turn went once around"
    link.elsewhere()
    assert link.parameters("test").port != first


@pytest.mark.enable_socket
def test_a_node_that_takes_the_connection_and_says_nothing_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbit_link, "_CONNECT_TO_ONE_OF_SEVERAL_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        silent = f"127.0.0.1:{frozen.getsockname()[1]}"
        link = Link(f"amqp://user:password@{silent},{silent}/v", service="crm", tls=None)
        with pytest.raises(BusUnavailable, match="AMQPConnectorStackTimeout"):
            link.connect("test")
