"""What becomes of a standing order from day to day. Pure: the worker asks `next_step` until there is nothing to do now.

What makes each day charged once: one day has one payment at a time, a payment is charged once (charging's own rule), a
failed charge is heard once before the next is asked for, and the order moves to its next day in the transaction that
reads that the payment was taken.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum, auto
from typing import Final
from zoneinfo import ZoneInfo

from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.standing_orders.plan import Plan, due_date, first_from, is_over


class OrderState(StrEnum):
    """Where a standing order stands."""

    # Waits for the client's signature.
    PROPOSED = "proposed"
    ACTIVE = "active"
    PAUSED = "paused"
    # The card is declined for good, or gone: waits until the client gives another by the link they were mailed.
    CARD_NEEDED = "card_needed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


STATE_WORDS: Final = {
    OrderState.PROPOSED: "Waits for signature",
    OrderState.ACTIVE: "Active",
    OrderState.PAUSED: "Paused",
    OrderState.CARD_NEEDED: "Card needed",
    OrderState.COMPLETED: "Completed",
    OrderState.CANCELLED: "Cancelled",
}


class OrderFact(StrEnum):
    """What can happen to it."""

    BEGUN = "begun"
    CARD_REFUSED = "card_refused"
    CARD_GIVEN = "card_given"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


S = OrderState
F = OrderFact

TRANSITIONS: Final[dict[tuple[OrderState, OrderFact], OrderState]] = {
    (S.PROPOSED, F.BEGUN): S.ACTIVE,
    (S.PROPOSED, F.CANCELLED): S.CANCELLED,
    (S.ACTIVE, F.CARD_REFUSED): S.CARD_NEEDED,
    (S.ACTIVE, F.PAUSED): S.PAUSED,
    (S.ACTIVE, F.CANCELLED): S.CANCELLED,
    (S.ACTIVE, F.COMPLETED): S.COMPLETED,
    (S.PAUSED, F.RESUMED): S.ACTIVE,
    (S.PAUSED, F.CANCELLED): S.CANCELLED,
    (S.CARD_NEEDED, F.CARD_GIVEN): S.ACTIVE,
    (S.CARD_NEEDED, F.CANCELLED): S.CANCELLED,
}
ENDED: Final = frozenset({S.COMPLETED, S.CANCELLED})

# How many days after a decline that may pass by itself the same card is tried again; after the last, it is given up.
RETRY_AFTER: Final = (1, 3, 5)
# How often in a row a charge that reached no bank is asked for again, and when.
MOST_FAULTS: Final = 12
FAULT_PAUSE: Final = timedelta(hours=1)
# While a charge is under way: the charging room finds out how it ended.
POLL_PAUSE: Final = timedelta(seconds=5)
# The agency's hour from which on something is charged and told on its day.
MORNING: Final = time(6, 0)


class End(StrEnum):
    """How the newest charge of the present payment stands, as far as the order has not heard of it yet."""

    # None was asked for, or the order has heard how it ended.
    NONE = auto()
    OPEN = auto()
    # Declined, but may pass by itself.
    PASSING = auto()
    # It reached no bank: the gateway or our own side was down.
    FAULT = auto()
    # This card is of no use any more.
    FINAL = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A standing order at one moment. `charge_on`: the day that the client was told, or signed; None before that.
    `payment`: the state of the payment for its present day, None before there is one. `card_kept`: by the gateway."""

    state: OrderState
    plan: Plan
    notice_days: int
    index: int
    made: int
    charge_on: date | None
    tries: int
    faults: int
    payment: PaymentState | None
    end: End
    card_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Nothing, until somebody does something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil:
    """Nothing before this day."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A charge is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellAhead:
    """The client and the agent are told that it will be charged on this day."""

    charge_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeNow:
    """The present day's payment is charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOn:
    """The present day is charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """The charge was declined and is tried again on this day."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TrySoon:
    """The charge reached no bank and is tried again after FAULT_PAUSE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForCard:
    """The client has to give another card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """Everything is charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The order has ended: its present day's payment comes to nothing, and the gateway is to forget the card."""


Step = Rest | WaitUntil | Poll | TellAhead | ChargeNow | MoveOn | TryAgain | TrySoon | AskForCard | Complete | GiveUp


def after(state: OrderState, fact: OrderFact) -> OrderState | None:
    """The state that follows, or None where the fact can't happen in this state."""
    return TRANSITIONS.get((state, fact))


def next_step(order: Standing, today: date) -> Step:
    """What is to be done now; `today` is the agency's."""
    if order.end is End.OPEN:
        return Poll()
    if order.payment in (PaymentState.PROCESSED, PaymentState.REVERSED):
        return MoveOn()
    if order.state in ENDED:
        return GiveUp() if order.payment is not None or order.card_kept else Rest()
    if order.state is not OrderState.ACTIVE:
        return Rest()
    if order.payment is PaymentState.RETRIEVED:
        # At a process of an older release its agent looked at the card: they say how it ended (FORMER).
        return WaitUntil(day=today + timedelta(days=1))
    if order.payment in (PaymentState.LAPSED, PaymentState.VOIDED) or order.end is End.FINAL:
        return AskForCard()
    if order.end is End.PASSING or (order.end is End.FAULT and order.faults >= MOST_FAULTS):
        if order.tries >= len(RETRY_AFTER):
            return AskForCard()
        return TryAgain(day=today + timedelta(days=RETRY_AFTER[order.tries]))
    if order.end is End.FAULT:
        return TrySoon()
    return _by_day(order, today)


def _by_day(order: Standing, today: date) -> Step:
    if order.payment is None and is_over(order.plan, index=order.index, made=order.made):
        return Complete()
    if order.charge_on is None:
        due = due_date(order.plan, order.index)
        tell_on = due - timedelta(days=order.notice_days)
        if today < tell_on:
            return WaitUntil(day=tell_on)
        return TellAhead(charge_on=charge_day(due, notice_days=order.notice_days, today=today))
    if today < order.charge_on:
        return WaitUntil(day=order.charge_on)
    return ChargeNow()


def charge_day(due: date, *, notice_days: int, today: date) -> date:
    """When something that is due is charged if it is told of now. Told too late, after a time in which nothing ran, the
    client has at least a day all the same."""
    return max(due, today + timedelta(days=1) if notice_days else today)


def index_after_pause(order: Standing, today: date) -> int:
    """Where a paused order goes on: the days of the pause are left out, but for one whose charge was begun before."""
    return order.index if order.payment is not None else first_from(order.plan, order.index, today)


def plan_refusal(plan: Plan, *, today: date, card_days: int) -> tuple[str, str]:
    """What speaks against a plan, as field and words; empty when nothing does. The card waits in the vault until its
    first charge, and the vault keeps cards for `card_days`."""
    if plan.amount.minor <= 0:
        return "amount", "The amount must be more than nothing."
    if plan.first_on < today:
        return "first_on", "The first day is over. Choose today or a later day."
    latest = today + timedelta(days=card_days - 1)
    if plan.first_on > latest:
        return (
            "first_on",
            f"Choose a first day within {card_days} days: so long your agency keeps a card that has not been charged.",
        )
    if plan.until is not None and plan.until < plan.first_on:
        return "until", "The last day is before the first one."
    return "", ""


def morning_of(day: date, time_zone: str) -> datetime:
    """When something is done on the agency's day."""
    return datetime.combine(day, MORNING, tzinfo=ZoneInfo(time_zone))
