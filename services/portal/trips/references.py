"""How travelers follow when two clients are merged (C4). The CRM tells the bookings anew as well, somewhat later."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.portal.trips.models import TravelerRow


def _follow(session: Session, kept_id: str, merged_id: str) -> int:
    """Where both were on a trip they become one traveler."""
    rows = session.scalars(select(TravelerRow).where(TravelerRow.client_id == merged_id)).all()
    for row in rows:
        booking_id = row.booking_id
        session.delete(row)
        session.flush()
        if session.get(TravelerRow, (booking_id, kept_id)) is None:
            session.add(TravelerRow(booking_id=booking_id, client_id=kept_id))
    session.flush()
    return len(rows)


CLIENT_REFERENCES = (Reference(column=TravelerRow.client_id, follow=_follow),)
