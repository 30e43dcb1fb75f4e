"""Use cases of commissions: what suppliers owe the agency, what came in, and noting that it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, case, delete, func, literal, select, union_all
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import AsText, Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.office.reports.models import CommissionReceiptRow
from services.crm.office.reports.rules import Commission, CommissionState, Span, months
from services.crm.office.reports.service import EXPORT_LIMIT, Wanted, scope_of_bookings
from services.crm.trips.bookings.models import BookingRow, SegmentRow
from services.crm.trips.bookings.service import Bookings, BookingStatus

# A quote may come to nothing, a cancelled trip has.
_EARNING = (BookingStatus.BOOKED.value, BookingStatus.TRAVELED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionLine:
    """A segment's commission."""

    booking_id: str
    booking_title: str
    segment_id: str
    supplier_name: str
    confirmation_number: str
    agent_id: str
    departs_on: date
    currency: str
    commission: Commission

    def money(self, minor: int) -> Money:
        return Money(minor=minor, currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A commission that came in."""

    id: str
    amount: Money
    received_on: date
    reference: str
    noted_at: datetime


class CommissionSort(StrEnum):
    """What the list of commissions can be ordered by."""

    BEGINS = "begins"
    SUPPLIER = "supplier"
    EXPECTED = "expected"
    RECEIVED = "received"
    OUTSTANDING = "outstanding"


FIRST_TRIP = Order(CommissionSort.BEGINS)
_RECEIVED = (
    select(func.coalesce(func.sum(CommissionReceiptRow.amount_minor), 0))
    .where(CommissionReceiptRow.segment_id == SegmentRow.id)
    .correlate(SegmentRow)
    .scalar_subquery()
)
_EXPECTED = func.coalesce(SegmentRow.commission_minor, 0)
COMMISSION_KEYS: Keys[CommissionSort] = {
    CommissionSort.BEGINS: Key(BookingRow.departs_on),
    CommissionSort.SUPPLIER: Key(AsText(SegmentRow.supplier_name), BookingRow.departs_on),
    CommissionSort.EXPECTED: Key(_EXPECTED, falling=True),
    CommissionSort.RECEIVED: Key(_RECEIVED, falling=True),
    # More may have come in than was expected: nothing is outstanding then.
    CommissionSort.OUTSTANDING: Key(
        case((_EXPECTED > _RECEIVED, _EXPECTED - _RECEIVED), else_=literal(0)), falling=True
    ),
}


class Commissions:
    """Expected is what segments of booked and traveled trips say; received what was noted here."""

    def __init__(self, *, database: Database, clock: Clock, bookings: Bookings) -> None:
        self._database = database
        self._clock = clock
        self._bookings = bookings

    def by_month(self, actor: Actor, wanted: Wanted) -> list[tuple[Span, Commission]]:
        """Expected and received of the trips that begin in each month."""
        parts = months(wanted.period)
        expected, received = [], []
        for number, span in enumerate(parts):
            trips = (*_trips(actor, wanted), BookingRow.departs_on.between(span.first, span.last))
            expected.append(
                select(literal(number).label("number"), func.sum(SegmentRow.commission_minor).label("minor"))
                .select_from(BookingRow)
                .join(SegmentRow, SegmentRow.booking_id == BookingRow.id)
                .where(*trips)
            )
            received.append(
                select(literal(number).label("number"), func.sum(CommissionReceiptRow.amount_minor).label("minor"))
                .select_from(CommissionReceiptRow)
                .join(SegmentRow, SegmentRow.id == CommissionReceiptRow.segment_id)
                .join(BookingRow, BookingRow.id == SegmentRow.booking_id)
                .where(*trips, CommissionReceiptRow.agency_id == actor.agency_id)
            )
        with self._database.read() as session:
            owed = {row.number: int(row.minor or 0) for row in session.execute(union_all(*expected))}
            came = {row.number: int(row.minor or 0) for row in session.execute(union_all(*received))}
        return [
            (span, Commission(expected=owed.get(number, 0), received=came.get(number, 0)))
            for number, span in enumerate(parts)
        ]

    def list_page(
        self,
        actor: Actor,
        wanted: Wanted,
        state: CommissionState | None,
        number: int,
        order: Order[CommissionSort] = FIRST_TRIP,
    ) -> Page[CommissionLine]:
        """A page of the segments of trips that begin in the period."""
        query = _lines(actor, wanted, state, order)
        with self._database.read() as session:
            rows = session.execute(query.limit(PAGE_SIZE).offset(offset(number))).all()
            all_here = number == 1 and len(rows) < PAGE_SIZE
            total = len(rows) if all_here else bounded_count(session, query.order_by(None))
            return Page(items=[_line(row, wanted.currency) for row in rows], total=total, number=number)

    def export(
        self,
        actor: Actor,
        wanted: Wanted,
        state: CommissionState | None,
        order: Order[CommissionSort] = FIRST_TRIP,
    ) -> Sequence[CommissionLine]:
        """All of them, for CSV (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            rows = session.execute(_lines(actor, wanted, state, order).limit(EXPORT_LIMIT))
            return [_line(row, wanted.currency) for row in rows]

    def line(self, actor: Actor, booking_id: str, segment_id: str) -> tuple[CommissionLine, list[Receipt]]:
        """One segment's commission with all that came in. Raises NotFound."""
        with self._database.read() as session:
            return self._load(session, actor, booking_id, segment_id)

    def record(
        self, actor: Actor, booking_id: str, segment_id: str, *, amount: Money, received_on: date, reference: str
    ) -> CommissionLine:
        """Notes what came in. Raises NotFound, PermissionDenied or InvalidArgument."""
        if received_on > self._clock.now().date():
            raise InvalidArgument("The day is still to come. Enter the day it was received.", field="received_on")
        with self._database.transaction() as session:
            booking = self._bookings.load_own(session, actor, booking_id)
            if booking.segment(segment_id) is None:
                raise NotFound("There is no such segment on this booking.")
            if amount.currency != booking.currency:
                raise InvalidArgument(f"The booking is in {booking.currency}.", field="amount")
            session.add(
                CommissionReceiptRow(
                    id=new_id("receipt"),
                    agency_id=booking.agency_id,
                    booking_id=booking_id,
                    segment_id=segment_id,
                    amount_minor=amount.minor,
                    received_on=received_on,
                    reference=reference,
                    noted_by=actor.agent_id,
                    noted_at=self._clock.now(),
                )
            )
            session.flush()
            return self._load(session, actor, booking_id, segment_id)[0]

    def take_back(self, actor: Actor, booking_id: str, receipt_id: str) -> None:
        """A receipt that was noted by mistake. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            self._bookings.load_own(session, actor, booking_id)
            gone = session.execute(
                delete(CommissionReceiptRow)
                .where(CommissionReceiptRow.id == receipt_id, CommissionReceiptRow.booking_id == booking_id)
                .returning(CommissionReceiptRow.id)
            ).first()
            if gone is None:
                raise NotFound("There is no such entry.")

    def _load(
        self, session: Session, actor: Actor, booking_id: str, segment_id: str
    ) -> tuple[CommissionLine, list[Receipt]]:
        booking = self._bookings.load(session, actor, booking_id)
        segment = booking.segment(segment_id)
        if segment is None:
            raise NotFound("There is no such segment on this booking.")
        rows = session.scalars(
            select(CommissionReceiptRow)
            .where(CommissionReceiptRow.segment_id == segment_id)
            .order_by(CommissionReceiptRow.received_on, CommissionReceiptRow.noted_at, CommissionReceiptRow.id)
        ).all()
        expected = segment.data.commission.minor if segment.data.commission else 0
        line = CommissionLine(
            booking_id=booking.id,
            booking_title=booking.title,
            segment_id=segment.id,
            supplier_name=segment.data.supplier_name,
            confirmation_number=segment.data.confirmation_number,
            agent_id=booking.agent_id,
            departs_on=booking.begins_on or date.max,
            currency=booking.currency,
            commission=Commission(expected=expected, received=sum(row.amount_minor for row in rows)),
        )
        return line, [
            Receipt(
                id=row.id,
                amount=Money(minor=row.amount_minor, currency=booking.currency),
                received_on=row.received_on,
                reference=row.reference,
                noted_at=row.noted_at,
            )
            for row in rows
        ]


def _trips(actor: Actor, wanted: Wanted) -> tuple[Any, ...]:  # Any: conditions
    return (
        *scope_of_bookings(actor, wanted.agent_id),
        BookingRow.status.in_(_EARNING),
        BookingRow.currency == wanted.currency,
    )


def _lines(
    actor: Actor, wanted: Wanted, state: CommissionState | None, order: Order[CommissionSort]
) -> Select[Any]:  # Any: the columns named here
    expected, received = _EXPECTED, _RECEIVED
    query = (
        select(
            SegmentRow.id.label("segment_id"),
            SegmentRow.booking_id,
            SegmentRow.supplier_name,
            SegmentRow.confirmation_number,
            BookingRow.title.label("booking_title"),
            BookingRow.agent_id,
            BookingRow.departs_on,
            expected.label("expected"),
            received.label("received"),
        )
        .select_from(BookingRow)
        .join(SegmentRow, SegmentRow.booking_id == BookingRow.id)
        .where(
            and_(*_trips(actor, wanted)),
            BookingRow.departs_on.between(wanted.period.first, wanted.period.last),
            (expected > 0) | (received > 0),
        )
    )
    query = in_order(query, order, COMMISSION_KEYS, BookingRow.id, SegmentRow.position, SegmentRow.id)
    match state:
        case CommissionState.OUTSTANDING:
            return query.where(expected > received)
        case CommissionState.RECEIVED:
            return query.where(expected <= received)
        case None:
            return query


def _line(row: Any, currency: str) -> CommissionLine:  # Any: a row of _lines
    return CommissionLine(
        booking_id=row.booking_id,
        booking_title=row.booking_title,
        segment_id=row.segment_id,
        supplier_name=row.supplier_name,
        confirmation_number=row.confirmation_number,
        agent_id=row.agent_id,
        departs_on=row.departs_on,
        currency=currency,
        commission=Commission(expected=int(row.expected), received=int(row.received)),
    )
