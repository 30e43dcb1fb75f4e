"""The trail as a SIEM reads it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.audit.ocsf import ocsf_event, ocsf_line
from services.vault.audit.rules import GENESIS, AuditEntry, AuditRecord
from services.vault.audit.service import exported
from tests.support.vault import VaultRooms

# OCSF 1.3, API Activity: the attributes that an event must have.
DEMANDED = {
    "activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint", "time",
    "type_uid",
}  # fmt: skip


def record_of(entry: AuditEntry) -> AuditRecord:
    at = datetime(2026, 11, 27, 5, tzinfo=UTC)
    return AuditRecord(entry=entry, chain_id="c1", sequence=7, at=at, key_id="k", prev_mac=GENESIS, mac="a" * 64)


def test_a_refused_reveal_as_a_siem_reads_it() -> None:
    entry = AuditEntry(
        action="reveal.refused", result="refused", actor="crm", agent_id="agent_1", resource="card_1",
        card_token="card_1", reason="CARD_GONE", ip="203.0.113.7", user_agent="Firefox",
    )  # fmt: skip

    event = ocsf_event(record_of(entry))

    assert (event["status_id"], event["severity_id"], event["status_detail"]) == (2, 3, "CARD_GONE")
    assert event["api"] == {"operation": "reveal.refused", "service": {"name": "crm"}}
    assert event["actor"]["user"]["uid"] == "agent_1"
    assert event["src_endpoint"] == {"ip": "203.0.113.7"}
    assert event["metadata"]["uid"] == "c1/7"
    assert event["time"] == 1_795_755_600_000


@pytest.mark.parametrize(
    ("action", "activity"),
    [("card.stored", 1), ("card.revealed", 2), ("key.rotated", 3), ("card.removed", 4), ("call.denied", 99)],
)
def test_what_was_done_is_the_activity(action: str, activity: int) -> None:
    event = ocsf_event(record_of(AuditEntry(action=action, actor="vault", resource="x")))
    assert (event["activity_id"], event["type_uid"]) == (activity, 600_300 + activity)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_every_row_has_what_the_class_demands(action: str, reason: str, agent: str) -> None:
    line = ocsf_line(record_of(AuditEntry(action=action, actor="crm", agent_id=agent, resource="r", reason=reason)))
    assert "\n" not in line
    assert json.loads(line).keys() >= DEMANDED


def test_the_export_has_one_line_a_row(rooms: VaultRooms) -> None:
    with rooms.database.transaction() as session:
        for number in range(3):
            rooms.audit.record(session, AuditEntry(action="card.stored", actor="portal", resource=f"card_{number}"))
    with rooms.database.read() as session:
        events = [json.loads(line) for line in exported(session, ocsf=True)]
    assert [event["resources"][0]["uid"] for event in events] == ["card_0", "card_1", "card_2"]
    assert len({event["metadata"]["uid"] for event in events}) == 3
