"""What the reminders room keeps of the events it hears. Each call is inside the inbox's transaction.

Every fact carries when it was true (`at`), so that an older one never overwrites a newer one, whichever comes first.
"""

from datetime import date, datetime

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from chassis.db import insert_if_absent
from chassis.ids import new_id
from chassis.reminder_words import Anchor, ReminderKind
from chassis.typed.days import day_from
from protos.wayvault.events.v1 import events_pb2
from services.notifier.merges.service import current_client_id
from services.notifier.orm import Base
from services.notifier.reminders.dues import dues_of
from services.notifier.reminders.models import (
    ReminderAgencyRow,
    ReminderAgentRow,
    ReminderBookingRow,
    ReminderClientRow,
    ReminderGuestRow,
    ReminderPaymentRow,
    ReminderRow,
    ReminderRuleRow,
    ReminderSwitchRow,
)
from services.notifier.reminders.rules import PaymentStatus, State, status_after


def learn_agency(session: Session, agency: events_pb2.Agency, at: datetime) -> None:
    if agency.id:
        _learn_snapshot(session, ReminderAgencyRow, agency.id, agency.SerializeToString(), at)


def learn_agent(session: Session, agent: events_pb2.Agent, at: datetime) -> None:
    if agent.id:
        _learn_snapshot(session, ReminderAgentRow, agent.id, agent.SerializeToString(), at)


def learn_client(session: Session, client: events_pb2.Client, at: datetime) -> None:
    """A client's name and address. What is told of a profile that was merged meanwhile is told of the kept one
    by its own events."""
    if not client.id or current_client_id(session, client.id) != client.id:
        return
    known = {"first_name": client.first_name[:200], "last_name": client.last_name[:200], "email": client.email[:320]}
    if insert_if_absent(session, _table(ReminderClientRow), {"client_id": client.id, "known_at": at, **known}):
        return
    session.execute(
        update(ReminderClientRow)
        .where(ReminderClientRow.client_id == client.id, ReminderClientRow.known_at <= at)
        .values(known_at=at, **known)
    )


def forget_client(session: Session, client_id: str) -> None:
    """Drops what is known of somebody who is no longer a client."""
    session.execute(delete(ReminderClientRow).where(ReminderClientRow.client_id == client_id))


def welcome(session: Session, client_id: str) -> None:
    """The client signs in to the portal from now on."""
    insert_if_absent(session, _table(ReminderGuestRow), {"client_id": current_client_id(session, client_id)})


def take_leave(session: Session, client_id: str) -> None:
    """Their way into the portal was taken back."""
    current = current_client_id(session, client_id)
    session.execute(delete(ReminderGuestRow).where(ReminderGuestRow.client_id == current))


def learn_rule(session: Session, message: events_pb2.ReminderRuleSaved, agency_id: str, at: datetime) -> None:
    row = session.get(ReminderRuleRow, message.rule_id, with_for_update=True)
    if row is None:
        row = ReminderRuleRow(id=message.rule_id, active_since=None)
        session.add(row)
    elif row.known_at > at:
        return
    runs = message.active and not message.withdrawn
    row.active_since = (row.active_since or at) if runs else None
    row.agency_id, row.agent_id, row.kind = agency_id, message.agent_id, ReminderKind(message.kind).value
    row.days_before, row.active, row.withdrawn = message.days_before, message.active, message.withdrawn
    row.subject, row.body, row.known_at = message.subject[:200], message.body, at
    row.anchor = (Anchor.TRAVEL if message.anchor == Anchor.TRAVEL else Anchor.DUE).value


def learn_switches(session: Session, message: events_pb2.BookingRemindersSwitched) -> None:
    """The message has the whole of what is off; what it does not name is on."""
    session.execute(delete(ReminderSwitchRow).where(ReminderSwitchRow.booking_id == message.booking_id))
    for segment_id in ([""] if message.off else []) + sorted(set(message.off_segment_ids)):
        session.add(ReminderSwitchRow(booking_id=message.booking_id, segment_id=segment_id))


def learn_payment(session: Session, context: events_pb2.PaymentContext, heard: PaymentStatus) -> None:
    """A payment that is not for a segment's price (a service fee) is none of a reminder's business."""
    if not context.segment.id or context.type == events_pb2.PaymentType.PAYMENT_TYPE_SERVICE_FEE:
        return
    values = {
        "id": context.payment_id,
        "segment_id": context.segment.id,
        "type": int(context.type),
        "amount_minor": context.amount.minor,
        "currency": context.amount.currency,
        "standing": heard.value,
    }
    if insert_if_absent(session, _table(ReminderPaymentRow), values):
        return
    row = session.get_one(ReminderPaymentRow, context.payment_id, with_for_update=True)
    row.standing = status_after(PaymentStatus(row.standing), heard).value


def learn_refund(session: Session, payment_id: str, left_minor: int) -> None:
    """How much of a payment still counts, after money of it was given back."""
    changed: dict[str, object] = {"amount_minor": left_minor}
    if left_minor:
        changed["standing"] = PaymentStatus.PROCESSED.value
    session.execute(update(ReminderPaymentRow).where(ReminderPaymentRow.id == payment_id).values(**changed))


def learn_booking(session: Session, message: events_pb2.BookingSaved, agency_id: str, at: datetime) -> None:
    """Plans what the trip's dates ask for now, and drops what no longer stands and has not left yet."""
    for person in message.passengers:
        learn_client(session, person, at)
    learn_agency(session, message.agency, at)
    learn_agent(session, message.agent, at)
    lead = current_client_id(session, message.lead_client_id) if message.lead_client_id else ""
    row = session.get(ReminderBookingRow, message.booking_id, with_for_update=True)
    if row is None:
        row = ReminderBookingRow(id=message.booking_id)
        session.add(row)
    elif row.known_at > at:
        return
    row.agency_id, row.agent_id, row.known_at = agency_id, message.agent_id, at
    row.title, row.status, row.currency = message.title[:200], message.status, message.currency
    row.lead_client_id = lead
    session.flush()
    _plan(session, message, agency_id)


def _plan(session: Session, message: events_pb2.BookingSaved, agency_id: str) -> None:
    wanted = {
        (segment.id, kind.value, due_on): segment.SerializeToString()
        for segment in message.segments
        for kind, due_on in _dates(segment)
    }
    unsettled = (State.PLANNED.value, State.QUEUED.value)
    planned = session.execute(
        select(ReminderRow.id, ReminderRow.segment_id, ReminderRow.kind, ReminderRow.due_on)
        .where(ReminderRow.booking_id == message.booking_id, ReminderRow.state.in_(unsettled))
        .order_by(ReminderRow.id)
    ).all()
    for row in planned:
        if (row.segment_id, row.kind, row.due_on) not in wanted:
            session.execute(
                delete(ReminderRow).where(ReminderRow.id == row.id, ReminderRow.state == State.PLANNED.value)
            )
            # Of one that is queued already the mail finds this when it is about to leave: see Schedule.wanted.
            session.execute(
                update(ReminderRow)
                .where(ReminderRow.id == row.id, ReminderRow.state == State.QUEUED.value)
                .values(dropped=True)
            )
    begins = {segment.id: _travel_day(segment) for segment in message.segments}
    for (segment_id, kind_name, due_on), snapshot in sorted(wanted.items()):
        values = {
            "id": new_id("reminder"),
            "booking_id": message.booking_id,
            "segment_id": segment_id,
            "agency_id": agency_id,
            "kind": kind_name,
            "due_on": due_on,
            "travel_on": begins[segment_id],
            "segment": snapshot,
            "state": State.PLANNED.value,
            "dropped": False,
            "by_hand": False,
            "rule_id": "",
            "subject": "",
            "recipient_name": "",
            "address_hint": "",
        }
        if not insert_if_absent(session, _table(ReminderRow), values):
            session.execute(
                update(ReminderRow)
                .where(
                    ReminderRow.segment_id == segment_id,
                    ReminderRow.kind == kind_name,
                    ReminderRow.due_on == due_on,
                    ReminderRow.state.in_(unsettled),
                )
                .values(segment=snapshot, travel_on=begins[segment_id], dropped=False)
            )


def _dates(segment: events_pb2.Segment) -> list[tuple[ReminderKind, date]]:
    """The dates on which an amount of the segment is due."""
    return [(due.kind, due.due_on) for due in dues_of(segment) if due.due_on is not None]


def _travel_day(segment: events_pb2.Segment) -> date | None:
    return day_from(segment.begins_on)


def _learn_snapshot(
    session: Session,
    kind: type[ReminderAgencyRow] | type[ReminderAgentRow],
    its_id: str,
    snapshot: bytes,
    at: datetime,
) -> None:
    if insert_if_absent(session, _table(kind), {"id": its_id, "snapshot": snapshot, "known_at": at}):
        return
    session.execute(update(kind).where(kind.id == its_id, kind.known_at <= at).values(snapshot=snapshot, known_at=at))


def _table(row_class: type[Base]) -> Table:
    table = row_class.__table__
    assert isinstance(table, Table)
    return table
