"""What standing orders do on events of the portal: the client signed, cancels, or wants to give another card."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta, RetryLater
from chassis.errors import Busy, InvalidArgument
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, StandingOrderAsked
from services.crm.paying.payments.service import Fact, HeldPayment, PaymentState, locked
from services.crm.paying.standing_orders.acts import Acts
from services.crm.paying.standing_orders.held import HeldOrder, hold
from services.crm.paying.standing_orders.models import StandingPaymentRow
from services.crm.paying.standing_orders.rules import ENDED
from services.crm.sales.clients.service import current_client_id

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvents:
    """Each handler is safe to run again. The payments room is told of an authorization before."""

    acts: Acts
    # Has a card destroyed that came for a day which is charged, in the caller's transaction.
    refuse_card: Callable[[Session, HeldPayment, str], None]

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(PaymentAuthorized, self.signed)
        handlers.on(StandingOrderAsked, self.asked)

    def signed(self, session: Session, message: PaymentAuthorized, _: EventMeta) -> None:
        """The client signed the plan, or gave another card for it: from here on the worker charges, and nobody else."""
        payment = locked(session, message.context.payment_id)
        if payment is None or payment.now.state is not PaymentState.AUTHORIZED:
            return
        held = _order_of(session, payment)
        if held is not None:
            self.acts.take_card(session, held, payment)
        elif payment.context.plan and payment.happen(Fact.VOIDED, at=self.acts.clock.now()):
            payment.note(words="This card came too late for its day of the standing order.")
            self.refuse_card(session, payment, message.card_token)

    def asked(self, session: Session, message: StandingOrderAsked, meta: EventMeta) -> None:
        """What a client wants in the portal. What can't be any more is left as it is; they see how it stands."""
        try:
            held = hold(session, message.order_id)
        except Busy as busy:
            raise RetryLater from busy
        if held is None or held.row.agency_id != meta.agency_id:
            _log.warning("standing_order.unknown")
            return
        if held.row.client_id != current_client_id(session, message.client_id):
            _log.warning("standing_order.not_theirs")
            return
        try:
            if message.wish == StandingOrderAsked.WISH_CANCEL:
                self.acts.cancel(session, held, by=f"Cancelled by {held.row.payer_name} in the portal.")
            elif message.wish == StandingOrderAsked.WISH_OTHER_CARD:
                self.acts.ask_for_card(session, held)
        except InvalidArgument as refused:
            _log.info("standing_order.refused", why=refused.message)


def _order_of(session: Session, payment: HeldPayment) -> HeldOrder | None:
    """The order whose present payment this is, or takes the place of."""
    ids = [payment.id, *([payment.now.replaces_payment_id] if payment.now.replaces_payment_id else [])]
    order_id = session.scalar(select(StandingPaymentRow.order_id).where(StandingPaymentRow.payment_id.in_(ids)))
    try:
        held = hold(session, order_id) if order_id else None
    except Busy as busy:
        raise RetryLater from busy
    if held is None:
        return None
    if held.row.payment_id == payment.id:
        return held
    if held.row.payment_id == payment.now.replaces_payment_id or held.row.state in ENDED:
        if session.get(StandingPaymentRow, payment.id) is None:
            held.begin_day(session, payment)
        else:
            held.row.payment_id, held.payment = payment.id, payment
        return held
    return None
