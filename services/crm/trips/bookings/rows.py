"""A booking's row for whoever may see, change or hold it."""

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from chassis.db import remembered
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.visibility import visible_to
from services.crm.trips.bookings.models import BookingRow, PassengerRow, SegmentRow
from services.crm.trips.bookings.rules import SegmentData, segment_errors

# With their segments; those come with their instalments in one query.
BOOKINGS = select(BookingRow).options(selectinload(BookingRow.segments).joinedload(SegmentRow.instalments))


# A few, with their passengers at once. Not to be held: PostgreSQL locks no side of a join that may be missing.
WITH_PASSENGERS = BOOKINGS.options(joinedload(BookingRow.passengers))


def visible_row(session: Session, actor: Actor, booking_id: str, bookings: Select[BookingRow] = BOOKINGS) -> BookingRow:
    visible = visible_to(actor, BookingRow.agency_id, BookingRow.agent_id)
    row = session.scalars(bookings.where(BookingRow.id == booking_id, visible)).unique().first()
    if row is None:
        raise NotFound("There is no such booking among yours.")
    return row


def own_row(session: Session, actor: Actor, booking_id: str) -> BookingRow:
    row = visible_row(session, actor, booking_id)
    if not actor.owns(row.agent_id):
        raise PermissionDenied("You can look at this booking, but only its own agent can change it.")
    return row


def row_to_change(session: Session, actor: Actor, booking_id: str, version: int) -> BookingRow:
    row = held_row(session, actor, booking_id)
    check_version(row, version)
    return row


def held_row(session: Session, actor: Actor, booking_id: str) -> BookingRow:
    """The row, held until the transaction ends (SQLite holds the whole file already)."""
    row = own_row(session, actor, booking_id)
    session.refresh(row, with_for_update=True)
    return row


def check_version(row: BookingRow, version: int) -> None:
    if row.version != version:
        raise ChangedMeanwhile(version=row.version)


def check_segment(data: SegmentData) -> None:
    """Raises InvalidArgument for what can't be kept."""
    for field, message in segment_errors(data).items():
        raise InvalidArgument(message, field=field)


def segment_row(row: BookingRow, segment_id: str) -> SegmentRow:
    for segment in row.segments:
        if segment.id == segment_id:
            return segment
    raise NotFound("There is no such segment on this booking.")


def lock_of_clients(session: Session, client_ids: Collection[str]) -> None:
    """Holds every booking that these clients are on until the transaction ends (a merge, C4)."""
    on = select(PassengerRow.booking_id).where(PassengerRow.client_id.in_(client_ids))
    rows = select(BookingRow.id).where(BookingRow.id.in_(on)).order_by(BookingRow.id)
    session.scalars(rows.with_for_update()).all()


def ids_of_client(session: Session, client_id: str) -> list[str]:
    """The bookings that a client is on."""
    query = select(PassengerRow.booking_id).where(PassengerRow.client_id == client_id).order_by(PassengerRow.booking_id)
    return list(remembered(session, ("bookings of client", client_id), lambda: session.scalars(query).all()))
