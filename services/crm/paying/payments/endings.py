"""A payment ends: whoever ends it, portal, notifier and client are told the same. The caller has the card destroyed."""

from datetime import datetime

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import PaymentProcessed, PaymentVoided
from services.crm.paying.payments.held import HeldPayment
from services.crm.paying.payments.rules import Fact


def process(
    session: Session,
    outbox: Outbox,
    payment: HeldPayment,
    fact: Fact,
    *,
    confirmation: str,
    words: str,
    at: datetime,
) -> bool:
    """It was made: `fact` says whether at the supplier's (PROCESSED) or through the agency's gateway (CHARGED). In the
    caller's transaction; says whether its state allowed it."""
    if not payment.happen(fact, at=at):
        return False
    payment.note(confirmation=confirmation, words=words)
    event = PaymentProcessed(
        payment_id=payment.id,
        confirmation_number=payment.now.confirmation_number,
        at=stamp(at),
        card_token=payment.now.card_token or "",
        context=payment.context,
    )
    outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)
    return True


def void(
    session: Session, outbox: Outbox, payment: HeldPayment, *, reason: str, fresh_link: bool, at: datetime
) -> bool:
    """It comes to nothing, in the caller's transaction; says whether its state allowed it. `fresh_link`: that the
    client is asked once more, which the caller does."""
    if not payment.happen(Fact.VOIDED, at=at):
        return False
    payment.note(words=reason)
    event = PaymentVoided(
        payment_id=payment.id,
        reason=reason,
        at=stamp(at),
        card_token=payment.now.card_token or "",
        context=payment.context,
        fresh_link_follows=fresh_link,
    )
    outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)
    return True
