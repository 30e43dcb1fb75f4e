"""What is to be charged, written down before anybody is asked: the idempotency key is committed with it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from chassis.errors import InvalidArgument
from chassis.ids import new_id
from services.crm.core.ports.charging import ChargeOrder, ChargeState
from services.crm.core.ports.vault import Origin
from services.crm.paying.charging.models import PaymentChargeRow
from services.crm.paying.charging.records import OPEN
from services.crm.paying.charging.rules import CHECK_EVERY
from services.crm.paying.payments.service import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeIntent:
    """A charge that is on record and not asked for yet."""

    order: ChargeOrder
    key: str
    origin: Origin


def write_intent(
    session: Session, payment: Payment, *, origin: Origin, keep_card: bool, mandate_id: str, now: datetime
) -> ChargeIntent:
    """In the transaction that holds the payment. Raises InvalidArgument for one that is being charged or has been."""
    charge = demand_no_charge(session, payment.id)
    key = new_id("key")
    session.merge(
        PaymentChargeRow(
            payment_id=payment.id,
            agency_id=payment.agency_id,
            agent_id=payment.agent_id,
            request_key=key,
            charge_id="",
            previous_charge_id=charge.charge_id if charge is not None else "",
            state=ChargeState.ASKING.value,
            amount_minor=payment.amount.minor,
            refunded_minor=0,
            reason="",
            next_step="",
            reason_code="",
            may_pass=False,
            mandate_id="",
            client_url="",
            mailed_url="",
            reference="",
            ip=origin.ip[:64],
            user_agent=origin.user_agent[:300],
            asked_at=now,
            settled_at=None,
            check_at=now + CHECK_EVERY,
        )
    )
    order = ChargeOrder(
        agency_id=payment.agency_id,
        payment_id=payment.id,
        card_token="" if mandate_id else payment.card_token or "",
        agent_id=payment.agent_id,
        amount_minor=payment.amount.minor,
        currency=payment.amount.currency,
        description=(payment.purpose or payment.booking_title)[:200],
        keep_card=keep_card,
        mandate_id=mandate_id,
    )
    return ChargeIntent(order=order, key=key, origin=origin)


def demand_no_charge(session: Session, payment_id: str) -> PaymentChargeRow | None:
    """The charge before, which came to nothing. Raises InvalidArgument while one stands in the way of another."""
    charge = session.get(PaymentChargeRow, payment_id)
    if charge is not None and charge.state in (*OPEN, ChargeState.SUCCEEDED):
        raise InvalidArgument("This payment is being charged already, or has been. Its charge is shown here.")
    return charge
