"""The demo's money: reminders that are on, what they sent in the last weeks, commissions that came in."""

import random
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.ids import new_id
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.models import CommissionReceiptRow, ReminderLogRow
from services.crm.parts import Dependencies
from services.crm.paying.payments.service import Method, PaymentType
from services.crm.paying.recording.service import Recorded
from services.crm.paying.reminders.rules import DEFAULTS, KIND_OF, Outcome, Scope, leaves_on
from services.crm.paying.reminders.service import RuleData
from services.crm.trips.bookings.service import BookingDetail, BookingFilter, BookingStatus, Due, DueKind

_SEED = 20261122
_LOG_DAYS = 60
# Of the commissions of traveled trips: whole, a part, none yet.
_CAME = ("whole", "whole", "whole", "part", "none")


def add_rules(deps: Dependencies, admin: Actor) -> None:
    """Both reminders of the agency, switched on with the house's texts."""
    for offer in deps.paying.reminders.offers(admin):
        if offer.agency is None:
            start = DEFAULTS[offer.kind]
            rule = RuleData(
                kind=start.kind, days_before=start.days_before, active=True, subject=start.subject, body=start.body
            )
            deps.paying.reminders.save(admin, Scope.AGENCY, rule, version=0)


def add_money(deps: Dependencies, actor: Actor) -> None:
    """An agent's sent reminders and commissions, unless they are there."""
    chance = random.Random(_SEED + sum(actor.email.encode()))
    trips = [each for each in deps.trips.bookings.export(actor, BookingFilter()) if actor.owns(each.agent_id)]
    trips.sort(key=lambda each: (each.created_at, each.title, each.id))
    with deps.core.database.transaction() as session:
        if not _has(session, actor):
            _add_log(deps, session, trips, chance)
            _add_receipts(deps, session, actor, trips, chance)


def add_recorded(deps: Dependencies, actor: Actor) -> None:
    """Of one trip's next due amount: paid by cheque and recorded. Done again, it is recorded once."""
    bookings = deps.trips.bookings
    for booking in bookings.export(actor, BookingFilter(status=BookingStatus.BOOKED)):
        due = next((due for part in booking.segments for due in part.dues if due.kind is DueKind.REGULAR), None)
        if due is None or booking.lead is None or not actor.owns(booking.agent_id):
            continue
        cheque = Recorded(
            request_key=f"demo-cheque-{booking.id}"[:60],
            client_id=booking.lead.client_id,
            segment_id=due.segment.id,
            type=PaymentType.DEPOSIT,
            method=Method.CHEQUE,
            amount=Money(minor=due.segment.dues[0].amount.minor, currency=booking.currency),
            paid_on=deps.core.clock.now().date() - timedelta(days=2),
            reference="No. 20418",
            note="Came by post.",
        )
        deps.paying.recording.record(actor, booking.id, cheque, ip="127.0.0.1")
        return


def _has(session: Session, actor: Actor) -> bool:
    query = select(CommissionReceiptRow.id).where(CommissionReceiptRow.noted_by == actor.agent_id)
    return session.scalars(query.limit(1)).first() is not None


def _add_log(deps: Dependencies, session: Session, trips: list[BookingDetail], chance: random.Random) -> None:
    """What the notifier would have told of the dates of the last weeks."""
    now = deps.core.clock.now()
    for trip in trips:
        if trip.status is not BookingStatus.BOOKED or trip.lead is None or not trip.lead.email:
            continue
        for due in (due for part in trip.segments for due in part.dues):
            at = _left_at(due)
            if at is not None and now - timedelta(days=_LOG_DAYS) < at < now - timedelta(days=3):
                session.add(_entry(trip, due, at, chance))


def _left_at(due: Due) -> datetime | None:
    if due.due_on is None:
        return None
    day = leaves_on(due.due_on, DEFAULTS[KIND_OF[due.kind]].days_before)
    return datetime.combine(day, time(9, 0, 12), ZoneInfo("America/New_York"))


def _entry(trip: BookingDetail, due: Due, at: datetime, chance: random.Random) -> ReminderLogRow:
    assert due.due_on is not None
    assert trip.lead is not None
    local, _, domain = trip.lead.email.rpartition("@")
    outcome = chance.choice((Outcome.SENT, Outcome.SENT, Outcome.SKIPPED_PAID))
    words = "Your deposit for" if due.kind == "deposit" else "Final payment for"
    return ReminderLogRow(
        id=new_id("reminder"),
        agency_id=trip.agency_id,
        agent_id=trip.agent_id,
        booking_id=trip.id,
        segment_id=due.segment.id,
        kind=KIND_OF[due.kind].value,
        due_on=due.due_on,
        booking_title=trip.title,
        supplier_name=due.segment.data.supplier_name,
        outcome=outcome.value,
        recipient_name=trip.lead.name,
        address_hint=f"{local[:1]}***@{domain}",
        subject=f"{words} {due.segment.data.supplier_name} is due",
        reason="",
        at=at,
    )


def _add_receipts(
    deps: Dependencies, session: Session, actor: Actor, trips: list[BookingDetail], chance: random.Random
) -> None:
    """Suppliers pay some weeks after the trip: most have, some in part, some not yet."""
    today = deps.core.clock.now().date()
    for trip in trips:
        if trip.status is not BookingStatus.TRAVELED:
            continue
        for segment in trip.segments:
            data, came = segment.data, chance.choice(_CAME)
            ended, weeks = data.ends_on or data.begins_on, timedelta(days=chance.randint(14, 60))
            if data.commission is None or ended is None or came == "none" or ended + weeks > today:
                continue
            minor = data.commission.minor if came == "whole" else data.commission.minor * 2 // 5
            session.add(
                CommissionReceiptRow(
                    id=new_id("receipt"),
                    agency_id=trip.agency_id,
                    booking_id=trip.id,
                    segment_id=segment.id,
                    amount_minor=max(1, minor),
                    received_on=ended + weeks,
                    reference=f"Transfer {chance.randint(10_000, 99_999)}",
                    noted_by=actor.agent_id,
                    noted_at=deps.core.clock.now(),
                )
            )
