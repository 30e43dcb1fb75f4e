"""The room's events, made of its values."""

from collections.abc import Collection

from protos.wayvault.events.v1 import events_pb2
from services.crm.paying.reminders.rules import KIND_OF, RuleData, SavedRule, Scope
from services.crm.trips.bookings.rules import Due


def rule_saved(
    rule: SavedRule, *, agent_id: str, agency: events_pb2.Agency, withdrawn: bool = False
) -> events_pb2.ReminderRuleSaved:
    """A rule's newest form; `withdrawn` where an agent gave their own up."""
    return events_pb2.ReminderRuleSaved(
        rule_id=rule.id,
        kind=rule.data.kind.value,
        days_before=rule.data.days_before,
        active=rule.data.active,
        subject=rule.data.subject,
        body=rule.data.body,
        anchor=rule.data.anchor.value,
        agent_id=agent_id if rule.scope is Scope.OWN else "",
        agency=agency,
        withdrawn=withdrawn,
    )


def switched(booking_id: str, off: Collection[str]) -> events_pb2.BookingRemindersSwitched:
    """All that is off for a booking; the empty id stands for the whole of it."""
    return events_pb2.BookingRemindersSwitched(
        booking_id=booking_id, off="" in off, off_segment_ids=sorted(each for each in off if each)
    )


def test_requested(
    data: RuleData,
    *,
    rule_id: str,
    booking_id: str,
    due: Due,
    agent: events_pb2.Agent,
    agency: events_pb2.Agency,
) -> events_pb2.ReminderTestRequested:
    """The text as it stands in the form, to the agent themselves."""
    return events_pb2.ReminderTestRequested(
        rule_id=rule_id,
        subject=data.subject,
        body=data.body,
        booking_id=booking_id,
        segment_id=due.segment.id,
        agent=agent,
        agency=agency,
        kind=KIND_OF[due.kind].value,
        due_on=due.due_on.isoformat() if due.due_on else "",
    )


def send_now(data: RuleData, *, rule_id: str, booking_id: str, due: Due) -> events_pb2.ReminderSendNowRequested:
    """The text that is in force, to the client, at once."""
    return events_pb2.ReminderSendNowRequested(
        booking_id=booking_id,
        segment_id=due.segment.id,
        kind=KIND_OF[due.kind].value,
        due_on=due.due_on.isoformat() if due.due_on else "",
        rule_id=rule_id,
        subject=data.subject,
        body=data.body,
    )
