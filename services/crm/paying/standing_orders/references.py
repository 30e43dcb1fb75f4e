"""How standing orders follow when two clients are merged (C4)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from protos.wayvault.events.v1.events_pb2 import PaymentContext
from services.crm.paying.standing_orders.models import StandingOrderRow


def _follow(session: Session, kept_id: str, merged_id: str) -> int:
    """The payer is the kept client, also in the payments of the days to come. The card stays what it is."""
    rows = session.scalars(
        select(StandingOrderRow)
        .where(StandingOrderRow.client_id == merged_id)
        .order_by(StandingOrderRow.id)
        .with_for_update()
    ).all()
    for row in rows:
        context = PaymentContext.FromString(row.context)
        context.payer.id = kept_id
        row.client_id, row.context = kept_id, context.SerializeToString()
    session.flush()
    return len(rows)


CLIENT_REFERENCES = (Reference(column=StandingOrderRow.client_id, follow=_follow, words="standing orders"),)
