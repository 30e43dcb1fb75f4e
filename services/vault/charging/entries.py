"""What the audit trail says of a charge or refund whose state became known: charging itself says it, whoever asked."""

from services.vault.audit.service import AuditEntry
from services.vault.charging.models import ChargeRow, RefundRow
from services.vault.charging.rules import ChargeState, RefundState


def charge_entry(charge: ChargeRow, state: ChargeState, code: str) -> AuditEntry:
    """For a charge."""
    return _entry(f"charge.{state}", charge, charge.id, charge.agent_id, code)


def refund_entry(refund: RefundRow, charge: ChargeRow, state: RefundState, code: str) -> AuditEntry:
    """For a refund."""
    return _entry(f"refund.{state}", charge, refund.id, refund.agent_id, code)


def _entry(action: str, charge: ChargeRow, resource: str, agent_id: str, code: str) -> AuditEntry:
    return AuditEntry(
        action=action,
        actor="charging",
        agent_id=agent_id,
        resource=resource,
        card_token=charge.card_token,
        reason=code,
    )
