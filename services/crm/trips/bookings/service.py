"""Use cases of bookings: find, list, open, change, and their segments."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.typed.names import search_terms
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot, policy_snapshot
from services.crm.core.actor import Actor
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.sales.clients.service import Clients, current_client_id
from services.crm.trips.bookings.events import (
    House,
    SelfServiceTerms,
    booking_saved,
    passenger_snapshot,
    segment_snapshot,
)
from services.crm.trips.bookings.lists import (
    BY_CHANGE,
    BookingFilter,
    BookingSort,
    Horizon,
    conditions,
    dues_of,
    lines_of_client,
    on_desk,
    ordered,
    still_open_dues,
)
from services.crm.trips.bookings.mapping import (
    apply_booking,
    apply_cancellation,
    apply_schedule,
    apply_segment,
    booking_detail,
    calendar_days,
    note_former_days,
    note_what_lists_show,
    place_in_time,
)
from services.crm.trips.bookings.models import BookingRow, PassengerRow, SegmentRow
from services.crm.trips.bookings.rows import (
    BOOKINGS,
    WITH_PASSENGERS,
    check_segment,
    check_version,
    held_row,
    ids_of_client,
    lock_of_clients,
    own_row,
    row_to_change,
    segment_row,
    visible_row,
)
from services.crm.trips.bookings.rules import (
    DUE_WORDS,
    BookingData,
    BookingDetail,
    BookingLine,
    BookingStatus,
    Cancellation,
    Due,
    DueKind,
    Instalment,
    Passenger,
    SegmentData,
    SegmentDetail,
    SegmentKind,
)

__all__ = [
    "DUE_WORDS",
    "BookingData",
    "BookingDetail",
    "BookingFilter",
    "BookingSort",
    "BookingStatus",
    "Bookings",
    "Cancellation",
    "Due",
    "DueKind",
    "Horizon",
    "House",
    "Instalment",
    "Passenger",
    "SegmentData",
    "SegmentDetail",
    "SegmentKind",
    "ids_of_client",
    "lock_of_clients",
    "passenger_snapshot",
    "segment_snapshot",
]

EXPORT_LIMIT = 10_000

# Whether anything was asked for on a booking's segment; the payments' rooms say it.
HasPayments = Callable[[Session, str, str], bool]


class Bookings:
    """The bookings room's use cases. Methods that take a session take part in the caller's transaction."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        clients: Clients,
        directory: Directory,
        has_payments: HasPayments,
        terms: SelfServiceTerms,
    ) -> None:
        """`terms` is what a client signs who starts a payment themselves (P3)."""
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._clients = clients
        self._directory = directory
        self._has_payments = has_payments
        self._terms = terms

    def get(self, actor: Actor, booking_id: str) -> BookingDetail:
        """Raises NotFound for what does not exist or the actor may not see: no difference is told."""
        with self._database.read() as session:
            return self._details(session, [visible_row(session, actor, booking_id, WITH_PASSENGERS)])[0]

    def get_own(self, actor: Actor, booking_id: str) -> BookingDetail:
        """As get, for a change: raises PermissionDenied when an admin looks at somebody else's booking."""
        with self._database.read() as session:
            return self.load_own(session, actor, booking_id)

    def load(self, session: Session, actor: Actor, booking_id: str) -> BookingDetail:
        """As get, within the caller's transaction."""
        return self._details(session, [visible_row(session, actor, booking_id)])[0]

    def load_own(self, session: Session, actor: Actor, booking_id: str) -> BookingDetail:
        """As load, for a change: raises PermissionDenied when an admin looks at somebody else's booking."""
        return self._details(session, [own_row(session, actor, booking_id)])[0]

    def hold_own(self, session: Session, actor: Actor, booking_id: str) -> BookingDetail:
        """As load_own, and nobody changes the booking until the transaction ends: what is asked for on a segment."""
        return self._details(session, [held_row(session, actor, booking_id)])[0]

    def load_by_id(self, session: Session, booking_id: str) -> BookingDetail:
        """A booking by an id that the caller has from a row of its own (event handlers). Raises NotFound."""
        row = session.get(BookingRow, booking_id)
        if row is None:
            raise NotFound("There is no such booking.")
        return self._details(session, [row])[0]

    def load_many(self, session: Session, booking_ids: Collection[str]) -> dict[str, BookingDetail]:
        """Bookings by ids that the caller has from rows of its own."""
        if not booking_ids:
            return {}
        rows = session.scalars(BOOKINGS.where(BookingRow.id.in_(booking_ids)))
        return {booking.id: booking for booking in self._details(session, rows.all())}

    def list_page(self, actor: Actor, wanted: BookingFilter, number: int) -> Page[BookingDetail]:
        with self._database.read() as session:
            wanted_ones = conditions(session, actor, wanted)
            query = ordered(BOOKINGS.where(*wanted_ones), wanted.order)
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number))).all()
            all_here = number == 1 and len(rows) < PAGE_SIZE
            total = len(rows) if all_here else bounded_count(session, select(BookingRow.id).where(*wanted_ones))
            return Page(items=self._details(session, rows), total=total, number=number)

    def search(self, actor: Actor, text: str, limit: int) -> list[BookingDetail]:
        """The first few bookings that have every word typed; the last changed first."""
        if not search_terms(text):
            return []
        with self._database.read() as session:
            wanted_ones = conditions(session, actor, BookingFilter(text=text))
            query = ordered(BOOKINGS.where(*wanted_ones), BY_CHANGE).limit(limit)
            return list(self._details(session, session.scalars(query).all()))

    def export(self, actor: Actor, wanted: BookingFilter) -> Sequence[BookingDetail]:
        """Everything the filter shows, for CSV (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            query = ordered(BOOKINGS.where(*conditions(session, actor, wanted)), wanted.order)
            return self._details(session, session.scalars(query.limit(EXPORT_LIMIT)).all())

    def on_desk(
        self, actor: Actor, days: Horizon, paid: Callable[[Collection[str]], Mapping[str, int]]
    ) -> tuple[list[tuple[BookingDetail, Due]], list[BookingDetail]]:
        """What is due soon on the actor's own trips, as `dues` says; and their booked trips that begin soon, soonest
        first. Both read the trips together."""
        with self._database.read() as session:
            return on_desk(session, actor, days, paid, lambda rows: self._details(session, rows))

    def of_client(self, actor: Actor, client_id: str, limit: int = PAGE_SIZE) -> tuple[list[BookingLine], bool]:
        """The trips that a client is on as lines of a list, by departure; and whether there are more."""
        with self._database.read() as session:
            return lines_of_client(session, actor, client_id, limit)

    def dues(
        self,
        actor: Actor,
        last: date,
        paid: Callable[[Collection[str]], Mapping[str, int]],
        limit: int = 12,
        *,
        first_day: date = date.min,
    ) -> list[tuple[BookingDetail, Due]]:
        """The actor's own deposits and finals due between two days and still open, oldest first; open trips only.

        `paid` is the payments room's word: how much was processed for each of these segments, in minor units.
        """
        with self._database.read() as session:
            still_open = still_open_dues(session, actor, first_day, last, paid=paid, limit=limit)
            rows = session.scalars(BOOKINGS.where(BookingRow.id.in_({row.booking_id for row in still_open}))).all()
            return dues_of(still_open, self._details(session, rows))

    def create(self, actor: Actor, data: BookingData) -> BookingDetail:
        """Raises InvalidArgument when a passenger is not one of the actor's clients."""
        with self._database.transaction() as session:
            return self.open(session, actor, data)

    def open(
        self, session: Session, actor: Actor, data: BookingData, segments: Sequence[SegmentData] = ()
    ) -> BookingDetail:
        """A new booking with its segments, in the caller's transaction; told to the others once. Raises as create."""
        now = self._clock.now()
        row = BookingRow(
            id=new_id("booking"), agency_id=actor.agency_id, agent_id=actor.agent_id, created_at=now, version=1
        )
        apply_booking(row, data)
        row.updated_at = now
        session.add(row)
        self._seat(session, actor, row, data.passenger_ids)
        ordered = sorted(segments, key=lambda part: part.place_in_time)
        for position, part in enumerate(ordered):
            check_segment(part)
            segment = SegmentRow(id=new_id("segment"), booking_id=row.id, position=position)
            apply_segment(segment, part)
            apply_schedule(segment, part)
            row.segments.append(segment)
        return self._saved(session, row)

    def change(self, actor: Actor, booking_id: str, data: BookingData, *, version: int) -> BookingDetail:
        """Raises NotFound, PermissionDenied, ChangedMeanwhile or InvalidArgument."""
        with self._database.transaction() as session:
            row = row_to_change(session, actor, booking_id, version)
            if data.currency != row.currency and row.segments:
                raise InvalidArgument(
                    "The currency can't change while the booking has segments: their amounts are in it.",
                    field="currency",
                )
            apply_booking(row, data)
            self._seat(session, actor, row, data.passenger_ids)
            return self._touch(session, row)

    def add_segment(self, actor: Actor, booking_id: str, data: SegmentData, *, version: int) -> SegmentDetail:
        """Raises NotFound, PermissionDenied, ChangedMeanwhile or InvalidArgument."""
        check_segment(data)
        with self._database.transaction() as session:
            row = row_to_change(session, actor, booking_id, version)
            segment = SegmentRow(id=new_id("segment"), booking_id=row.id)
            apply_segment(segment, data)
            apply_schedule(segment, data)
            row.segments.append(segment)
            return _segment_of(self._touch(session, row), segment.id)

    def change_segment(
        self, actor: Actor, booking_id: str, segment_id: str, data: SegmentData, *, version: int
    ) -> SegmentDetail:
        """Raises NotFound, PermissionDenied, ChangedMeanwhile or InvalidArgument."""
        check_segment(data)
        with self._database.transaction() as session:
            row = row_to_change(session, actor, booking_id, version)
            segment = segment_row(row, segment_id)
            if segment.cancelled_at is not None:
                raise InvalidArgument("This segment is cancelled. Take it up again before you change it.")
            before = calendar_days(row)
            apply_segment(segment, data)
            apply_schedule(segment, data)
            note_former_days(row, before)
            return _segment_of(self._touch(session, row), segment_id)

    def cancel_segment(
        self, actor: Actor, booking_id: str, segment_id: str, cancelled: Cancellation | None, *, version: int
    ) -> SegmentDetail:
        """Nothing more is due on it, but what the supplier keeps; with None it is taken up again as it was.

        Raises NotFound, PermissionDenied, ChangedMeanwhile or InvalidArgument.
        """
        with self._database.transaction() as session:
            row = row_to_change(session, actor, booking_id, version)
            segment = segment_row(row, segment_id)
            if cancelled is not None:
                for field, amount in (("penalty", cancelled.penalty), ("refund_due", cancelled.refund_due)):
                    if amount is not None and (amount.currency != row.currency or amount.minor < 0):
                        raise InvalidArgument(f"Enter an amount in {row.currency}.", field=field)
            before = calendar_days(row)
            apply_cancellation(segment, cancelled)
            note_former_days(row, before)
            return _segment_of(self._touch(session, row), segment_id)

    def remove_segment(self, actor: Actor, booking_id: str, segment_id: str, *, version: int) -> BookingDetail:
        """Raises NotFound, PermissionDenied, ChangedMeanwhile, or InvalidArgument when it has payments."""
        with self._database.transaction() as session:
            # Held: a link that is sent meanwhile holds the booking too (`hold_own`), so it comes before or after.
            row = held_row(session, actor, booking_id)
            if self._has_payments(session, booking_id, segment_id):
                raise InvalidArgument(
                    "A payment was asked for on this segment, so it stays on the booking as part of the record. "
                    "You can still change its dates and amounts."
                )
            check_version(row, version)
            before = calendar_days(row)
            row.segments.remove(segment_row(row, segment_id))
            note_former_days(row, before)
            return self._touch(session, row)

    def tell_anew(self, session: Session, booking_ids: Collection[str]) -> None:
        """Publishes bookings whose passengers were merged; a form that was opened before is refused."""
        for row in session.scalars(BOOKINGS.where(BookingRow.id.in_(booking_ids)).order_by(BookingRow.id)):
            session.refresh(row)
            for position, seat in enumerate(row.passengers):
                seat.position = position
            row.version += 1
            self._saved(session, row)

    def note_name(self, session: Session, client_id: str) -> None:
        """Lets a client's bookings be found by the name that they have now (the CRM's own client.saved)."""
        lock_of_clients(session, [client_id])
        for booking_id, booking in self.load_many(session, ids_of_client(session, client_id)).items():
            row = session.get_one(BookingRow, booking_id, populate_existing=True)
            note_what_lists_show(row, [passenger.name for passenger in booking.passengers])

    def house(self, session: Session, booking: BookingDetail) -> House:
        """Who stands behind a booking, as events carry it."""
        agency = self._directory.load_agency(session, booking.agency_id)
        return House(
            agency=agency_snapshot(agency),
            agent=agent_snapshot(self._directory.load_agent(session, booking.agent_id)),
            policy=policy_snapshot(agency),
        )

    def _seat(self, session: Session, actor: Actor, row: BookingRow, wanted: Sequence[str]) -> None:
        """Puts the wanted clients on the booking, the first as lead."""
        today = [current_client_id(session, each) for each in wanted]
        if today != list(wanted):
            # The form was opened before two of its people were merged.
            wanted = list(dict.fromkeys(today))
        own = self._clients.load_many(session, actor.agency_id, wanted)
        if len(set(wanted)) != len(wanted) or any(
            client_id not in own or own[client_id].agent_id != row.agent_id for client_id in wanted
        ):
            raise InvalidArgument("Choose the passengers from your own clients, each once.", field="passengers")
        seats = {seat.client_id: seat for seat in row.passengers}
        row.passengers[:] = [
            seats.get(client_id) or PassengerRow(id=new_id("passenger"), client_id=client_id) for client_id in wanted
        ]
        for position, seat in enumerate(row.passengers):
            seat.position = position

    def _touch(self, session: Session, row: BookingRow) -> BookingDetail:
        ordered = sorted(row.segments, key=lambda s: (*place_in_time(s), s.position or 0, s.id))
        for position, segment in enumerate(ordered):
            segment.position = position
        row.updated_at = self._clock.now()
        row.version += 1
        return self._saved(session, row)

    def _saved(self, session: Session, row: BookingRow) -> BookingDetail:
        session.flush()
        session.refresh(row)
        booking = self._details(session, [row])[0]
        note_what_lists_show(row, [passenger.name for passenger in booking.passengers])
        session.flush()
        event = booking_saved(booking, self.house(session, booking), self._terms)
        self._outbox.add(session, event, aggregate_id=booking.id, agency_id=booking.agency_id)
        return booking

    def _details(self, session: Session, rows: Sequence[BookingRow]) -> list[BookingDetail]:
        if not rows:
            return []
        agency_id = rows[0].agency_id
        client_ids = {seat.client_id for row in rows for seat in row.passengers}
        clients = self._clients.load_many(session, agency_id, client_ids)
        names = self._directory.names_of(session, agency_id, {row.agent_id for row in rows})
        return [booking_detail(row, clients, names.get(row.agent_id, "")) for row in rows]


def _segment_of(booking: BookingDetail, segment_id: str) -> SegmentDetail:
    segment = booking.segment(segment_id)
    if segment is None:
        raise NotFound("There is no such segment on this booking.")
    return segment
