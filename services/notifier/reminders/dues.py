"""What a segment has to be paid by when, as its newest event tells it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from chassis.reminder_words import ReminderKind
from chassis.typed.days import day_from
from protos.wayvault.events.v1 import events_pb2
from services.notifier.reminders.rules import KIND_OF


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAmount:
    """An amount in minor units with its day, and how much must have come in by then, this amount included. `parts`:
    the amounts that it is made of, where several are due on one day."""

    id: str
    kind: ReminderKind
    minor: int
    due_on: date | None
    until_then: int
    parts: tuple[int, ...] = ()


def dues_of(segment: events_pb2.Segment) -> Sequence[DueAmount]:
    """In their order; nothing of a cancelled segment. From a CRM of before: its deposit and its final payment."""
    if segment.cancelled:
        return ()
    told = [(each.id, each.kind, each.amount.minor, each.due_on) for each in segment.instalments] or [
        (f"{segment.id}-deposit", "deposit", segment.deposit.minor, segment.deposit_due_on),
        (f"{segment.id}-final", "final", segment.final.minor, segment.final_due_on),
    ]
    found, until_then = [], 0
    for due_id, kind, minor, day in told:
        if minor <= 0:
            continue
        until_then += minor
        found.append(
            DueAmount(
                id=due_id,
                kind=KIND_OF.get(kind, ReminderKind.PAYMENT_DUE),
                minor=minor,
                due_on=day_from(day),
                until_then=until_then,
            )
        )
    return found


def due_of(segment: events_pb2.Segment, kind: ReminderKind, due_on: date, paid: int = 0) -> DueAmount | None:
    """What a reminder speaks of: all that is due of its kind on its day, as one amount; what `paid` covers of it is
    left out, unless it covers everything."""
    dues = [due for due in dues_of(segment) if due.kind is kind]
    same = [due for due in dues if due.due_on == due_on]
    if not same:
        return next(iter(dues), None)
    still = [due for due in same if due.until_then > paid] or same
    return replace(
        still[0],
        minor=sum(due.minor for due in still),
        until_then=still[-1].until_then,
        parts=tuple(due.minor for due in still) if len(still) > 1 else (),
    )
