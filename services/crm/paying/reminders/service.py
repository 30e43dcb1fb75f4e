"""Use cases of reminders: rules with preview and test, and the switches of a booking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, literal, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, remembered
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.money import Money
from chassis.reminder_words import Anchor, ReminderKind, Words, tag_values
from chassis.tags import fill
from chassis.typed.names import called
from chassis.web.formatting import day
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.paying.payments.service import PENDING, PaymentBook, PaymentState, PaymentType
from services.crm.paying.reminders.log import Entry, entry_of
from services.crm.paying.reminders.messages import rule_saved, send_now, switched, test_requested
from services.crm.paying.reminders.models import ReminderLogRow, ReminderRuleRow, ReminderSwitchRow
from services.crm.paying.reminders.rules import (
    KIND_OF,
    KIND_WORDS,
    Offer,
    RuleData,
    SavedRule,
    Scope,
    due_together,
    leaves,
    rule_errors,
)
from services.crm.trips.bookings.service import BookingDetail, Bookings, BookingStatus, Due

__all__ = [
    "KIND_WORDS",
    "Example",
    "Offer",
    "Planned",
    "Preview",
    "Reminders",
    "RuleData",
    "SavedRule",
    "Scope",
]

_EXAMPLES = 20
_LOOK_AHEAD_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A date of a real booking, to try a text with."""

    booking: BookingDetail
    due: Due

    @property
    def key(self) -> str:
        return f"{self.booking.id}:{self.due.segment.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The mail as this booking's client would get it. `to` is empty where they have no address."""

    subject: str
    body: str
    to: str
    leaves_on: date | None
    example: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A date of a booking: when its reminder leaves, or what became of it. `leaves_on` is None where no rule is on."""

    due: Due
    kind: ReminderKind
    leaves_on: date | None
    off: bool
    entry: Entry | None


class Reminders:
    """The reminders room's use cases. Methods that take a session take part in the caller's transaction."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        directory: Directory,
        payments: PaymentBook,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._directory = directory
        self._payments = payments

    def offers(self, actor: Actor) -> list[Offer]:
        """Both kinds, with the agency's rules and the actor's own."""
        with self._database.read() as session:
            return self._offers(session, actor.agency_id, actor.agent_id)

    def offer(self, actor: Actor, kind: ReminderKind) -> Offer:
        return next(offer for offer in self.offers(actor) if offer.kind is kind)

    def save(self, actor: Actor, scope: Scope, data: RuleData, *, version: int) -> SavedRule:
        """Sets the agency's rule of a kind (admins) or the actor's own.

        Raises PermissionDenied, InvalidArgument or ChangedMeanwhile. `version` 0 = there was none.
        """
        _may_set(actor, scope)
        for field, message in rule_errors(data).items():
            raise InvalidArgument(message, field=field)
        owner = _owner(actor, scope)
        with self._database.transaction() as session:
            row = _rule_row(session, owner, data.kind)
            if (row.version if row else 0) != version:
                raise ChangedMeanwhile
            if row is None:
                row = ReminderRuleRow(
                    id=new_id("reminderrule"), agency_id=actor.agency_id, owner=owner, kind=data.kind.value
                )
                session.add(row)
            row.days_before, row.active, row.anchor = data.days_before, data.active, data.anchor.value
            row.subject, row.body, row.updated_at = data.subject, data.body, self._clock.now()
            session.flush()
            rule = _saved(row)
            self._publish(session, actor, rule)
            return rule

    def give_up(self, actor: Actor, kind: ReminderKind) -> None:
        """The agency's rule holds for the actor's bookings again. Without an own rule nothing happens."""
        with self._database.transaction() as session:
            row = _rule_row(session, actor.agent_id, kind)
            if row is None:
                return
            self._publish(session, actor, _saved(row), withdrawn=True)
            session.delete(row)

    def examples(self, actor: Actor, kind: ReminderKind) -> list[Example]:
        """The actor's own next dates of this kind that are still to be paid, the soonest first."""
        today = self._today(actor)
        last, paid = today + timedelta(days=_LOOK_AHEAD_DAYS), self._payments.processed_by_segment
        found = self._bookings.dues(actor, last, paid, limit=_EXAMPLES * 4, first_day=today)
        return [
            Example(booking=booking, due=due)
            for booking, due in found
            if KIND_OF[due.kind] is kind and booking.status is BookingStatus.BOOKED
        ][:_EXAMPLES]

    def preview(self, actor: Actor, data: RuleData, example: Example) -> Preview:
        """The mail that the notifier would send for this date."""
        values = tag_values(self._words(actor, example))
        lead = example.booking.lead
        due_on = example.due.due_on
        return Preview(
            subject=fill(data.subject, values),
            body=fill(data.body, values),
            to=f"{lead.name} <{lead.email}>" if lead and lead.email else "",
            leaves_on=leaves(data, due_on, example.due.segment.data.begins_on),
            example=example,
        )

    def send_test(self, actor: Actor, data: RuleData, example: Example) -> None:
        """Has the notifier mail the text to the actor themselves, filled with this booking. Raises InvalidArgument."""
        for field, message in rule_errors(data).items():
            raise InvalidArgument(message, field=field)
        rule_id = new_id("remindertest")
        with self._database.transaction() as session:
            asked = test_requested(
                data,
                rule_id=rule_id,
                booking_id=example.booking.id,
                due=example.due,
                agent=agent_snapshot(self._directory.load_agent(session, actor.agent_id)),
                agency=agency_snapshot(self._directory.load_agency(session, actor.agency_id)),
            )
            self._outbox.add(session, asked, aggregate_id=rule_id, agency_id=actor.agency_id)

    def planned(self, booking: BookingDetail) -> list[Planned]:
        """Every date of a booking that can be reminded of, with what happens or has happened."""
        dues = [due for part in booking.segments for due in part.dues if due.due_on]
        if not dues:
            return []
        dues.sort(key=lambda due: due.due_on or date.max)
        with self._database.read() as session:
            offers = {offer.kind: offer for offer in self._offers(session, booking.agency_id, booking.agent_id)}
            off, log = _off_and_log(session, booking.id)
        return [_planned(due, offers, off, log) for due in dues]

    def is_off(self, booking_id: str) -> bool:
        """Whether all reminders of a booking are off."""
        with self._database.read() as session:
            return "" in _off(session, booking_id)

    def switch(self, actor: Actor, booking_id: str, segment_id: str, *, off: bool) -> None:
        """Switches the reminders of a segment, or of the whole booking where its id is empty.

        Raises NotFound or PermissionDenied.
        """
        with self._database.transaction() as session:
            booking = self._bookings.load_own(session, actor, booking_id)
            if segment_id and booking.segment(segment_id) is None:
                raise NotFound("There is no such segment on this booking.")
            if off:
                session.merge(ReminderSwitchRow(booking_id=booking_id, segment_id=segment_id))
            else:
                session.execute(
                    delete(ReminderSwitchRow).where(
                        ReminderSwitchRow.booking_id == booking_id, ReminderSwitchRow.segment_id == segment_id
                    )
                )
            session.flush()
            told = switched(booking_id, _off(session, booking_id))
            self._outbox.add(session, told, aggregate_id=booking_id, agency_id=booking.agency_id)

    def send_now(self, actor: Actor, booking_id: str, due_id: str) -> Due:
        """Has the notifier send one date's reminder at once. Sent or paid already: it sends none.

        Raises NotFound, PermissionDenied, or InvalidArgument where the date is gone or nobody can get it.
        """
        with self._database.transaction() as session:
            booking = self._bookings.load_own(session, actor, booking_id)
            due = next((due for part in booking.segments for due in part.dues if due.id == due_id), None)
            if due is None or due.due_on is None or booking.status is not BookingStatus.BOOKED:
                raise InvalidArgument("There is no such date on this booking any more. Reload the page.")
            if booking.lead is None or not booking.lead.email:
                raise InvalidArgument("The lead passenger has no e-mail address. Add one first.")
            offers = self._offers(session, booking.agency_id, booking.agent_id)
            rule_id, data = next(offer for offer in offers if offer.kind is KIND_OF[due.kind]).to_send
            told = send_now(data, rule_id=rule_id, booking_id=booking.id, due=due)
            self._outbox.add(session, told, aggregate_id=booking.id, agency_id=booking.agency_id)
            return due

    def _offers(self, session: Session, agency_id: str, agent_id: str) -> list[Offer]:
        rows = session.scalars(select(ReminderRuleRow).where(ReminderRuleRow.owner.in_((agency_id, agent_id))))
        found = {(row.owner, row.kind): _saved(row) for row in rows}
        return [
            Offer(kind=kind, agency=found.get((agency_id, kind)), own=found.get((agent_id, kind)))
            for kind in ReminderKind
        ]

    def _words(self, actor: Actor, example: Example) -> Words:
        booking, part = example.booking, example.due.segment.data
        with self._database.read() as session:
            agent = self._directory.load_agent(session, booking.agent_id)
            agency = self._directory.load_agency(session, booking.agency_id)
        paid = self._paid(booking, example.due.segment.id)
        whole = part.price.minor if part.price else sum(each.amount.minor for each in example.due.segment.dues)
        deposit, deposit_due, final, final_due = part.deposit, part.deposit_due_on, part.final, part.final_due_on
        if KIND_OF[example.due.kind] is ReminderKind.PAYMENT_DUE:
            deposit, deposit_due = due_together(example.due, paid), example.due.due_on
        else:
            final, final_due = due_together(example.due, paid), example.due.due_on
        lead = booking.lead
        return Words(
            client_first_name=called(lead.first_name, lead.last_name) if lead else "",
            client_last_name=lead.last_name if lead and lead.first_name else "",
            agent_name=agent.name,
            agent_contact=agent.data.phone or agent.email,
            agency_name=agency.name,
            trip=booking.title,
            supplier=part.supplier_name,
            begins=day(part.begins_on),
            deposit=deposit,
            deposit_due=day(deposit_due),
            final=final,
            final_due=day(final_due),
            balance=Money(minor=max(0, whole - paid), currency=booking.currency),
        )

    def _paid(self, booking: BookingDetail, segment_id: str) -> int:
        """What came in or was authorized on a segment, as the notifier counts it."""
        return sum(
            payment.amount.minor
            for payment in self._payments.counted_by_segment(booking.id).get(segment_id, [])
            if payment.state in PENDING | {PaymentState.PROCESSED}
            and payment.type is not PaymentType.SERVICE_FEE
            and payment.amount.currency == booking.currency
        )

    def _publish(self, session: Session, actor: Actor, rule: SavedRule, *, withdrawn: bool = False) -> None:
        agency = agency_snapshot(self._directory.load_agency(session, actor.agency_id))
        told = rule_saved(rule, agent_id=actor.agent_id, agency=agency, withdrawn=withdrawn)
        self._outbox.add(session, told, aggregate_id=rule.id, agency_id=actor.agency_id)

    def _today(self, actor: Actor) -> date:
        return self._clock.now().astimezone(ZoneInfo(actor.time_zone)).date()


def _may_set(actor: Actor, scope: Scope) -> None:
    if scope is Scope.AGENCY and not actor.is_admin:
        raise PermissionDenied("Only an admin of your agency can change its reminders. You can make your own.")


def _owner(actor: Actor, scope: Scope) -> str:
    return actor.agency_id if scope is Scope.AGENCY else actor.agent_id


def _rule_row(session: Session, owner: str, kind: ReminderKind) -> ReminderRuleRow | None:
    query = select(ReminderRuleRow).where(ReminderRuleRow.owner == owner, ReminderRuleRow.kind == kind.value)
    return session.scalar(query.with_for_update())


def _saved(row: ReminderRuleRow) -> SavedRule:
    data = RuleData(
        kind=ReminderKind(row.kind),
        days_before=row.days_before,
        active=row.active,
        subject=row.subject,
        body=row.body,
        anchor=Anchor(row.anchor),
    )
    scope = Scope.AGENCY if row.owner == row.agency_id else Scope.OWN
    return SavedRule(id=row.id, scope=scope, data=data, version=row.version, updated_at=row.updated_at)


def _off(session: Session, booking_id: str) -> set[str]:
    """The segments whose reminders are off; the empty id stands for the whole booking."""
    query = select(ReminderSwitchRow.segment_id).where(ReminderSwitchRow.booking_id == booking_id)
    return set(remembered(session, ("reminders off", booking_id), lambda: session.scalars(query).all()))


def _off_and_log(session: Session, booking_id: str) -> tuple[set[str], dict[tuple[str, str, date], Entry]]:
    """As _off, and in the same query what became of the booking's reminders, by segment, kind and day."""
    here = select(literal(booking_id).label("booking_id")).subquery()
    query = (
        select(ReminderSwitchRow.segment_id, ReminderLogRow)
        .select_from(here)
        .outerjoin(ReminderSwitchRow, ReminderSwitchRow.booking_id == here.c.booking_id)
        .outerjoin(ReminderLogRow, ReminderLogRow.booking_id == here.c.booking_id)
    )
    # Each beside each: a booking has few of both, and mostly none.
    found: list[tuple[str | None, ReminderLogRow | None]] = [(off, row) for off, row in session.execute(query)]
    switched_off = {segment_id for segment_id, _ in found if segment_id is not None}
    off = remembered(session, ("reminders off", booking_id), lambda: switched_off)
    log = {(row.segment_id, row.kind, row.due_on): entry_of(row) for _, row in found if row is not None}
    return set(off), log


def _planned(
    due: Due,
    offers: Mapping[ReminderKind, Offer],
    off: set[str],
    log: Mapping[tuple[str, str, date], Entry],
) -> Planned:
    assert due.due_on is not None
    kind = KIND_OF[due.kind]
    rule = offers[kind].active
    return Planned(
        due=due,
        kind=kind,
        leaves_on=leaves(rule, due.due_on, due.segment.data.begins_on) if rule else None,
        off="" in off or due.segment.id in off,
        entry=log.get((due.segment.id, kind.value, due.due_on)),
    )
