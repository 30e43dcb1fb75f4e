"""Sends the reminders that are ripe: each is taken by a conditional update, once, by whichever worker comes first.

Taking a reminder and queueing its mail is one transaction, and so is the mail's end and what is told of it. A process
that dies in between leaves either a planned reminder or a queued mail, never both and never neither.
"""

from typing import Final

import structlog
from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.money import Money
from chassis.reminder_words import Anchor, ReminderKind, tag_values
from chassis.tags import fill
from protos.wayvault.events.v1 import events_pb2
from services.notifier.deliveries.formats import agency_data, day, days
from services.notifier.deliveries.rules import DeliveryState, mask_address
from services.notifier.deliveries.service import Deliveries, NewDelivery
from services.notifier.reminders.cases import Case, agency_of, case_of, row_for, words_of
from services.notifier.reminders.dues import DueAmount
from services.notifier.reminders.models import (
    ReminderBookingRow,
    ReminderGuestRow,
    ReminderRow,
    ReminderRuleRow,
    ReminderSwitchRow,
)
from services.notifier.reminders.rules import (
    SENDABLE,
    State,
    decide,
    may,
    ripe_until,
    zone_of,
)
from services.notifier.templates.rules import Mail

_BATCH: Final = 200
_SOURCE: Final = "reminder:"
log = structlog.get_logger(__name__)


class UnknownBooking(Exception):
    """A test asks for a booking that was not told yet. Tried again, and then a dead letter for the operator."""


class Schedule:
    """The reminders' use cases."""

    def __init__(
        self, *, database: Database, deliveries: Deliveries, outbox: Outbox, clock: Clock, portal_url: str
    ) -> None:
        self._database = database
        self._deliveries = deliveries
        self._outbox = outbox
        self._clock = clock
        self._portal_url = portal_url

    def run_due(self) -> int:
        """Settles every reminder that is ripe; returns how many. Safe to run in several workers at once."""
        settled = 0
        with self._database.read() as session:
            rules = list(session.scalars(select(ReminderRuleRow.id).where(ReminderRuleRow.active_since.is_not(None))))
        for rule_id in rules:
            while ripe := self._ripe(rule_id):
                done = sum(self._try(rule_id, reminder_id) for reminder_id in ripe)
                settled += done
                if done == 0:
                    break  # another worker is at the same ones
        return settled

    def _ripe(self, rule_id: str) -> list[str]:
        with self._database.read() as session:
            query = self._candidates(session, rule_id)
            if query is None:
                return []
            return list(session.scalars(query.order_by(ReminderRow.due_on, ReminderRow.id).limit(_BATCH)))

    def _candidates(self, session: Session, rule_id: str) -> Select[str] | None:
        """A query of the reminders that this rule may settle now; None when it is not in force."""
        rule = session.get(ReminderRuleRow, rule_id)
        if rule is None or rule.active_since is None:
            return None
        zone = zone_of(agency_of(session, rule.agency_id).time_zone)
        first = rule.active_since.astimezone(zone).date()
        last = ripe_until(self._clock.now(), rule.days_before, zone)
        own = select(ReminderRuleRow.agent_id).where(
            ReminderRuleRow.agency_id == rule.agency_id,
            ReminderRuleRow.kind == rule.kind,
            ReminderRuleRow.agent_id != "",
            ReminderRuleRow.withdrawn.is_(False),
        )
        booking, off = ReminderBookingRow, ReminderSwitchRow
        day = ReminderRow.travel_on if rule.anchor == Anchor.TRAVEL else ReminderRow.due_on
        whose = booking.agent_id == rule.agent_id if rule.agent_id else booking.agent_id.not_in(own)
        switched_off = (
            select(off.booking_id)
            .where(
                off.booking_id == ReminderRow.booking_id,
                or_(off.segment_id == "", off.segment_id == ReminderRow.segment_id),
            )
            .exists()
        )
        return (
            select(ReminderRow.id)
            .join(booking, booking.id == ReminderRow.booking_id)
            .where(
                ReminderRow.agency_id == rule.agency_id,
                ReminderRow.kind == rule.kind,
                ReminderRow.state == State.PLANNED.value,
                day.between(first, last),
                booking.status.in_(("booked", "cancelled")),
                whose,
                ~switched_off,
            )
        )

    def _try(self, rule_id: str, reminder_id: str) -> bool:
        """One that can't be settled must not hold up the others; it is tried again next time."""
        try:
            return self._settle(rule_id, reminder_id)
        except Exception:
            log.exception("reminder.failed", reminder_id=reminder_id)
            return False

    def _settle(self, rule_id: str, reminder_id: str) -> bool:
        """Decides on one ripe reminder; False when another worker had it, or when it is not ripe any more."""
        with self._database.transaction() as session:
            query = self._candidates(session, rule_id)
            if query is None or session.scalar(query.where(ReminderRow.id == reminder_id)) is None:
                return False
            rule = session.get_one(ReminderRuleRow, rule_id)
            case = case_of(session, session.get_one(ReminderRow, reminder_id))
            outcome = decide(case.facts(rule), self._clock.now())
            if not self._move(session, case, State.PLANNED, outcome, rule=rule):
                return False
            if outcome is State.QUEUED:
                self._queue(session, case, rule)
            else:
                self._tell(session, case.row)
        log.info("reminder.settled", reminder_id=reminder_id, state=outcome.value)
        return True

    def wanted(self, session: Session, source_key: str) -> bool:
        """Whether a queued reminder is still to leave. Mail may have waited for hours: meanwhile it may be paid."""
        row = session.get(ReminderRow, source_key.removeprefix(_SOURCE), with_for_update=True)
        if row is None or row.state != State.QUEUED.value:
            return False
        if row.dropped:
            session.delete(row)  # the date was moved: the new one has a reminder of its own
            return False
        case, rule = case_of(session, row), session.get(ReminderRuleRow, row.rule_id)
        outcome = decide(case.facts(rule), self._clock.now())
        if outcome is State.QUEUED:
            return True
        self._move(session, case, State.QUEUED, outcome)
        self._tell(session, row)
        return False

    def finished(self, session: Session, source_key: str, state: DeliveryState, reason: str) -> None:
        """The mail was taken by the mail server, or will never be."""
        row = session.get(ReminderRow, source_key.removeprefix(_SOURCE), with_for_update=True)
        if row is None or row.state != State.QUEUED.value:
            return
        row.state = (State.SENT if state is DeliveryState.SENT else State.FAILED).value
        row.settled_at = self._clock.now()
        self._tell(session, row, reason=reason)

    def send_test(self, session: Session, message: events_pb2.ReminderTestRequested, event_id: str) -> None:
        """The text as this booking's client would get it, to the agent themselves."""
        row = row_for(session, message)
        if row is None:
            raise UnknownBooking(message.booking_id)
        case = case_of(session, row)
        values = tag_values(words_of(case))
        data = self._mail_data(session, case) | {
            "subject": fill(message.subject, values),
            "body": fill(message.body, values),
            "recipient": case.client.email if case.client else "",
        }
        self._deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{event_id}:{Mail.REMINDER_TEST}",
                template=Mail.REMINDER_TEST,
                agency_id=case.row.agency_id,
                address=message.agent.email,
                data=data,
                agent_id=message.agent.id,
            ),
        )

    def send_now(self, session: Session, message: events_pb2.ReminderSendNowRequested) -> None:
        """The agent has a reminder sent at once, also where it was too late for its rule or had no address; never one
        that is paid, and never one that has left. Asked again, nothing more is sent."""
        row = row_for(session, message)
        if row is None:
            raise UnknownBooking(message.booking_id)
        if State(row.state) not in SENDABLE:
            return
        row.by_hand = True
        session.flush()
        case = case_of(session, row)
        outcome = decide(case.facts(None), self._clock.now())
        rule = ReminderRuleRow(id=message.rule_id, subject=message.subject, body=message.body)
        if outcome is State(row.state) or not self._move(session, case, State(row.state), outcome, rule=rule):
            return
        if outcome is State.QUEUED:
            self._queue(session, case, rule)
        else:
            self._tell(session, case.row)

    def _move(
        self,
        session: Session,
        case: Case,
        current: State,
        following: State,
        *,
        rule: ReminderRuleRow | None = None,
    ) -> bool:
        assert may(current, following)
        person = case.client
        values: dict[str, object] = {"state": following.value, "settled_at": self._clock.now()}
        if rule is not None:
            values |= {
                "rule_id": rule.id,
                "subject": fill(rule.subject, tag_values(words_of(case)))[:300],
                "recipient_name": f"{person.first_name} {person.last_name}".strip()[:200] if person else "",
                "address_hint": mask_address(person.email) if person and person.email else "",
            }
        taken = session.execute(
            update(ReminderRow)
            .where(ReminderRow.id == case.row.id, ReminderRow.state == current.value)
            .values(**values)
            .execution_options(synchronize_session=False)
            .returning(ReminderRow.id)
        ).first()
        session.refresh(case.row)
        return taken is not None

    def _queue(self, session: Session, case: Case, rule: ReminderRuleRow) -> None:
        assert case.client is not None
        body = fill(rule.body, tag_values(words_of(case)))
        self._deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{_SOURCE}{case.row.id}",
                template=Mail.REMINDER,
                agency_id=case.row.agency_id,
                address=case.client.email,
                data=self._mail_data(session, case) | {"subject": case.row.subject, "body": body},
                agent_id=case.booking.agent_id,
            ),
        )

    def _mail_data(self, session: Session, case: Case) -> dict[str, str]:
        part, is_final, due = case.segment, case.row.kind == ReminderKind.FINAL_PAYMENT, case.due
        guest = case.client is not None and session.get(ReminderGuestRow, case.client.client_id) is not None
        return agency_data(case.agency) | {
            "amount": _amount_words(due, case.booking.currency),
            "purpose": "Final payment" if is_final else "Payment due",
            "supplier": part.supplier_name,
            "trip": case.booking.title,
            "dates": days(part.begins_on, part.ends_on),
            # Of the same amount as the text speaks of, however its day was moved since.
            "due": day(((due.due_on if due else None) or case.row.due_on).isoformat()),
            "agent_name": case.agent.name,
            "agent_email": case.agent.email,
            # To the very payment that is due.
            "url": f"{self._portal_url}/trips/{case.booking.id}/pay/{part.id}?due={due.id}" if guest and due else "",
        }

    def _tell(self, session: Session, row: ReminderRow, reason: str = "") -> None:
        told = events_pb2.ReminderSettled(
            reminder_id=row.id,
            rule_id=row.rule_id,
            booking_id=row.booking_id,
            segment_id=row.segment_id,
            outcome=row.state,
            address_hint=row.address_hint,
            subject=row.subject,
            kind=row.kind,
            due_on=row.due_on.isoformat(),
            recipient_name=row.recipient_name,
            reason=reason,
        )
        told.at.FromDatetime(self._clock.now())
        self._outbox.add(session, told, aggregate_id=row.id, agency_id=row.agency_id)


def _amount_words(due: DueAmount | None, currency: str) -> str:
    """ "US$ 500.00", or of several that are due on one day each: "US$ 500.00 (US$ 200.00 + US$ 300.00)"."""
    whole, parts = due.minor if due else 0, due.parts if due else ()
    each = " + ".join(Money(minor=part, currency=currency).format() for part in parts)
    return Money(minor=whole, currency=currency).format() + (f" ({each})" if each else "")
