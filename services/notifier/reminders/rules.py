"""When a reminder is due, whether it is sent, and what becomes of it. Pure.

Nothing is kept as a date of sending: whether a reminder is ripe follows from its due date, its rule and the agency's
clock each time one looks. A changed rule, due date or time zone thereby needs no rescheduling, and a restart no memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.reminder_words import ReminderKind

# Reminders leave from this hour on, by the agency's clock.
CIVIL_HOUR: Final = time(9)
# After an interruption a reminder may leave so much later than planned, and never after its due date.
GRACE: Final = timedelta(hours=48)


# Which kind speaks of a due amount, by the words of events.proto, Instalment.kind.
KIND_OF: Final = {
    "deposit": ReminderKind.PAYMENT_DUE,
    "regular": ReminderKind.PAYMENT_DUE,
    "final": ReminderKind.FINAL_PAYMENT,
}


class State(StrEnum):
    """planned → queued → sent | failed; planned → skipped_…; a queued one may still be skipped before it leaves."""

    PLANNED = "planned"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED_PAID = "skipped_paid"
    SKIPPED_CANCELLED = "skipped_cancelled"
    SKIPPED_LATE = "skipped_late"
    SKIPPED_NO_ADDRESS = "skipped_no_address"


SKIPPED: Final = frozenset({State.SKIPPED_PAID, State.SKIPPED_CANCELLED, State.SKIPPED_LATE, State.SKIPPED_NO_ADDRESS})
TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.PLANNED: SKIPPED | {State.QUEUED},
    State.QUEUED: SKIPPED | {State.SENT, State.FAILED},
    State.SENT: frozenset(),
    State.FAILED: frozenset(),
    **dict.fromkeys(SKIPPED, frozenset()),
    # The agent may send these themselves: no mail has left yet.
    State.SKIPPED_LATE: frozenset({State.QUEUED, State.SKIPPED_PAID, State.SKIPPED_CANCELLED}),
    State.SKIPPED_NO_ADDRESS: frozenset({State.QUEUED, State.SKIPPED_PAID, State.SKIPPED_CANCELLED}),
}
# What a "Send now" may still send.
SENDABLE: Final = frozenset({State.PLANNED, State.SKIPPED_LATE, State.SKIPPED_NO_ADDRESS})


def may(current: State, following: State) -> bool:
    """Whether the state machine has this step."""
    return following in TRANSITIONS[current]


class PaymentStatus(StrEnum):
    """What a payment means for what is still to be paid."""

    AUTHORIZED = "authorized"
    PROCESSED = "processed"
    VOIDED = "voided"
    LAPSED = "lapsed"
    REVERSED = "reversed"


# The client has done their part with an authorization; a void or a lapse takes it back.
COUNTS: Final = frozenset({PaymentStatus.AUTHORIZED, PaymentStatus.PROCESSED})


def status_after(known: PaymentStatus | None, heard: PaymentStatus) -> PaymentStatus:
    """What a payment is after another word on it. The portal's word (authorized) may come after the CRM's last one; a
    reversal takes back even what was processed."""
    if heard is PaymentStatus.REVERSED:
        return heard
    return heard if known in (None, PaymentStatus.AUTHORIZED) else known


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A segment's amounts in minor units, as far as they are known: its price, the amount that is reminded of, what
    must have come in by then, that amount included, and all due amounts together."""

    price: int | None = None
    amount: int = 0
    until_then: int = 0
    scheduled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What was authorized or processed on a segment, service fees left out: in all, and as final payments."""

    total: int = 0
    final: int = 0


def is_paid(kind: ReminderKind, owed: Owed, paid: Paid) -> bool:
    """Whether what the reminder asks for has come in: by all payments together, or by one of just that kind (the
    deposit may have been paid before Wayvault knew of the trip)."""
    if paid.total >= owed.until_then:
        return True
    return kind is ReminderKind.FINAL_PAYMENT and paid.final >= owed.amount


def balance_due(owed: Owed, paid: Paid) -> int:
    """What is left to pay on the segment, in minor units; by its price, or by its due amounts where it has none."""
    whole = owed.price if owed.price is not None else owed.scheduled
    return max(0, whole - paid.total)


def zone_of(name: str) -> ZoneInfo:
    """The agency's zone; UTC where its name is not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def send_moment(due_on: date, days_before: int, zone: ZoneInfo, hour: time = CIVIL_HOUR) -> datetime:
    """When the reminder leaves, in UTC: so many days before, at the civil hour.

    Where the clock skips that hour (spring) it leaves when the skipped time would have been, where it comes twice
    (autumn) at the first (PEP 495, fold=0).
    """
    return datetime.combine(due_on - timedelta(days=days_before), hour, zone).astimezone(UTC)


def ripe_until(now: datetime, days_before: int, zone: ZoneInfo, hour: time = CIVIL_HOUR) -> date:
    """The latest due date whose reminder may leave by now; every earlier one may too."""
    # Two days ahead is beyond reach for any zone's clock, also where one skipped a whole day.
    candidate = now.astimezone(zone).date() + timedelta(days=days_before + 2)
    while send_moment(candidate, days_before, zone, hour) > now:
        candidate -= timedelta(days=1)
    return candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the decision on a ripe reminder looks at."""

    kind: ReminderKind
    # The day that is counted from; None where the trip has no first day.
    counted_from: date | None
    days_before: int
    # The agent sends it themselves: it is never too late.
    by_hand: bool
    zone: ZoneInfo
    owed: Owed
    paid: Paid
    cancelled: bool
    has_address: bool


def decide(facts: Facts, now: datetime) -> State:
    """What becomes of a ripe reminder: QUEUED, or why it is not sent."""
    if facts.cancelled:
        return State.SKIPPED_CANCELLED
    if is_paid(facts.kind, facts.owed, facts.paid):
        return State.SKIPPED_PAID
    if not facts.by_hand and _is_late(facts, now):
        return State.SKIPPED_LATE
    return State.QUEUED if facts.has_address else State.SKIPPED_NO_ADDRESS


def _is_late(facts: Facts, now: datetime) -> bool:
    day = facts.counted_from
    if day is None:
        return True
    return now.astimezone(facts.zone).date() > day or now > send_moment(day, facts.days_before, facts.zone) + GRACE
