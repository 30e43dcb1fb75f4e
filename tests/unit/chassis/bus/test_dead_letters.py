"""The operator's command over the dead letters."""

import io
from pathlib import Path

import pytest

from chassis.bus import open_bus
from chassis.bus.dead_letters import main
from tests.support.bus import receive, retrieved


def test_an_operator_lists_and_replays_the_dead_letters_of_one_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"embedded:///{tmp_path}/bus.db"
    monkeypatch.setenv("CRM_BUS_URL", url)
    bus = open_bus(url, service="crm")
    event = retrieved("p1")
    bus.bury(event, service="crm", reason="attempts")
    bus.bury(retrieved("p2"), service="portal", reason="late")
    out = io.StringIO()
    assert main(["list", "crm"], out=out) == 0
    assert out.getvalue() == f"{event.event_id}  payment.retrieved  attempts\n1 dead letter(s) of crm\n"
    out = io.StringIO()
    assert main(["replay", "crm", event.event_id], out=out) == 0
    assert out.getvalue() == "1 event(s) replayed\n"
    subscription = bus.subscribe("crm", ["payment.*.v1"])
    assert receive(subscription).replayed
    subscription.close()
    assert bus.dead_letter_count() == 1
    bus.close()


def test_a_bus_that_can_not_be_reached_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CRM_BUS_URL", f"embedded:///{tmp_path}/file/bus.db")
    out = io.StringIO()
    assert main(["list", "crm"], out=out) == 1
    assert "can't be reached" in out.getvalue()
