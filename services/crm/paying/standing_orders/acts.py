"""What either side may do to a standing order, in the caller's transaction: agents on a page, clients in the portal."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.moments import written_day
from protos.wayvault.events.v1.events_pb2 import PaymentContext, StandingOrderTold
from services.crm.paying.links.service import PaymentLinks
from services.crm.paying.payments.service import Fact, HeldPayment, NewPayment, PaymentType, open_payment
from services.crm.paying.standing_orders.held import HeldOrder, tell, today_of
from services.crm.paying.standing_orders.plan import due_date
from services.crm.paying.standing_orders.records import order_of
from services.crm.paying.standing_orders.rules import ENDED, End, OrderFact, index_after_pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """Each changes a held order and tells of it. The worker does what follows."""

    outbox: Outbox
    clock: Clock
    links: PaymentLinks

    def take_card(self, session: Session, held: HeldOrder, payment: HeldPayment) -> None:
        """The client signed the plan, or gave another card for it, with this payment, which is authorized: from here on
        the worker charges, and nobody else."""
        now, row = self.clock.now(), held.row
        payment.happen(Fact.SCHEDULED, at=now)
        row.card_brand, row.card_last4, row.note = payment.now.card_brand, payment.now.card_last4, ""
        row.act_at = now
        if held.happen(OrderFact.BEGUN):
            row.begun_at, row.charge_on = now, max(row.first_on, today_of(row, now))
            tell(session, self.outbox, row, StandingOrderTold.NEWS_BEGUN, now)
        elif row.state not in ENDED:
            if held.happen(OrderFact.CARD_GIVEN):
                row.charge_on = today_of(row, now)
            tell(session, self.outbox, row, StandingOrderTold.NEWS_CARD_GIVEN, now)

    def pause(self, session: Session, held: HeldOrder) -> None:
        """Raises InvalidArgument for one that is not active, or is being charged at this moment."""
        if held.standing().end is End.OPEN:
            raise InvalidArgument("It is being charged at this moment. Pause it when it is known how that ended.")
        if not held.happen(OrderFact.PAUSED):
            raise InvalidArgument("Only an active standing order can be paused.")
        held.row.act_at = None
        tell(session, self.outbox, held.row, StandingOrderTold.NEWS_PAUSED, self.clock.now())

    def resume(self, session: Session, held: HeldOrder) -> None:
        """Raises InvalidArgument for one that is not paused."""
        now, row = self.clock.now(), held.row
        if not held.happen(OrderFact.RESUMED):
            raise InvalidArgument("Only a standing order that is paused can be resumed.")
        row.index = index_after_pause(held.standing(), today_of(row, now))
        # The client is told of the next charge anew.
        row.charge_on, row.act_at = None, now
        tell(session, self.outbox, row, StandingOrderTold.NEWS_RESUMED, now)

    def cancel(self, session: Session, held: HeldOrder, *, by: str) -> None:
        """`by` says who, in words for the agent. Raises InvalidArgument for one that has ended otherwise."""
        now, row = self.clock.now(), held.row
        if not held.happen(OrderFact.CANCELLED):
            raise InvalidArgument("This standing order has ended already.")
        row.note, row.ended_at, row.act_at, row.charge_on = by[:300], now, now, None
        tell(session, self.outbox, row, StandingOrderTold.NEWS_CANCELLED, now)

    def ask_for_card(self, session: Session, held: HeldOrder) -> None:
        """The next day's payment is asked for by a link, ahead of its day; without a new card by then, the old one is
        charged. Raises InvalidArgument where that can't be now."""
        now, row = self.clock.now(), held.row
        order = order_of(row)
        if not order.can_change_card or not row.mandate_id:
            raise InvalidArgument("Another card can be asked for between two charges of an active standing order only.")
        context = PaymentContext.FromString(row.context)
        due_on = due_date(order.plan, row.index)
        if today_of(row, now) < order.other_card_from:
            raise InvalidArgument(
                f"A new card waits in the vault until the next charge, for {order.card_days} days "
                f"at most. Ask for it from {written_day(order.other_card_from)} on."
            )
        fresh = self.links.fresh_context(session, context)
        fresh.due_on = due_on.isoformat()
        new = NewPayment(context=fresh, payer_name=row.payer_name, type=PaymentType.SERVICE_FEE, due_on=due_on)
        payment = open_payment(session, new, at=now)
        held.begin_day(session, payment)
        self.links.issue(session, payment)
        tell(session, self.outbox, row, StandingOrderTold.NEWS_CARD_ASKED, now)
