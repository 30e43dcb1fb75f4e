"""Whether the gateway's books say what ours say. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.vault.charging.gateways.port import Movement, MovementKind, Payout
from services.vault.charging.rules import ChargeState, RefundState


@dataclass(frozen=True, slots=True, kw_only=True)
class OurCharge:
    """A charge of our books."""

    id: str
    payment_id: str
    agent_id: str
    amount: Money
    state: ChargeState


@dataclass(frozen=True, slots=True, kw_only=True)
class OurRefund:
    """A refund of our books, with its charge's payment."""

    id: str
    charge: OurCharge
    amount: Money
    state: RefundState


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A movement of the gateway's, with what is ours of it. `mismatch`: what does not agree, in words."""

    movement: Movement
    charge: OurCharge | None = None
    refund_id: str = ""
    mismatch: str = ""


def charge_line(movement: Movement, ours: OurCharge | None) -> Line:
    """For money that a charge brought."""
    if ours is None:
        return Line(movement=movement, mismatch="Wayvault has no such charge: it was made elsewhere.")
    mismatch = ""
    if ours.state is not ChargeState.SUCCEEDED:
        mismatch = "The gateway took this money, and here it does not count as charged."
    elif _differs(movement.gross_minor, movement.currency, ours.amount):
        mismatch = f"Here it was {ours.amount.format()}."
    return Line(movement=movement, charge=ours, mismatch=mismatch)


def refund_line(movement: Movement, ours: OurRefund | None) -> Line:
    """For money that went back, or came back from there."""
    if ours is None:
        return Line(movement=movement, mismatch="Wayvault has no such refund: it was made elsewhere.")
    mismatch = ""
    returned = movement.kind is MovementKind.RETURNED
    if _differs(movement.gross_minor if returned else -movement.gross_minor, movement.currency, ours.amount):
        mismatch = f"Here it was {ours.amount.format()}."
    elif returned and ours.state is not RefundState.FAILED:
        mismatch = "It came back, and here it still counts as refunded."
    return Line(movement=movement, charge=ours.charge, refund_id=ours.id, mismatch=mismatch)


def line_of(movement: Movement, charges: Mapping[str, OurCharge], refunds: Mapping[str, OurRefund]) -> Line:
    """A movement beside our books. `charges`, `refunds`: by our ids and by the gateway's."""
    if movement.kind is MovementKind.OTHER:
        return Line(movement=movement)
    if movement.kind is MovementKind.CHARGE:
        return charge_line(movement, charges.get(movement.charge_id) or charges.get(movement.about))
    return refund_line(movement, refunds.get(movement.refund_id) or refunds.get(movement.about))


def payout_mismatch(payout: Payout, lines: Sequence[Line]) -> str:
    """What of a payout does not agree, in words; empty when it does."""
    if not payout.itemized:
        return "This payout was made by hand, so the gateway does not say what is in it."
    total = sum(line.movement.net_minor for line in lines)
    if any(line.movement.currency != payout.currency for line in lines) or total != payout.amount_minor:
        listed = Money(minor=total, currency=payout.currency).format()
        return f"What the gateway lists in it comes to {listed}."
    return ""


def _differs(minor: int, currency: str, ours: Money) -> bool:
    """Whether an amount is another one; what the gateway has exchanged can't be compared."""
    return currency == ours.currency and minor != ours.minor
