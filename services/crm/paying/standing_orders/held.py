"""A standing order inside the transaction that changes it, with the payment of its present day.

The payment's row is held first and then the order's, as the events of the portal do, so that two that want both wait
for each other and neither forever.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.errors import Busy
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import PaymentContext, StandingOrderTold
from services.crm.core.ports.charging import ChargeState
from services.crm.paying.charging.service import ChargeNews, newest_charge
from services.crm.paying.payments.service import HeldPayment, locked
from services.crm.paying.standing_orders.models import OldMandateRow, StandingOrderRow, StandingPaymentRow
from services.crm.paying.standing_orders.plan import due_date
from services.crm.paying.standing_orders.records import order_of, plan_of
from services.crm.paying.standing_orders.rules import End, OrderFact, OrderState, Standing, after

_OPEN: Final = (ChargeState.INTENT, ChargeState.ASKING, ChargeState.NEEDS_CLIENT)
# Charges that failed without a bank's word, after which the same card is of no use all the same.
_FINAL_FAULTS: Final = frozenset({"card_gone", "page_expired", "raw_cards_refused", "mandates_not_offered"})


@dataclass(slots=True, kw_only=True)
class HeldOrder:
    """The rows, held until the caller's transaction ends."""

    row: StandingOrderRow
    payment: HeldPayment | None
    charge: ChargeNews | None

    def standing(self) -> Standing:
        """As it stands at this moment."""
        row = self.row
        return Standing(
            state=OrderState(row.state),
            plan=plan_of(row),
            notice_days=row.notice_days,
            index=row.index,
            made=row.made,
            charge_on=row.charge_on,
            tries=row.tries,
            faults=row.faults,
            payment=self.payment.now.state if self.payment else None,
            end=self._end(),
            card_kept=bool(row.mandate_id),
        )

    def happen(self, fact: OrderFact) -> bool:
        """Lets `fact` happen to the order, when its state allows it. Returns whether it did."""
        state = after(OrderState(self.row.state), fact)
        if state is None:
            return False
        self.row.state = state
        return True

    def hear(self) -> None:
        """Takes over whether the newest charge moved real money, once the gateway has answered."""
        if self.charge is not None and self.charge.live is not None:
            self.row.live = self.charge.live

    def begin_day(self, session: Session, payment: HeldPayment) -> None:
        """The payment is the present day's."""
        row = self.row
        self.payment, self.charge = payment, None
        row.payment_id = payment.id
        payment.is_of_order(row.id)
        due_on = due_date(plan_of(row), row.index)
        session.add(StandingPaymentRow(payment_id=payment.id, order_id=row.id, index=row.index, due_on=due_on))
        session.flush()

    def _end(self) -> End:
        charge = self.charge
        if charge is None or charge.key == self.row.heard_key or charge.state is ChargeState.SUCCEEDED:
            return End.NONE
        if charge.state in _OPEN:
            return End.OPEN
        if charge.state is ChargeState.FAILED:
            return End.FINAL if charge.reason_code in _FINAL_FAULTS else End.FAULT
        return End.PASSING if charge.may_pass else End.FINAL


def hold(session: Session, order_id: str) -> HeldOrder | None:
    """The order and its present payment, held; None where there is none. Raises Busy when it moved on meanwhile."""
    seen = session.get(StandingOrderRow, order_id)
    if seen is None:
        return None
    payment_id = seen.payment_id
    payment = locked(session, payment_id) if payment_id else None
    row = session.get_one(StandingOrderRow, order_id, with_for_update=True, populate_existing=True)
    if row.payment_id != payment_id:
        raise Busy("The standing order moved on just now. Please try again.")
    return HeldOrder(row=row, payment=payment, charge=newest_charge(session, payment_id) if payment_id else None)


def forget_card(session: Session, row: StandingOrderRow, now: datetime) -> None:
    """The gateway is to forget the order's card."""
    if row.mandate_id:
        session.add(OldMandateRow(mandate_id=row.mandate_id, order_id=row.id, agency_id=row.agency_id, try_at=now))
        row.mandate_id = ""


def today_of(row: StandingOrderRow, now: datetime) -> date:
    """The agency's day."""
    return now.astimezone(ZoneInfo(zone_of(row))).date()


def zone_of(row: StandingOrderRow) -> str:
    """The agency's time zone, as it was when the order was proposed: what the client signed has its days."""
    return PaymentContext.FromString(row.context).agency.time_zone or "UTC"


def tell(
    session: Session, outbox: Outbox, row: StandingOrderRow, news: "StandingOrderTold.News.ValueType", now: datetime
) -> None:
    """Tells portal and notifier how the order stands, and what happened."""
    order = order_of(row)
    event = StandingOrderTold(
        order_id=row.id,
        context=PaymentContext.FromString(row.context),
        state=row.state,
        news=news,
        next_on=order.next_on.isoformat() if order.next_on else "",
        made=row.made,
        card_brand=row.card_brand,
        card_last4=row.card_last4,
        note=row.note,
        can_change_card=order.can_change_card,
        other_card_from=order.other_card_from.isoformat(),
        at=stamp(now),
    )
    event.context.payment_id = row.payment_id or ""
    event.context.test_mode = row.live is False
    outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
