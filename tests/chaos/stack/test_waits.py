"""How long people wait at most while each process of a stack, as `make up` starts it, is killed."""

import os

import pytest

from tests.bench.kills import measure
from tests.chaos.conftest import Say

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(3600)]

LONGEST_SECONDS = 10.0


def test_nobody_waits_longer_than_ten_seconds_for_a_killed_process(say: Say) -> None:
    """What a program needs to start takes longer in proportion on a machine that has other things to do."""
    longest = measure(moments=(-0.5, 0.1), tell=say)
    share = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    late = {
        f"{victim}: {what}": seconds
        for victim, waits in longest.items()
        for what, seconds in waits.items()
        if seconds > LONGEST_SECONDS * share
    }
    assert not late
