"""How the passengers of bookings follow when two clients are merged (C4)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.crm.trips.bookings.models import PassengerRow


def _follow_seats(session: Session, kept_id: str, merged_id: str) -> int:
    """Where both were on a booking they become one passenger, in the place of the one who stood first."""
    seats = session.scalars(
        select(PassengerRow)
        .where(PassengerRow.client_id.in_((kept_id, merged_id)))
        .order_by(PassengerRow.booking_id, PassengerRow.position, PassengerRow.id)
    ).all()
    kept = {seat.booking_id: seat for seat in seats if seat.client_id == kept_id}
    followed = 0
    for seat in seats:
        if seat.client_id != merged_id:
            continue
        followed += 1
        twin = kept.get(seat.booking_id)
        if twin is None:
            seat.client_id = kept_id
        else:
            twin.position = min(twin.position, seat.position)
            session.delete(seat)
    session.flush()
    return followed


CLIENT_REFERENCES = (Reference(column=PassengerRow.client_id, follow=_follow_seats, words="bookings"),)
