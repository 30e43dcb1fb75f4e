"""How payment links follow when two clients are merged (C4)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.crm.paying.links.models import PaymentLinkRow


def _follow_links(session: Session, kept_id: str, merged_id: str) -> int:
    """Links sent to both by the same form stay two links: the form's key is given up for the one that follows."""
    rows = session.scalars(
        select(PaymentLinkRow)
        .where(PaymentLinkRow.client_id == merged_id)
        .order_by(PaymentLinkRow.id)
        .with_for_update()
    ).all()
    taken = set(session.scalars(select(PaymentLinkRow.request_key).where(PaymentLinkRow.client_id == kept_id)))
    for row in rows:
        if row.request_key in taken:
            row.request_key = f"merged:{row.id}"
        row.client_id = kept_id
    session.flush()
    return len(rows)


CLIENT_REFERENCES = (Reference(column=PaymentLinkRow.client_id, follow=_follow_links, words="payment links"),)
