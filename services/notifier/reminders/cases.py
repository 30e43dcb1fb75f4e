"""A reminder with all that is known around it: booking, client, agent, agency, and what was paid."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from chassis.money import Money
from chassis.reminder_words import Anchor, ReminderKind, Words
from chassis.typed.days import day_from
from chassis.typed.names import called
from protos.wayvault.events.v1 import events_pb2
from services.notifier.deliveries.formats import day
from services.notifier.reminders.dues import DueAmount, due_of, dues_of
from services.notifier.reminders.models import (
    ReminderAgencyRow,
    ReminderAgentRow,
    ReminderBookingRow,
    ReminderClientRow,
    ReminderPaymentRow,
    ReminderRow,
    ReminderRuleRow,
)
from services.notifier.reminders.rules import COUNTS, Facts, Owed, Paid, balance_due, zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A reminder with all that is known about it."""

    row: ReminderRow
    booking: ReminderBookingRow
    segment: events_pb2.Segment
    agency: events_pb2.Agency
    agent: events_pb2.Agent
    client: ReminderClientRow | None
    paid: Paid

    @property
    def due(self) -> DueAmount | None:
        return due_of(self.segment, ReminderKind(self.row.kind), self.row.due_on, self.paid.total)

    @property
    def owed(self) -> Owed:
        part, due = self.segment, self.due
        return Owed(
            price=part.price.minor if part.HasField("price") else None,
            amount=due.minor if due else 0,
            until_then=due.until_then if due else 0,
            scheduled=sum(each.minor for each in dues_of(part)),
        )

    def facts(self, rule: ReminderRuleRow | None) -> Facts:
        from_travel = rule is not None and rule.anchor == Anchor.TRAVEL
        return Facts(
            kind=ReminderKind(self.row.kind),
            counted_from=self.row.travel_on if from_travel else self.row.due_on,
            days_before=rule.days_before if rule else 0,
            by_hand=self.row.by_hand,
            zone=zone_of(self.agency.time_zone),
            owed=self.owed,
            paid=self.paid,
            cancelled=self.booking.status == "cancelled",
            has_address=self.client is not None and bool(self.client.email),
        )


def case_of(session: Session, row: ReminderRow) -> Case:
    booking = session.get_one(ReminderBookingRow, row.booking_id)
    agent = session.get(ReminderAgentRow, booking.agent_id)
    return Case(
        row=row,
        booking=booking,
        segment=events_pb2.Segment.FromString(row.segment),
        agency=agency_of(session, row.agency_id),
        agent=events_pb2.Agent.FromString(agent.snapshot) if agent else events_pb2.Agent(),
        client=session.get(ReminderClientRow, booking.lead_client_id) if booking.lead_client_id else None,
        paid=_paid(session, row.segment_id, booking.currency),
    )


def row_for(
    session: Session, message: events_pb2.ReminderTestRequested | events_pb2.ReminderSendNowRequested
) -> ReminderRow | None:
    """The reminder of the date that is named; from a CRM of before, which names none, any of the segment's."""
    query = select(ReminderRow).where(
        ReminderRow.booking_id == message.booking_id, ReminderRow.segment_id == message.segment_id
    )
    if message.kind and (day_meant := day_from(message.due_on)):
        query = query.where(ReminderRow.kind == message.kind, ReminderRow.due_on == day_meant)
    return session.scalars(query.order_by(ReminderRow.due_on, ReminderRow.id)).first()


def agency_of(session: Session, agency_id: str) -> events_pb2.Agency:
    row = session.get(ReminderAgencyRow, agency_id)
    return events_pb2.Agency.FromString(row.snapshot) if row else events_pb2.Agency(id=agency_id)


def _paid(session: Session, segment_id: str, currency: str) -> Paid:
    payment = ReminderPaymentRow
    rows = session.execute(
        select(payment.type, func.sum(payment.amount_minor))
        .where(
            and_(payment.segment_id == segment_id, payment.currency == currency),
            payment.standing.in_([each.value for each in COUNTS]),
        )
        .group_by(payment.type)
    ).all()
    by_type: Mapping[int, int] = {kind: int(amount) for kind, amount in rows}
    final = by_type.get(int(events_pb2.PaymentType.PAYMENT_TYPE_FINAL), 0)
    return Paid(total=sum(by_type.values()), final=final)


def words_of(case: Case) -> Words:
    part, currency, person, due = case.segment, case.booking.currency, case.client, case.due
    dues = dues_of(part)
    deposit = (
        due
        if due and due.kind is ReminderKind.PAYMENT_DUE
        else next((d for d in dues if d.kind is ReminderKind.PAYMENT_DUE), None)
    )
    final = (
        due
        if due and due.kind is ReminderKind.FINAL_PAYMENT
        else next((d for d in dues if d.kind is ReminderKind.FINAL_PAYMENT), None)
    )
    return Words(
        client_first_name=called(person.first_name, person.last_name) if person else "",
        client_last_name=person.last_name if person and person.first_name else "",
        agent_name=case.agent.name,
        agent_contact=case.agent.phone or case.agent.email,
        agency_name=case.agency.name,
        trip=case.booking.title,
        supplier=part.supplier_name,
        begins=day(part.begins_on),
        deposit=Money(minor=deposit.minor, currency=currency) if deposit else None,
        deposit_due=day(deposit.due_on.isoformat()) if deposit and deposit.due_on else "",
        final=Money(minor=final.minor, currency=currency) if final else None,
        final_due=day(final.due_on.isoformat()) if final and final.due_on else "",
        balance=Money(minor=balance_due(case.owed, case.paid), currency=currency),
    )
