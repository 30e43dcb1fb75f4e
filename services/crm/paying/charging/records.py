"""What other rooms ask of a payment's charge inside their own transactions."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from chassis.errors import InvalidArgument
from services.crm.core.ports.charging import ChargeState
from services.crm.paying.charging.models import PaymentChargeRow

OPEN: Final = (ChargeState.INTENT, ChargeState.ASKING, ChargeState.NEEDS_CLIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeNews:
    """How a payment's newest charge stands. `key` names the asking; `reason` is in words for the agent."""

    key: str
    state: ChargeState
    # Whether real money moves; None while the gateway has not answered.
    live: bool | None
    reason: str
    reason_code: str
    may_pass: bool
    mandate_id: str


def newest_charge(session: Session, payment_id: str) -> ChargeNews | None:
    """Read in the transaction of whoever holds the payment's row."""
    row = session.get(PaymentChargeRow, payment_id, populate_existing=True)
    if row is None:
        return None
    return ChargeNews(
        key=row.request_key,
        state=ChargeState(row.state),
        live=row.live if row.charge_id else None,
        reason=row.reason,
        reason_code=row.reason_code,
        may_pass=row.may_pass,
        mandate_id=row.mandate_id,
    )


def demand_settled(session: Session, payment_id: str) -> None:
    """Raises InvalidArgument while a charge is under way: closing the payment would take its card away. Whoever asks
    holds the payment's row, as whoever begins a charge does."""
    row = session.get(PaymentChargeRow, payment_id)
    if row is not None and row.state in OPEN:
        raise InvalidArgument("This payment is being charged. Wait until it is known how that ended.")


def demand_not_charged(session: Session, payment_id: str) -> None:
    """Raises InvalidArgument for a payment whose money the gateway took: a word alone doesn't give it back."""
    row = session.get(PaymentChargeRow, payment_id)
    if row is not None and row.state == ChargeState.SUCCEEDED:
        raise InvalidArgument(
            "This payment was charged through your gateway, so it is not void before its money is given back. "
            "Refund it on its page; what is refunded counts no more."
        )
