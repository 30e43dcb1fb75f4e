"""What a payment may do when, and what is left to pay. Pure.

The state machine as one table (docs/design.md, States); every change of a payment's state goes through `after`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from chassis.money import Money


class PaymentState(StrEnum):
    """Where a payment stands. Those that are not asked for by a link begin as REPORTED or PROCESSED (STARTS)."""

    REQUESTED = "requested"
    OPENED = "opened"
    AUTHORIZED = "authorized"
    # Authorized as part of a standing order, whose worker charges it on its day; nobody retrieves it.
    SCHEDULED = "scheduled"
    RETRIEVED = "retrieved"
    PROCESSED = "processed"
    VOIDED = "voided"
    EXPIRED = "expired"
    REVOKED = "revoked"
    LAPSED = "lapsed"
    # The client says that it was paid otherwise; counts for nothing until the agent confirms it.
    REPORTED = "reported"
    DECLINED = "declined"
    # Was processed or recorded by mistake.
    REVERSED = "reversed"


class Fact(StrEnum):
    """What can happen to a payment."""

    OPENED = "opened"
    AUTHORIZED = "authorized"
    SCHEDULED = "scheduled"
    RETRIEVED = "retrieved"
    PROCESSED = "processed"
    VOIDED = "voided"
    LINK_EXPIRED = "link_expired"
    LINK_RENEWED = "link_renewed"
    LINK_REVOKED = "link_revoked"
    LAPSED = "lapsed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    REVERSED = "reversed"
    # Money that was given back came back: the client's card had ended.
    REFUND_FAILED = "refund_failed"
    # Through the agency's own gateway, without anybody seeing the card (G1).
    CHARGED = "charged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """It may be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It may not; `why` is for the agent."""

    why: str


Decision = Allowed | Refused


class PaymentType(StrEnum):
    DEPOSIT = "deposit"
    REGULAR = "regular"
    FINAL = "final"
    SERVICE_FEE = "service_fee"


class Method(StrEnum):
    """How a payment was made (the words of events.proto, PaymentContext.method, but for CARD)."""

    # Through Wayvault, by a link or in the portal.
    CARD = "card"
    CHEQUE = "cheque"
    TRANSFER = "transfer"
    SUPPLIER_SITE = "supplier_site"
    CASH = "cash"
    CREDIT = "credit"


METHOD_WORDS: Final = {
    Method.CARD: "Card through Wayvault",
    Method.CHEQUE: "Cheque",
    Method.TRANSFER: "Bank transfer",
    Method.SUPPLIER_SITE: "Card on the supplier's own site",
    Method.CASH: "Cash",
    Method.CREDIT: "Credit or voucher",
}
# What is written down, since Wayvault saw nothing of it.
RECORDED_METHODS: Final = tuple(method for method in Method if method is not Method.CARD)

TYPE_WORDS: Final = {
    PaymentType.DEPOSIT: "Deposit",
    PaymentType.REGULAR: "Regular payment",
    PaymentType.FINAL: "Final payment",
    PaymentType.SERVICE_FEE: "Service fee",
}

S = PaymentState
F = Fact

# An authorization that the client saw accepted reaches the agent: it wins over an
# expiry or a revocation that crossed it on the way. A payment whose card was shown stays the agent's to
# close, even when its card has lapsed meanwhile: the supplier may have charged it.
TRANSITIONS: Final[dict[tuple[PaymentState, Fact], PaymentState]] = {
    (S.REQUESTED, F.OPENED): S.OPENED,
    (S.REQUESTED, F.AUTHORIZED): S.AUTHORIZED,
    (S.REQUESTED, F.LINK_EXPIRED): S.EXPIRED,
    (S.REQUESTED, F.LINK_REVOKED): S.REVOKED,
    (S.REQUESTED, F.LINK_RENEWED): S.REQUESTED,
    (S.OPENED, F.AUTHORIZED): S.AUTHORIZED,
    (S.OPENED, F.LINK_EXPIRED): S.EXPIRED,
    (S.OPENED, F.LINK_REVOKED): S.REVOKED,
    (S.OPENED, F.LINK_RENEWED): S.OPENED,
    (S.EXPIRED, F.AUTHORIZED): S.AUTHORIZED,
    (S.EXPIRED, F.LINK_RENEWED): S.REQUESTED,
    (S.EXPIRED, F.LINK_REVOKED): S.REVOKED,
    (S.REVOKED, F.AUTHORIZED): S.AUTHORIZED,
    # The client gave another card before the first was shown: the vault replaced it (StoreCard).
    (S.AUTHORIZED, F.AUTHORIZED): S.AUTHORIZED,
    (S.AUTHORIZED, F.RETRIEVED): S.RETRIEVED,
    (S.AUTHORIZED, F.CHARGED): S.PROCESSED,
    (S.AUTHORIZED, F.VOIDED): S.VOIDED,
    (S.AUTHORIZED, F.LAPSED): S.LAPSED,
    (S.AUTHORIZED, F.SCHEDULED): S.SCHEDULED,
    # Another card was asked for and did not come in time: the one that the gateway keeps is charged.
    (S.REQUESTED, F.SCHEDULED): S.SCHEDULED,
    (S.OPENED, F.SCHEDULED): S.SCHEDULED,
    (S.EXPIRED, F.SCHEDULED): S.SCHEDULED,
    (S.REVOKED, F.SCHEDULED): S.SCHEDULED,
    (S.SCHEDULED, F.AUTHORIZED): S.AUTHORIZED,
    (S.SCHEDULED, F.CHARGED): S.PROCESSED,
    (S.SCHEDULED, F.VOIDED): S.VOIDED,
    (S.SCHEDULED, F.LAPSED): S.LAPSED,
    (S.RETRIEVED, F.PROCESSED): S.PROCESSED,
    (S.RETRIEVED, F.CHARGED): S.PROCESSED,
    (S.RETRIEVED, F.VOIDED): S.VOIDED,
    (S.REPORTED, F.CONFIRMED): S.PROCESSED,
    (S.REPORTED, F.DECLINED): S.DECLINED,
    # A mistake: the record stays, its reversal stands beside it, and it counts no more.
    (S.PROCESSED, F.REVERSED): S.REVERSED,
    (S.REVERSED, F.REFUND_FAILED): S.PROCESSED,
}

# What release 0.1.0 and its likes read of a state that they do not know, while they run beside this one or come back:
# something in which they leave it alone, and which promises nobody anything. A scheduled one with a card may be closed
# there by hand, as any authorized one; the standing order then follows.
FORMER: Final = {
    S.SCHEDULED: S.AUTHORIZED,
    S.REPORTED: S.REVOKED,
    S.DECLINED: S.VOIDED,
    S.REVERSED: S.VOIDED,
}

# In which states a payment comes into being: asked for, due by a standing order, reported by the client, recorded by
# the agent.
STARTS: Final = frozenset({S.REQUESTED, S.SCHEDULED, S.REPORTED, S.PROCESSED})

# What the red alert counts and the payment report lists (M3, M4).
PENDING: Final = frozenset({S.AUTHORIZED, S.RETRIEVED})
# Whose card the vault may still have.
CARD_WAITS: Final = PENDING | {S.SCHEDULED}
# The client still has to act.
AWAITING_CLIENT: Final = frozenset({S.REQUESTED, S.OPENED})
CLOSED: Final = frozenset({S.PROCESSED, S.VOIDED, S.REVERSED})
# Nothing can come of these any more.
ENDED: Final = frozenset({S.VOIDED, S.LAPSED, S.REVERSED, S.DECLINED})

LAPSE_WARNING: Final = timedelta(days=1)


def after(state: PaymentState, fact: Fact) -> PaymentState | None:
    """The state that follows, or None where the fact can't happen in this state."""
    return TRANSITIONS.get((state, fact))


def lapse_warning_due(
    *, state: PaymentState, card_kept_until: datetime | None, warned_at: datetime | None, now: datetime
) -> bool:
    """Whether the agent should be told today that the card lapses within a day; once only (M11)."""
    return (
        state in PENDING
        and card_kept_until is not None
        and warned_at is None
        and now < card_kept_until <= now + LAPSE_WARNING
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A payment as the balance sees it."""

    state: PaymentState
    type: PaymentType
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Where a segment's money stands. All amounts share the segment's currency.

    `due` is the price less what was processed, never below zero; None while the price is unknown.
    """

    currency: str
    price: Money | None
    requested: Money
    authorized: Money
    processed: Money
    due: Money | None

    @property
    def promised(self) -> Money:
        """Asked for, authorized or processed: what must not exceed the price."""
        return self.requested + self.authorized + self.processed

    @property
    def over(self) -> Money:
        """By how much more was processed than it costs."""
        excess = self.processed.minor - self.price.minor if self.price is not None else 0
        return Money(minor=max(0, excess), currency=self.currency)


def balance(price: Money | None, payments: Iterable[Counted], currency: str) -> Balance:
    """Adds up a segment's payments. Service fees are the agency's own and don't count towards the supplier's price.

    A payment in another currency than the segment's can't be added up and is left out.
    """
    return _added_up(price, [each for each in payments if each.type is not PaymentType.SERVICE_FEE], currency)


def fee_balance(fee: Money | None, payments: Iterable[Counted], currency: str) -> Balance:
    """The same for the agency's own fee, of which service fees alone pay."""
    return _added_up(fee, [each for each in payments if each.type is PaymentType.SERVICE_FEE], currency)


def _added_up(price: Money | None, payments: Iterable[Counted], currency: str) -> Balance:
    sums = {"requested": 0, "authorized": 0, "processed": 0}
    for payment in payments:
        if payment.amount.currency != currency:
            continue
        if payment.state in AWAITING_CLIENT:
            sums["requested"] += payment.amount.minor
        elif payment.state in CARD_WAITS:
            sums["authorized"] += payment.amount.minor
        elif payment.state is S.PROCESSED:
            sums["processed"] += payment.amount.minor
    due = None
    if price is not None and price.currency == currency:
        due = Money(minor=max(0, price.minor - sums["processed"]), currency=currency)
    return Balance(
        currency=currency,
        price=price,
        requested=Money(minor=sums["requested"], currency=currency),
        authorized=Money(minor=sums["authorized"], currency=currency),
        processed=Money(minor=sums["processed"], currency=currency),
        due=due,
    )


def overpaid_by(sums: Balance, more: Money) -> Money | None:
    """By how much `more` would take the promised money over the price; None when it would not."""
    if sums.price is None or more.currency != sums.currency:
        return None
    excess = sums.promised.minor + more.minor - sums.price.minor
    return Money(minor=excess, currency=sums.currency) if excess > 0 else None
