"""kill -9 of CRM, charging and gateway while charges are made: each that was asked for exists once. The thousand are in
tests/chaos/charging."""

from pathlib import Path

import pytest

from tests.chaos.charging.kills import furnished, killed_at_random, prove


@pytest.mark.enable_socket
@pytest.mark.timeout(300)
def test_each_charge_that_was_asked_for_exists_once_whoever_is_killed(tmp_path: Path) -> None:
    place = furnished(tmp_path, 12)
    with killed_at_random(place, each=16, seed=7) as kills:
        assert kills
    prove(place, 12)
