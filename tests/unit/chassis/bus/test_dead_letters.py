"""The operator's command over the dead letters."""

import io
import json
import sqlite3
from contextlib import closing
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
    assert main(["list", "crm"], out=out) == 3
    assert out.getvalue() == f"{event.event_id}  payment.retrieved  attempts\n1 dead letter(s) of crm\n"
    out = io.StringIO()
    assert main(["replay", "crm", event.event_id, "--check"], out=out) == 0
    assert out.getvalue().splitlines()[-1] == "1 event(s) would be replayed"
    assert bus.dead_letter_count() == 2
    out = io.StringIO()
    assert main(["replay", "crm", event.event_id], out=out) == 0
    assert out.getvalue().splitlines()[0] == "1 event(s) replayed"
    assert main(["replay", "crm", event.event_id, "--check"], out=io.StringIO()) == 3
    subscription = bus.subscribe("crm", ["payment.*.v1"])
    assert receive(subscription).replayed
    subscription.close()
    assert bus.dead_letter_count() == 1
    bus.close()


def test_a_look_shows_ids_and_times_and_no_value_of_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"embedded:///{tmp_path}/bus.db"
    monkeypatch.setenv("CRM_BUS_URL", url)
    bus = open_bus(url, service="crm")
    event = retrieved("p1")
    event.payload = b"Grace Hopper, 4111111111111111"
    bus.bury(event, service="crm", reason="attempts")
    bus.publish([])
    with closing(sqlite3.connect(tmp_path / "bus.db")) as database, database:
        database.execute(
            "INSERT INTO dead (service, event_id, type, reason, body) VALUES ('crm', '', '', 'unreadable', ?)",
            (b"\xff\xffsecret",),
        )
    out = io.StringIO()
    assert main(["look", "crm"], out=out) == 0
    said = out.getvalue()
    assert event.traceparent in said
    assert f"{event.aggregate_type} {event.aggregate_id}" in said
    assert "payload      30 bytes, not shown" in said
    assert "8 bytes that are no event" in said
    assert "Grace" not in said
    assert "4111" not in said
    assert "secret" not in said
    assert main(["look", "crm", "another"], out=io.StringIO()) == 3
    bus.close()


def test_only_what_was_named_is_dropped_after_a_second_word_and_with_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"embedded:///{tmp_path}/bus.db"
    monkeypatch.setenv("CRM_BUS_URL", url)
    bus = open_bus(url, service="crm")
    events = [retrieved(f"p{number}") for number in range(3)]
    for event in events:
        bus.bury(event, service="crm", reason="attempts")
    bus.bury(retrieved("other"), service="portal", reason="late")
    why = ["--reason", "made by a program that is mended"]

    assert main(["drop", "crm", *why], out=io.StringIO()) == 1
    assert main(["drop", "crm", events[0].event_id, *why], out=io.StringIO()) == 1
    assert main(["drop", "crm", events[0].event_id, "--yes", "--check", *why], out=io.StringIO()) == 0
    assert bus.dead_letter_count() == 4
    assert "dead_letter.dropped" not in capsys.readouterr().err
    assert main(["drop", "crm", events[0].event_id, "--yes", *why], out=io.StringIO()) == 0
    assert [letter.event_id for letter in bus.dead_letters()][:2] == [event.event_id for event in events[1:]]
    told = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (told["event"], told["event_id"]) == ("dead_letter.dropped", events[0].event_id)
    assert main(["drop", "crm", events[0].event_id, "--yes", *why], out=io.StringIO()) == 3
    assert main(["drop", "crm", "--yes", "--all", *why], out=io.StringIO()) == 0
    assert [letter.service for letter in bus.dead_letters()] == ["portal"]
    bus.close()


def test_a_bus_that_can_not_be_reached_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CRM_BUS_URL", f"embedded:///{tmp_path}/file/bus.db")
    out = io.StringIO()
    assert main(["list", "crm"], out=out) == 1
    assert "can't be reached" in out.getvalue()
