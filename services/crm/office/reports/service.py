"""What the reports show. Sums are made by the database, per currency and by index; nothing is added up across
currencies. Reports read other rooms' tables through their services and change none of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, ColumnElement, Exists, Select, and_, case, column, exists, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.clock import Clock
from chassis.db import Database, NotLeading
from chassis.errors import NotFound
from chassis.money import Money
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.day_queries import counted, first_of_each_day
from services.crm.core.days import Asked, DayKind, DayLine, Lines
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import COUNTED, PAGE_SIZE, Page, offset
from services.crm.office.reports.rules import Period, Span, months, span_of, spans
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.service import PaymentState, PaymentType
from services.crm.sales.clients.models import ClientRow
from services.crm.trips.bookings.models import BookingRow, InstalmentRow, SegmentRow
from services.crm.trips.bookings.service import BookingStatus, DueKind

EXPORT_LIMIT = 10_000
_BEST = 20
_OPEN = (BookingStatus.QUOTE.value, BookingStatus.BOOKED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a report is about: a period, one agent's (empty = all that the actor sees), one currency."""

    period: Period
    agent_id: str = ""
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A line of a report: a span of time, how many, how much."""

    span: Span
    count: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """An amount that is to be paid by a day, and how much of it is open."""

    booking_id: str
    booking_title: str
    segment_id: str
    due_id: str
    supplier_name: str
    agent_id: str
    kind: DueKind
    due_on: date
    amount: Money
    still_open: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BestClient:
    """A client with what was processed for them in the period."""

    client_id: str
    name: str
    payments: int
    amount: Money


class DueSort(StrEnum):
    """What the list of what is due can be ordered by."""

    DATE = "date"
    BOOKING = "booking"
    WHAT = "what"
    AMOUNT = "amount"
    OPEN = "open"


BY_DATE = Order(DueSort.DATE)
# By the names that `_dues` gives its columns.
DUE_KEYS: Keys[DueSort] = {
    DueSort.DATE: Key(column("due_on")),
    DueSort.BOOKING: Key(column("title_folded"), column("due_on")),
    DueSort.WHAT: Key(column("kind"), column("due_on")),
    DueSort.AMOUNT: Key(column("minor"), falling=True),
    DueSort.OPEN: Key(column("open_minor"), falling=True),
}


class Reports:
    """The reports' use cases; all read only."""

    def __init__(self, *, database: Database, clock: Clock, directory: Directory) -> None:
        self._database = database
        self._clock = clock
        self._directory = directory

    def agents(self, actor: Actor) -> dict[str, str]:
        """Whose figures the actor may choose between; empty for those who see only their own."""
        return self._directory.names_in(actor) if actor.is_admin else {}

    def check_agent(self, actor: Actor, agent_id: str) -> None:
        """Raises NotFound for an agent whose figures the actor does not see."""
        if agent_id and agent_id != actor.agent_id and agent_id not in self.agents(actor):
            raise NotFound("There is no such agent.")

    def today(self, actor: Actor) -> date:
        return self._clock.now().astimezone(ZoneInfo(actor.time_zone)).date()

    def payment_currencies(self, actor: Actor, agent_id: str, among: Sequence[str]) -> list[str]:
        """Which of the house's currencies were paid in: an index look-up each."""
        scope = _scope(actor, agent_id, PaymentRow.agency_id, PaymentRow.agent_id)
        found = exists().where(*scope, PaymentRow.state == PaymentState.PROCESSED)
        return self._found([(code, found.where(PaymentRow.currency == code)) for code in among])

    def booking_currencies(self, actor: Actor, agent_id: str, among: Sequence[str]) -> list[str]:
        """Which of the house's currencies trips are priced in. All states are named, since the index that has the
        currency has the state before it."""
        states = [state.value for state in BookingStatus]
        found = exists().where(*scope_of_bookings(actor, agent_id), BookingRow.status.in_(states))
        return self._found([(code, found.where(BookingRow.currency == code)) for code in among])

    def _found(self, asked: Sequence[tuple[str, Exists]]) -> list[str]:
        queries = [select(literal(code)).where(found) for code, found in asked]
        with self._database.read() as session:
            there = set(session.scalars(union_all(*queries)))
        return [code for code, _ in asked if code in there]

    def processed(self, actor: Actor, wanted: Wanted) -> list[Figure]:
        """Payments processed with suppliers, and service fees, by month of processing in the reader's zone."""
        scope = _scope(actor, wanted.agent_id, PaymentRow.agency_id, PaymentRow.agent_id)
        zone, parts = ZoneInfo(actor.time_zone), months(wanted.period)
        queries = []
        for number, span in enumerate(parts):
            begin, end = span.bounds(zone)
            queries.append(
                select(
                    literal(number).label("number"),
                    func.count().label("times"),
                    func.coalesce(func.sum(PaymentRow.amount_minor), 0).label("minor"),
                ).where(
                    *scope,
                    PaymentRow.state == PaymentState.PROCESSED,
                    PaymentRow.currency == wanted.currency,
                    PaymentRow.closed_at >= begin,
                    PaymentRow.closed_at < end,
                )
            )
        with self._database.read() as session:
            rows = session.execute(union_all(*queries)).all()
        return _figures(parts, {row.number: (row.times, int(row.minor)) for row in rows}, wanted.currency)

    def best_clients(self, actor: Actor, wanted: Wanted) -> list[BestClient]:
        """Whose payments came to most in the period."""
        scope = _scope(actor, wanted.agent_id, PaymentRow.agency_id, PaymentRow.agent_id)
        begin, end = Span(first=wanted.period.first, last=wanted.period.last).bounds(ZoneInfo(actor.time_zone))
        total = func.sum(PaymentRow.amount_minor)
        best = (
            select(PaymentRow.payer_client_id.label("client_id"), func.count().label("times"), total.label("minor"))
            .where(
                *scope,
                PaymentRow.state == PaymentState.PROCESSED,
                PaymentRow.currency == wanted.currency,
                PaymentRow.closed_at >= begin,
                PaymentRow.closed_at < end,
            )
            .group_by(PaymentRow.payer_client_id)
            .order_by(total.desc(), PaymentRow.payer_client_id)
            .limit(_BEST)
            .subquery()
        )
        query = (
            select(best.c.client_id, best.c.times, best.c.minor, ClientRow.first_name, ClientRow.last_name)
            .join(ClientRow, ClientRow.id == best.c.client_id)
            .order_by(best.c.minor.desc(), best.c.client_id)
        )
        with self._database.read() as session:
            return [
                BestClient(
                    client_id=row.client_id,
                    name=f"{row.first_name} {row.last_name}".strip(),
                    payments=row.times,
                    amount=Money(minor=int(row.minor), currency=wanted.currency),
                )
                for row in session.execute(query)
            ]

    def new_clients(self, actor: Actor, wanted: Wanted) -> list[tuple[Span, int]]:
        """How many clients were added in each month. One that was merged into another counts no more."""
        scope = _scope_of_clients(actor, wanted.agent_id)
        zone, parts = ZoneInfo(actor.time_zone), months(wanted.period)
        added = []
        for number, span in enumerate(parts):
            begin, end = span.bounds(zone)
            counted = select(literal(number).label("number"), func.count().label("times")).select_from(ClientRow)
            added.append(counted.where(*scope, ClientRow.created_at >= begin, ClientRow.created_at < end))
        with self._database.read() as session:
            counts = {row.number: row.times for row in session.execute(union_all(*added))}
        return [(span, counts[number]) for number, span in enumerate(parts)]

    def client_count(self, actor: Actor, agent_id: str) -> int:
        """How many clients there are today."""
        query = select(func.count()).select_from(ClientRow).where(*_scope_of_clients(actor, agent_id))
        with self._database.read() as session:
            return session.scalar(query) or 0

    def due_figures(self, actor: Actor, wanted: Wanted) -> tuple[str, list[Figure]]:
        """What is open by week or month, with the word for such a span."""
        word, parts = spans(wanted.period)
        due = _open_dues(actor, wanted)
        query = select(due.c.due_on, func.count().label("times"), func.sum(_still_open(due)).label("minor"))
        with self._database.read() as session:
            rows = session.execute(query.where(due.c.left_minor > 0).group_by(due.c.due_on)).all()
        sums: dict[int, tuple[int, int]] = {}
        for row in rows:
            number = span_of(row.due_on, parts)
            if number is not None:
                count, minor = sums.get(number, (0, 0))
                sums[number] = (count + row.times, minor + int(row.minor))
        return word, _figures(parts, sums, wanted.currency)

    def due_page(
        self, actor: Actor, wanted: Wanted, number: int, *, total: int, order: Order[DueSort] = BY_DATE
    ) -> Page[DueLine]:
        """Deposits and finals that are still open; `total` is what their figures counted."""
        query = _dues(actor, wanted, order).limit(PAGE_SIZE).offset(offset(number))
        with self._database.read() as session:
            lines = _due_lines(session, query, wanted.currency)
            return Page(items=lines, total=min(total, COUNTED + 1), number=number)

    def dues_by_day(self, session: Session, asked: Asked) -> Lines:
        """What is still open, in any currency, by its day (the calendar)."""
        due = _open_dues_of(
            NotLeading(BookingRow.agent_id).in_(asked.agent_ids), Period(first=asked.first, last=asked.last)
        )
        query = (
            select(due, _still_open(due).label("open_minor"))
            .where(due.c.left_minor > 0)
            .order_by(due.c.title_folded, due.c.booking_id, due.c.position)
        )
        rows = first_of_each_day(session, query, due.c.due_on, asked.most)
        lines = [
            DayLine(
                on=row.day,
                kind=DayKind.DUE,
                thing_id=row.booking_id,
                title=f"{Money(minor=int(row.open_minor), currency=row.currency).format()}, {row.booking_title}",
                detail=row.supplier_name,
                agent_id=row.agent_id,
                part_id=row.due_id,
            )
            for row in rows
        ]
        return Lines(lines=lines, counts=counted(rows))

    def due_export(self, actor: Actor, wanted: Wanted, order: Order[DueSort] = BY_DATE) -> list[DueLine]:
        """All of them, for CSV (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            return _due_lines(session, _dues(actor, wanted, order).limit(EXPORT_LIMIT), wanted.currency)


def _scope(
    actor: Actor,
    agent_id: str,
    agency: InstrumentedAttribute[str] | NotLeading,
    agent: InstrumentedAttribute[str] | NotLeading,
) -> tuple[ColumnElement[bool], ...]:
    """What the actor sees, or of it one agent's (`check_agent` has seen that they may). One column, so that an index
    which begins with it has all that a sum needs."""
    if actor.is_admin and not agent_id:
        return (agency == actor.agency_id,)
    return (agent == (agent_id or actor.agent_id),)


def scope_of_bookings(actor: Actor, agent_id: str) -> tuple[ColumnElement[bool], ...]:
    """The bookings that a report is about."""
    return _scope(actor, agent_id, BookingRow.agency_id, BookingRow.agent_id)


def _figures(parts: Sequence[Span], sums: dict[int, tuple[int, int]], currency: str) -> list[Figure]:
    found = []
    for number, span in enumerate(parts):
        count, minor = sums.get(number, (0, 0))
        found.append(Figure(span=span, count=count, amount=Money(minor=minor, currency=currency)))
    return found


def _scope_of_clients(actor: Actor, agent_id: str) -> tuple[ColumnElement[bool], ...]:
    """The clients that a report is about; a profile that was merged into another is none any more."""
    return *_scope(actor, agent_id, ClientRow.agency_id, ClientRow.agent_id), ClientRow.merged_into_id.is_(None)


def _open_dues(actor: Actor, wanted: Wanted) -> CTE:
    """What is due in a report's period, in its currency."""
    whose = _scope(actor, wanted.agent_id, NotLeading(BookingRow.agency_id), NotLeading(BookingRow.agent_id))
    return _open_dues_of(and_(*whose, BookingRow.currency == wanted.currency), wanted.period)


def _open_dues_of(whose: ColumnElement[bool], period: Period) -> CTE:
    """Each date in the period with what must be paid by then, less what was processed before. Worked out once for each
    date (MATERIALIZED), and found by the dates' own indexes: an agency's bookings are many more than what is due soon,
    so their other columns are kept from leading (`NotLeading`)."""
    paid = (
        select(func.coalesce(func.sum(PaymentRow.amount_minor), 0))
        .where(
            PaymentRow.segment_id == InstalmentRow.segment_id,
            PaymentRow.state == PaymentState.PROCESSED,
            PaymentRow.type != PaymentType.SERVICE_FEE,
        )
        .correlate(InstalmentRow)
        .scalar_subquery()
    )
    due = InstalmentRow
    found = (
        select(
            due.id.label("due_id"),
            due.segment_id.label("segment_id"),
            due.booking_id.label("booking_id"),
            SegmentRow.supplier_name.label("supplier_name"),
            BookingRow.title.label("booking_title"),
            BookingRow.title_folded.label("title_folded"),
            BookingRow.agent_id.label("agent_id"),
            BookingRow.currency.label("currency"),
            due.kind.label("kind"),
            due.position.label("position"),
            due.due_on.label("due_on"),
            due.amount_minor.label("minor"),
            (due.until_then_minor - paid).label("left_minor"),
        )
        .join(SegmentRow, SegmentRow.id == due.segment_id)
        .join(BookingRow, BookingRow.id == due.booking_id)
        .where(
            whose,
            NotLeading(BookingRow.status).in_(_OPEN),
            due.active.is_(True),
            due.due_on.between(period.first, period.last),
        )
    )
    return found.cte("due").prefix_with("MATERIALIZED")


def _still_open(due: CTE) -> ColumnElement[int]:
    """Of an amount, what is left: part of it may have come in."""
    return case((due.c.left_minor < due.c.minor, due.c.left_minor), else_=due.c.minor)


def _dues(actor: Actor, wanted: Wanted, order: Order[DueSort]) -> Select[Any]:  # Any: the columns of _open_dues
    due = _open_dues(actor, wanted)
    query = select(due, _still_open(due).label("open_minor")).where(due.c.left_minor > 0)
    return in_order(query, order, DUE_KEYS, due.c.booking_id, due.c.segment_id, due.c.position)


def _due_lines(session: Session, query: Select[Any], currency: str) -> list[DueLine]:  # Any: _dues' columns
    return [
        DueLine(
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            segment_id=row.segment_id,
            due_id=row.due_id,
            supplier_name=row.supplier_name,
            agent_id=row.agent_id,
            kind=DueKind(row.kind),
            due_on=row.due_on,
            amount=Money(minor=row.minor, currency=currency),
            still_open=Money(minor=int(row.open_minor), currency=currency),
        )
        for row in session.execute(query)
    ]
