"""How payments follow when two clients are merged (C4)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from protos.wayvault.events.v1.events_pb2 import PaymentContext
from services.crm.paying.payments.models import PaymentRow


def _follow_payments(session: Session, kept_id: str, merged_id: str) -> int:
    """The payer is the kept client, also in what later events repeat. Name and address stay as they were then."""
    rows = session.scalars(
        select(PaymentRow).where(PaymentRow.payer_client_id == merged_id).order_by(PaymentRow.id).with_for_update()
    ).all()
    for row in rows:
        context = PaymentContext.FromString(row.context)
        context.payer.id = kept_id
        row.payer_client_id, row.context = kept_id, context.SerializeToString()
    session.flush()
    return len(rows)


CLIENT_REFERENCES = (Reference(column=PaymentRow.payer_client_id, follow=_follow_payments, words="payments"),)
