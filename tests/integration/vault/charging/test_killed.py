"""kill -9 of CRM, charging and gateway while charges are made: each that was asked for exists once, and each day of a
standing order is charged once. The thousand are in tests/chaos/charging."""

from pathlib import Path

import pytest

from tests.chaos.charging import programs
from tests.chaos.charging.kills import furnished, killed_at_random, prove
from tests.chaos.charging.orders import left, prove_each_day_once, with_orders


@pytest.mark.enable_socket
@pytest.mark.timeout(300)
def test_each_charge_that_was_asked_for_exists_once_whoever_is_killed(tmp_path: Path) -> None:
    place = furnished(tmp_path, 12)
    with killed_at_random(place, each=16, seed=7) as kills:
        assert kills
    prove(place, 12)


@pytest.mark.enable_socket
@pytest.mark.timeout(300)
def test_each_day_of_standing_orders_is_charged_once_whoever_is_killed(tmp_path: Path) -> None:
    place = with_orders(tmp_path, 2, 2)
    with killed_at_random(place, each=8, seed=5, crm=programs.worker, left_of=left) as kills:
        assert kills
    prove_each_day_once(place, 2, 2)
