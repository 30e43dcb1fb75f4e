"""What became of an authorized payment, told from facts that may arrive in any order, and more than once (M12)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from chassis.money import Money


class PaymentState(StrEnum):
    """Where the payment stands, for the client."""

    REQUESTED = "requested"
    AUTHORIZED = "authorized"
    RETRIEVED = "retrieved"
    PROCESSED = "processed"
    VOIDED = "voided"
    LAPSED = "lapsed"
    # The client says that it was paid otherwise; the agent has not confirmed it yet, or found nothing.
    REPORTED = "reported"
    DECLINED = "declined"
    REVERSED = "reversed"


# How a payment was made that no card through Wayvault made (the words of events.proto, PaymentContext.method).
METHOD_WORDS: Final = {
    "cheque": "Cheque",
    "transfer": "Bank transfer",
    "supplier_site": "Card on the supplier's own site",
    "cash": "Cash",
    "credit": "Credit or voucher",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFacts:
    """All that is known of a payment; every moment is aware UTC, None = has not happened."""

    authorized_at: datetime | None = None
    retrieved_at: datetime | None = None
    retrieved_by: str = ""
    processed_at: datetime | None = None
    confirmation_number: str = ""
    voided_at: datetime | None = None
    void_reason: str = ""
    lapsed_at: datetime | None = None
    reported_at: datetime | None = None
    declined_at: datetime | None = None
    reversed_at: datetime | None = None
    # What was given back in all, and when last.
    refunded_at: datetime | None = None
    refunded: Money | None = None
    # The agency's gateway was in its test mode: no money moved.
    test_mode: bool = False
    answer: str = ""
    method: str = ""
    paid_on: date | None = None
    card_removed_at: datetime | None = None
    card_kept_until: datetime | None = None
    cvv_kept_until: datetime | None = None


def state_of(facts: PaymentFacts) -> PaymentState:
    """The state that the facts add up to, whatever their order was. Closed beats open, taken back beats closed."""
    if facts.reversed_at is not None:
        return PaymentState.REVERSED
    if facts.processed_at is not None:
        return PaymentState.PROCESSED
    if facts.voided_at is not None:
        return PaymentState.VOIDED
    if facts.lapsed_at is not None:
        return PaymentState.LAPSED
    if facts.retrieved_at is not None:
        return PaymentState.RETRIEVED
    if facts.authorized_at is not None:
        return PaymentState.AUTHORIZED
    if facts.declined_at is not None:
        return PaymentState.DECLINED
    if facts.reported_at is not None:
        return PaymentState.REPORTED
    return PaymentState.REQUESTED


def is_over(facts: PaymentFacts) -> bool:
    """Whether nothing more is to be expected: the payment came to nothing, and no card of it is left. One that was made
    may still be given back."""
    ended = {PaymentState.VOIDED, PaymentState.LAPSED, PaymentState.DECLINED, PaymentState.REVERSED}
    return state_of(facts) in ended and (facts.authorized_at is None or card_gone_at(facts) is not None)


def card_gone_at(facts: PaymentFacts) -> datetime | None:
    """When the card was deleted: by the agency, or by its own time running out (M11); None while it is kept."""
    moments = [moment for moment in (facts.card_removed_at, facts.lapsed_at) if moment is not None]
    return min(moments) if moments else None


class Step(StrEnum):
    """A line of the client's timeline."""

    AUTHORIZED = "authorized"
    VIEWED = "viewed"
    PROCESSED = "processed"
    VOIDED = "voided"
    LAPSED = "lapsed"
    DELETED = "deleted"
    REPORTED = "reported"
    RECORDED = "recorded"
    DECLINED = "declined"
    REVERSED = "reversed"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """A step and when it happened."""

    step: Step
    at: datetime


def timeline(facts: PaymentFacts) -> tuple[TimelineEntry, ...]:
    """What happened, oldest first."""
    # A lapse is told once: its line says that the card was deleted.
    removed = facts.card_removed_at if facts.lapsed_at is None else None
    moments = (
        (Step.AUTHORIZED, facts.authorized_at),
        (Step.VIEWED, facts.retrieved_at),
        (Step.REPORTED, facts.reported_at),
        (Step.RECORDED if facts.method else Step.PROCESSED, facts.processed_at),
        (Step.DECLINED, facts.declined_at),
        (Step.REFUNDED, facts.refunded_at),
        (Step.REVERSED, facts.reversed_at if facts.refunded_at is None else None),
        (Step.VOIDED, facts.voided_at),
        (Step.LAPSED, facts.lapsed_at),
        (Step.DELETED, removed),
    )
    entries = [TimelineEntry(step=step, at=at) for step, at in moments if at is not None]
    return tuple(sorted(entries, key=lambda entry: entry.at))
