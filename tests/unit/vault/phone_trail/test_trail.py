"""What the masker tells of calls stands in the vault's audit trail: once, by its own name, and never more than that."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from chassis.errors import InvalidArgument
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.audit.models import AuditRow
from services.vault.phone_trail.rpc import PhoneTrailRpc
from tests.support.vault_kit import AGENCY, AGENT, PAYMENT, Kit, key, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made = make_kit(tmp_path)
    yield made
    made.vault.close()


def _tell(kit: Kit, action: str, *, again: str = "", refused: bool = False, reason: str = "") -> None:
    trail = PhoneTrailRpc(kit.vault.core.database, kit.vault.core.audit, kit.vault.idempotency)
    request = pb.RecordPhoneActRequest(
        idempotency_key=again or key(),
        action=action,
        refused=refused,
        reason=reason,
        session_id="phone_1" if action != "phone.pin" else "",
        agency_id=AGENCY,
        agent_id=AGENT if action != "phone.pin" else "",
        payment_id=PAYMENT,
    )
    kit.call("phone", trail.RecordPhoneAct, request)


def _recorded(kit: Kit) -> list[tuple[str, ...]]:
    with kit.vault.core.database.read() as session:
        columns = (AuditRow.action, AuditRow.result, AuditRow.actor, AuditRow.agent_id, AuditRow.resource)
        rows = session.execute(
            select(*columns, AuditRow.reason).where(AuditRow.action.startswith("phone.")).order_by(AuditRow.sequence)
        )
        return [tuple(row) for row in rows]


def test_every_act_of_a_session_is_recorded_once_though_it_is_told_again(kit: Kit) -> None:
    once = key()
    for again in (once, once):
        _tell(kit, "phone.opened", again=again)
    _tell(kit, "phone.pin", refused=True, reason="keyed by the client's side")
    _tell(kit, "phone.ended", reason="stored")
    assert _recorded(kit) == [
        ("phone.opened", "ok", "phone", AGENT, "phone_1", ""),
        ("phone.pin", "refused", "phone", "", "call", "keyed by the client's side"),
        ("phone.ended", "ok", "phone", AGENT, "phone_1", "stored"),
    ]


def test_what_is_no_act_of_a_call_is_not_recorded(kit: Kit) -> None:
    with pytest.raises(InvalidArgument):
        _tell(kit, "card.revealed")
    assert _recorded(kit) == []
