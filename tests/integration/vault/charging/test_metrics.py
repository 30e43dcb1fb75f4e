"""What operators see of charging: each call to a gateway whatever came of it, and a charge that stays unknown."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from chassis.health import serve_status
from services.vault.charging.metrics import measure
from services.vault.transit.service import TransitUnavailable
from tests.support.charging import ChargingKit, charging_kit
from tests.support.gateway_sim import Fault

pytestmark = pytest.mark.enable_socket

DECLINED = "4000000000000002"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChargingKit]:
    with charging_kit(tmp_path) as made:
        yield made


def calls(call: str, outcome: str) -> float:
    labels = {"gateway": "stripe", "call": call, "outcome": outcome}
    return REGISTRY.get_sample_value("wayvault_gateway_seconds_count", labels) or 0.0


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_each_call_is_counted_by_what_came_of_it(ours: ChargingKit) -> None:
    names = [("charge", "succeeded"), ("charge", "declined"), ("charge", "unknown"), ("prepare", "refused")]
    before = {name: calls(*name) for name in names}

    charged = ours.charge(ours.kit.store())
    ours.charge(ours.kit.store("payment_2", pan=DECLINED), "payment_2")
    ours.book.faults = [Fault(path="/confirm", after=True)]
    ours.charge(ours.kit.store("payment_3"), "payment_3")
    ours.book.revoked.add(ours.book.key)
    ours.charge(ours.kit.store("payment_4"), "payment_4")
    ours.book.revoked.clear()
    refunds = calls("refund", "succeeded")
    ours.refund(charged.charge_id, 500)

    assert {name: calls(*name) - before[name] for name in names} == dict.fromkeys(names, 1.0)
    assert calls("refund", "succeeded") == refunds + 1


def test_how_charges_stand_and_how_long_one_has_been_unknown(ours: ChargingKit) -> None:
    database, clock = ours.charging.database, ours.charging.clock
    measure(database, clock)
    assert gauge("wayvault_charge_unknown_seconds") == 0

    ours.charge(ours.kit.store())
    ours.book.faults = [Fault(path="/confirm", after=True)]
    ours.charge(ours.kit.store("payment_2"), "payment_2")
    ours.kit.fake_clock.advance(timedelta(minutes=20))
    measure(database, clock)
    assert gauge("wayvault_charges", state="succeeded") == 1
    assert gauge("wayvault_charges", state="asking") == 1
    assert gauge("wayvault_charge_unknown_seconds") == pytest.approx(1200, abs=5)

    ours.poll()
    measure(database, clock)
    assert gauge("wayvault_charges", state="asking") == 0
    assert gauge("wayvault_charge_unknown_seconds") == 0


def test_a_refund_whose_answer_was_lost_is_unknown_too(ours: ChargingKit) -> None:
    charged = ours.charge(ours.kit.store())
    ours.book.faults = [Fault(path="/refunds", after=True)]
    ours.refund(charged.charge_id, 500)
    ours.kit.fake_clock.advance(timedelta(minutes=10))
    measure(ours.charging.database, ours.charging.clock)
    assert gauge("wayvault_refunds", state="asking") == 1
    assert gauge("wayvault_charge_unknown_seconds") == pytest.approx(600, abs=5)


class Health:
    """Of a transit engine that is sealed now and then."""

    sealed = False

    def check(self) -> None:
        if self.sealed:
            raise TransitUnavailable


def test_the_port_tells_the_metrics_and_what_charging_can_not_work_without(ours: ChargingKit) -> None:
    health = Health()
    charging = replace(ours.charging, transit=replace(ours.charging.transit, health=health))
    port = serve_status("127.0.0.1:0", charging.readiness())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert b"wayvault_gateway_seconds" in answer.read()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
        assert json.load(answer)["status"] == "ready"

    health.sealed = True
    port = serve_status("127.0.0.1:0", charging.readiness())
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
    assert refused.value.code == 503
    assert json.load(refused.value)["away"] == {"transit": "TransitUnavailable"}
