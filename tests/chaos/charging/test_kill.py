"""kill -9 of CRM, charging and gateway while a thousand charges are made, and while standing orders become due; a short
part of each runs with the other tests."""

from pathlib import Path

import pytest

from tests.chaos.charging import programs
from tests.chaos.charging.kills import furnished, killed_at_random, prove
from tests.chaos.charging.orders import left, prove_each_day_once, with_orders
from tests.chaos.conftest import Say

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(3600)]


def test_a_thousand_charges_under_kills(tmp_path: Path, say: Say) -> None:
    place = furnished(tmp_path, 1_000)
    say("1,000 payments are authorized")
    with killed_at_random(place, each=60, seed=11, say=say) as kills:
        assert len(kills) >= 30, kills
        assert set(kills) == {"gateway", "charging", "crm"}
    prove(place, 1_000)


def test_each_day_of_standing_orders_is_charged_once_under_kills(tmp_path: Path, say: Say) -> None:
    place = with_orders(tmp_path, 50, 6)
    say("50 standing orders are signed, of 6 weekly charges each")
    with killed_at_random(place, each=40, seed=13, say=say, crm=programs.worker, left_of=left) as kills:
        assert len(kills) >= 30, kills
        assert set(kills) == {"gateway", "charging", "crm"}
    prove_each_day_once(place, 50, 6)
