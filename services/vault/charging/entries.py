"""What the audit trail says of a charge or refund whose state became known: charging itself says it, whoever asked."""

from services.vault.audit.service import AuditEntry
from services.vault.charging.gateways.port import Outcome
from services.vault.charging.models import ChargeRow, MandateRow, RefundRow
from services.vault.charging.rules import ChargeState, RefundState


def charge_entries(charge: ChargeRow, outcome: Outcome) -> list[AuditEntry]:
    """For a charge, and for the mandate that came of it."""
    entries = [_entry(f"charge.{outcome.state}", charge, charge.id, charge.agent_id, outcome.code)]
    if outcome.state is ChargeState.SUCCEEDED and charge.keeps_card:
        kept = "kept" if outcome.mandate else "not_kept"
        entries.append(_entry("mandate.made", charge, charge.id, charge.agent_id, kept))
    return entries


def mandate_entry(mandate: MandateRow) -> AuditEntry:
    """For a mandate that was ended at the gateway."""
    return AuditEntry(
        action="mandate.ended",
        actor="charging",
        agent_id=mandate.agent_id,
        resource=mandate.id,
        card_token=mandate.card_token,
    )


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
