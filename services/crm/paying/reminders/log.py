"""The log of reminders: what was sent to whom, and what was not and why, as the notifier tells it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from chassis.db import AsText, Database, insert_if_absent
from chassis.reminder_words import ReminderKind
from chassis.timestamps import moment_of
from chassis.typed.days import day_from
from protos.wayvault.events.v1.events_pb2 import ReminderSettled
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.paying.reminders.models import ReminderLogRow
from services.crm.paying.reminders.rules import KIND_OF, SENDABLE, Outcome
from services.crm.trips.bookings.service import BookingDetail, Bookings, BookingStatus

EXPORT_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log."""

    id: str
    at: datetime
    kind: ReminderKind
    due_on: date
    booking_id: str
    booking_title: str
    segment_id: str
    supplier_name: str
    outcome: Outcome
    recipient_name: str
    address_hint: str
    subject: str
    reason: str
    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A line of the log whose reminder can still be sent: for which date of its booking, and to whom today."""

    entry: Entry
    due_id: str
    name: str
    email: str


class LogSort(StrEnum):
    """What the log can be ordered by."""

    WHEN = "when"
    CLIENT = "client"
    BOOKING = "booking"
    DUE = "due"
    OUTCOME = "outcome"


LATEST = Order(LogSort.WHEN)
LOG_KEYS: Keys[LogSort] = {
    LogSort.WHEN: Key(ReminderLogRow.at, falling=True),
    LogSort.CLIENT: Key(AsText(ReminderLogRow.recipient_name), ReminderLogRow.at),
    LogSort.BOOKING: Key(AsText(ReminderLogRow.booking_title), ReminderLogRow.at),
    LogSort.DUE: Key(ReminderLogRow.due_on, ReminderLogRow.at),
    LogSort.OUTCOME: Key(ReminderLogRow.outcome, ReminderLogRow.at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """What the log shows. `sent` None = everything."""

    sent: bool | None = None
    order: Order[LogSort] = LATEST


class ReminderLog:
    """The log's use cases."""

    def __init__(self, *, database: Database, bookings: Bookings) -> None:
        self._database = database
        self._bookings = bookings

    def page(self, actor: Actor, wanted: LogFilter, number: int) -> Page[Entry]:
        """What was sent to whom, and what was not."""
        conditions = _conditions(actor, wanted)
        with self._database.read() as session:
            query = in_order(select(ReminderLogRow).where(*conditions), wanted.order, LOG_KEYS, ReminderLogRow.id)
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number))).all()
            total = bounded_count(session, select(ReminderLogRow.id).where(*conditions))
            return Page(items=[entry_of(row) for row in rows], total=total, number=number)

    def export(self, actor: Actor, wanted: LogFilter) -> Sequence[Entry]:
        """Everything the filter shows, for CSV (at most EXPORT_LIMIT)."""
        found = select(ReminderLogRow).where(*_conditions(actor, wanted))
        query = in_order(found, wanted.order, LOG_KEYS, ReminderLogRow.id)
        with self._database.read() as session:
            return [entry_of(row) for row in session.scalars(query.limit(EXPORT_LIMIT))]

    def unsent(self, actor: Actor, entry_ids: Collection[str]) -> list[Unsent]:
        """Which of these lines are the actor's own and can be sent now: the date is there, and somebody can get it."""
        query = select(ReminderLogRow).where(
            ReminderLogRow.agent_id == actor.agent_id,
            ReminderLogRow.id.in_(entry_ids),
            ReminderLogRow.outcome.in_(SENDABLE),
        )
        with self._database.read() as session:
            entries = [entry_of(row) for row in session.scalars(query.order_by(ReminderLogRow.due_on))]
            bookings = self._bookings.load_many(session, {entry.booking_id for entry in entries})
        found = (_unsent(entry, bookings[entry.booking_id]) for entry in entries)
        return [each for each in found if each is not None]

    def learn_settled(self, session: Session, message: ReminderSettled, agency_id: str) -> None:
        """The notifier has settled a reminder. Hearing it again changes nothing; a later
        word on the same one takes the place of the earlier."""
        booking = self._bookings.load_by_id(session, message.booking_id)
        segment = booking.segment(message.segment_id)
        table = ReminderLogRow.__table__
        values = {
            "id": message.reminder_id,
            "agency_id": agency_id,
            "agent_id": booking.agent_id,
            "booking_id": booking.id,
            "segment_id": message.segment_id,
            "kind": ReminderKind(message.kind).value,
            "due_on": day_from(message.due_on) or moment_of(message.at).date(),
            "booking_title": booking.title,
            "supplier_name": segment.data.supplier_name if segment else "",
            "outcome": Outcome(message.outcome).value,
            "recipient_name": message.recipient_name[:200],
            "address_hint": message.address_hint[:320],
            "subject": message.subject[:300],
            "reason": message.reason[:300],
            "at": moment_of(message.at),
        }
        if insert_if_absent(session, table, values):  # type: ignore[arg-type]  # a mapped class's table is a Table
            return
        # One that was too late and that the agent has sent after all: the log has its last word.
        later = {
            name: values[name] for name in ("outcome", "recipient_name", "address_hint", "subject", "reason", "at")
        }
        session.execute(
            update(ReminderLogRow)
            .where(ReminderLogRow.id == message.reminder_id, ReminderLogRow.at < values["at"])
            .values(**later)
        )


def _conditions(actor: Actor, wanted: LogFilter) -> list[ColumnElement[bool]]:
    conditions = [visible_to(actor, ReminderLogRow.agency_id, ReminderLogRow.agent_id)]
    if wanted.sent is not None:
        sent = ReminderLogRow.outcome == Outcome.SENT.value
        conditions.append(sent if wanted.sent else ~sent)
    return conditions


def _unsent(entry: Entry, booking: BookingDetail) -> Unsent | None:
    segment, lead = booking.segment(entry.segment_id), booking.lead
    if segment is None or booking.status is not BookingStatus.BOOKED or lead is None or not lead.email:
        return None
    same = (due for due in segment.dues if due.due_on == entry.due_on and KIND_OF[due.kind] is entry.kind)
    return next((Unsent(entry=entry, due_id=due.id, name=lead.name, email=lead.email) for due in same), None)


def entry_of(row: ReminderLogRow) -> Entry:
    """The line of a row."""
    return Entry(
        id=row.id,
        at=row.at,
        kind=ReminderKind(row.kind),
        due_on=row.due_on,
        booking_id=row.booking_id,
        booking_title=row.booking_title,
        segment_id=row.segment_id,
        supplier_name=row.supplier_name,
        outcome=Outcome(row.outcome),
        recipient_name=row.recipient_name,
        address_hint=row.address_hint,
        subject=row.subject,
        reason=row.reason,
        agent_id=row.agent_id,
    )
