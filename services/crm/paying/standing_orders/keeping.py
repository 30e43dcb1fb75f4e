"""The worker's part of standing orders: it asks the rules what is to be done now, and does it.

Everything that is decided is committed before the gateway is asked: the charge's intent with its idempotency key in the
transaction that holds order and payment. A crash after it leaves a charge that the charging room finds out about; it is
never asked for again before that is known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Busy, WayvaultError
from protos.wayvault.events.v1.events_pb2 import PaymentContext, StandingOrderTold
from services.crm.core.ports.vault import Origin, Removal
from services.crm.paying.card_removal.service import Removals
from services.crm.paying.charging.service import ChargeIntent, Charges
from services.crm.paying.links.service import PaymentLinks
from services.crm.paying.payments.service import (
    Fact,
    HeldPayment,
    NewPayment,
    PaymentState,
    PaymentType,
    locked,
    open_payment,
    orders_of_authorized,
    void,
)
from services.crm.paying.standing_orders.acts import Acts
from services.crm.paying.standing_orders.held import HeldOrder, forget_card, hold, tell, today_of, zone_of
from services.crm.paying.standing_orders.models import OldMandateRow, StandingOrderRow
from services.crm.paying.standing_orders.plan import due_date
from services.crm.paying.standing_orders.records import plan_of
from services.crm.paying.standing_orders.rules import (
    FAULT_PAUSE,
    POLL_PAUSE,
    AskForCard,
    ChargeNow,
    Complete,
    GiveUp,
    MoveOn,
    OrderFact,
    Poll,
    Rest,
    Step,
    TellAhead,
    TryAgain,
    TrySoon,
    WaitUntil,
    morning_of,
    next_step,
)

_AT_ONCE: Final = 50
_FORGET_AGAIN: Final = timedelta(minutes=10)
# What the trail says of where a charge came from that nobody clicked.
_ORIGIN: Final = Origin(user_agent="standing order")
_DECLINED: Final = "Your card for the standing order could not be charged. Please give us a card once more."
_CANCELLED: Final = "The standing order was cancelled."

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Carries standing orders out. Several workers may: who holds the order's row decides."""

    database: Database
    outbox: Outbox
    clock: Clock
    charges: Charges
    links: PaymentLinks
    removals: Removals
    acts: Acts

    def run(self) -> int:
        """Looks at what is due; returns how many orders it looked at."""
        query = (
            select(StandingOrderRow.id)
            .where(StandingOrderRow.act_at <= self.clock.now())
            .order_by(StandingOrderRow.act_at)
            .limit(_AT_ONCE)
        )
        with self.database.read() as session:
            due = session.scalars(query).all()
        for order_id in due:
            self._look_at(order_id)
        return len(due)

    def catch_up(self) -> int:
        """Takes the cards of which a worker of an older release was told, which knows no standing orders: the present
        day's payment is authorized, and its order has not heard of it. Says how many."""
        with self.database.read() as session:
            waiting = session.scalars(orders_of_authorized().limit(_AT_ONCE)).all()
        return sum(self._catch_up(order_id) for order_id in waiting)

    def _catch_up(self, order_id: str) -> bool:
        try:
            with self.database.transaction() as session:
                held = hold(session, order_id)
                if held is None or held.payment is None or held.payment.now.state is not PaymentState.AUTHORIZED:
                    return False
                self.acts.take_card(session, held, held.payment)
                return True
        except Busy:
            return False  # the next round looks again

    def forget(self) -> int:
        """Has gateways forget the cards of orders that ended; returns how many they forgot."""
        query = select(OldMandateRow).where(OldMandateRow.try_at <= self.clock.now()).limit(_AT_ONCE)
        with self.database.read() as session:
            due = [(row.agency_id, row.mandate_id) for row in session.scalars(query)]
        return sum(self._forget(agency_id, mandate_id) for agency_id, mandate_id in due)

    # ---- one order

    def _look_at(self, order_id: str) -> None:
        try:
            with self.database.transaction() as session:
                held = hold(session, order_id)
                now = self.clock.now()
                if held is None or held.row.act_at is None or held.row.act_at > now:
                    return
                intent = self._act(session, held, now)
        except Busy:
            return  # it moved on just now: the next round looks again
        if intent is not None:
            self.charges.send(intent)

    def _act(self, session: Session, held: HeldOrder, now: datetime) -> ChargeIntent | None:
        row = held.row
        held.hear()
        step = next_step(held.standing(), today_of(row, now))
        row.act_at = _again_at(step, row, now)
        match step:
            case ChargeNow():
                return self._charge(session, held, now)
            case TellAhead(charge_on=day):
                row.charge_on = day
                if row.notice_days:
                    self._tell(session, held, StandingOrderTold.NEWS_AHEAD, now)
            case MoveOn():
                self._move_on(session, held, now)
            case TryAgain(day=day):
                _hear(held)
                row.tries, row.charge_on = row.tries + 1, day
                self._tell(session, held, StandingOrderTold.NEWS_FAILED, now)
            case TrySoon():
                _hear(held)
                row.faults += 1
            case AskForCard():
                self._ask_for_card(session, held, now)
            case Complete():
                held.happen(OrderFact.COMPLETED)
                row.ended_at = now
                forget_card(session, row, now)
                self._tell(session, held, StandingOrderTold.NEWS_COMPLETED, now)
            case GiveUp():
                self._give_up(session, held, now)
                forget_card(session, row, now)
        return None

    def _charge(self, session: Session, held: HeldOrder, now: datetime) -> ChargeIntent | None:
        row, payment = held.row, held.payment
        if payment is None:
            payment = self._open(session, held, PaymentState.SCHEDULED, now)
        elif payment.happen(Fact.SCHEDULED, at=now):
            # Another card was asked for and did not come in time: the one at the gateway is charged once more.
            self.links.take_back(session, payment)
        by_card = payment.now.card_held
        if not by_card and not row.mandate_id:
            self._ask_for_card(session, held, now)
            return None
        if not by_card:
            payment.paid_by(brand=row.card_brand, last4=row.card_last4)
        return self.charges.intend(
            session,
            payment,
            origin=_ORIGIN,
            keep_card=by_card,
            mandate_id="" if by_card else row.mandate_id,
        )

    def _open(self, session: Session, held: HeldOrder, state: PaymentState, now: datetime) -> HeldPayment:
        row = held.row
        context = self.links.fresh_context(session, PaymentContext.FromString(row.context))
        due_on = due_date(plan_of(row), row.index)
        context.due_on = due_on.isoformat()
        new = NewPayment(
            context=context,
            payer_name=row.payer_name,
            type=PaymentType.SERVICE_FEE,
            due_on=due_on,
            state=state,
        )
        payment = open_payment(session, new, at=now)
        held.begin_day(session, payment)
        return payment

    def _move_on(self, session: Session, held: HeldOrder, now: datetime) -> None:
        row, charge, payment = held.row, held.charge, held.payment
        if charge is not None and payment is not None and payment.now.card_token is not None:
            # A card that was given was charged, and not the one that the gateway kept until then.
            forget_card(session, row, now)
            row.mandate_id = charge.mandate_id
        row.made, row.index = row.made + 1, row.index + 1
        row.payment_id, row.charge_on, row.heard_key, row.note = None, None, "", ""
        row.tries = row.faults = 0
        self._tell(session, held, StandingOrderTold.NEWS_CHARGED, now)

    def _ask_for_card(self, session: Session, held: HeldOrder, now: datetime) -> None:
        """The client is mailed a link by which they give another card for the present day's payment."""
        row, payment = held.row, held.payment
        _hear(held)
        row.note = row.note or "The card is not there any more."
        held.happen(OrderFact.CARD_REFUSED)
        row.act_at, row.charge_on = None, None
        row.tries = row.faults = 0
        if payment is None:
            payment = self._open(session, held, PaymentState.REQUESTED, now)
            self.links.issue(session, payment)
        else:
            self._void(session, payment, reason=_DECLINED, fresh_link=True, now=now)
            if replacement := locked(session, self.links.ask_again(session, payment)):
                held.begin_day(session, replacement)
        self._tell(session, held, StandingOrderTold.NEWS_CARD_NEEDED, now)

    def _give_up(self, session: Session, held: HeldOrder, now: datetime) -> None:
        """The payment of an order that has ended: what the client gave or was asked for is of no use any more."""
        payment = held.payment
        if payment is not None:
            self.links.take_back(session, payment)
            self._void(session, payment, reason=_CANCELLED, fresh_link=False, now=now)
        held.row.payment_id = None

    def _void(self, session: Session, payment: HeldPayment, *, reason: str, fresh_link: bool, now: datetime) -> None:
        if void(session, self.outbox, payment, reason=reason, fresh_link=fresh_link, at=now):
            self.removals.want(session, payment, reason=Removal.VOIDED, origin=_ORIGIN)

    def _tell(self, session: Session, held: HeldOrder, news: "StandingOrderTold.News.ValueType", now: datetime) -> None:
        tell(session, self.outbox, held.row, news, now)

    # ---- cards at gateways

    def _forget(self, agency_id: str, mandate_id: str) -> bool:
        forgotten = self._ask_to_forget(agency_id, mandate_id)
        with self.database.transaction() as session:
            row = session.get(OldMandateRow, mandate_id, with_for_update=True)
            if row is None:
                return False
            if forgotten:
                session.delete(row)
            else:
                row.try_at = self.clock.now() + _FORGET_AGAIN
        return forgotten

    def _ask_to_forget(self, agency_id: str, mandate_id: str) -> bool:
        try:
            self.charges.end_mandate(agency_id, mandate_id)
        except WayvaultError as error:
            _log.warning("mandate.not_ended", cause=type(error).__name__)
            return False
        return True


def _again_at(step: Step, row: StandingOrderRow, now: datetime) -> datetime | None:
    """When the order is looked at next."""
    match step:
        case Rest():
            return None
        case WaitUntil(day=day) | TryAgain(day=day):
            return morning_of(day, zone_of(row))
        case Poll() | ChargeNow():
            return now + POLL_PAUSE
        case TrySoon():
            return now + FAULT_PAUSE
        case _:
            return now


def _hear(held: HeldOrder) -> None:
    """The order has heard how the newest charge ended."""
    if held.charge is not None:
        held.row.heard_key = held.charge.key
        held.row.note = held.charge.reason[:300]
