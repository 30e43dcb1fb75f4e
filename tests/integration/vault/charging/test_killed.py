"""kill -9 of CRM, charging and gateway while charges are made: each that was asked for exists once, and each day of a
standing order is charged once. The thousand, and each step of each, are in tests/chaos/charging."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.charging import programs, steps
from tests.chaos.charging.kills import furnished, killed_at_random, prove
from tests.chaos.charging.orders import left, prove_each_day_once, with_orders
from tests.chaos.charging.programs import Place
from tests.chaos.charging.steps import Steps, Template


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


@pytest.mark.enable_socket
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("furnish", "case", "is_once"),
    [
        (steps.with_a_card, steps.CHARGE[6], steps.a_charge_is_made_once),
        (steps.with_a_charge, steps.REFUND[4], steps.a_refund_is_made_once),
        (steps.with_a_plan, steps.MANDATE[3], steps.each_day_is_charged_once),
    ],
    ids=["charge", "refund", "standing order"],
)
def test_what_the_gateway_did_and_nobody_heard_of_is_known_and_done_once(
    tmp_path: Path, furnish: Callable[[Path], Template], case: Steps, is_once: Callable[[Place, Steps], None]
) -> None:
    is_once(furnish(tmp_path / "made").copy(tmp_path / "run"), case)
