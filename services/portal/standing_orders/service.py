"""Use cases of standing orders in the portal: what is known of them, and what their clients ask for."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.cards import brand_words
from chassis.clock import Clock
from chassis.db import Database
from chassis.timestamps import moment_of, stamp
from chassis.typed.days import day_from
from protos.wayvault.events.v1.events_pb2 import PaymentContext, StandingOrderAsked, StandingOrderTold
from services.portal.merges.service import current_client_id
from services.portal.payment_request import PaymentRequest, read_context
from services.portal.standing_orders.models import StandingOrderRow
from services.portal.standing_orders.rules import STATE_WORDS, OrderState, may_cancel, may_change_card


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrder:
    """A standing order for its client. `cancelling`: they asked for that, and the agency's worker has yet to answer."""

    order_id: str
    request: PaymentRequest
    state: OrderState
    next_on: date | None
    made: int
    card_words: str
    cancelling: bool
    card_asked_at: datetime | None
    may_cancel: bool
    may_change_card: bool

    @property
    def state_words(self) -> str:
        return "Being cancelled" if self.cancelling else STATE_WORDS[self.state]


class StandingOrders:
    """The room's use cases."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    def of_client(self, client_id: str) -> list[StandingOrder]:
        """A client's own, the newest told of first."""
        query = select(StandingOrderRow).where(StandingOrderRow.client_id == client_id)
        with self._database.read() as session:
            rows = session.scalars(query.order_by(StandingOrderRow.told_at.desc(), StandingOrderRow.order_id))
            return [self._order_of(row) for row in rows]

    def one_of(self, client_id: str, order_id: str) -> StandingOrder | None:
        """One of the client's own; None for any other."""
        with self._database.read() as session:
            row = session.get(StandingOrderRow, order_id[:64])
            return self._order_of(row) if row is not None and row.client_id == client_id else None

    def cancel(self, client_id: str, order_id: str) -> bool:
        """The client cancels; asked again it changes nothing. Returns whether it is theirs."""
        with self._database.transaction() as session:
            row = _own(session, client_id, order_id)
            if row is not None and self._order_of(row).may_cancel:
                row.cancel_asked_at = self._clock.now()
                self._ask(session, row, StandingOrderAsked.WISH_CANCEL)
            return row is not None

    def ask_for_card(self, client_id: str, order_id: str) -> bool:
        """The client wants to give another card; asked again it changes nothing. Returns whether it is theirs."""
        with self._database.transaction() as session:
            row = _own(session, client_id, order_id)
            if row is not None and self._order_of(row).may_change_card:
                row.card_asked_at = self._clock.now()
                self._ask(session, row, StandingOrderAsked.WISH_OTHER_CARD)
            return row is not None

    def learn(self, session: Session, message: StandingOrderTold, agency_id: str) -> None:
        """What the CRM tells: the latest word stays."""
        told_at, client_id = moment_of(message.at), current_client_id(session, message.context.payer.id)
        row = session.get(StandingOrderRow, message.order_id, with_for_update=True)
        if row is None:
            row = StandingOrderRow(order_id=message.order_id, told_at=told_at)
        elif row.told_at > told_at:
            return
        row.client_id, row.agency_id = client_id, agency_id
        row.context = message.context.SerializeToString(deterministic=True)
        row.state, row.next_on, row.made = message.state[:16], day_from(message.next_on), message.made
        row.card_brand, row.card_last4 = message.card_brand[:20], message.card_last4[-4:]
        row.can_change_card, row.other_card_from = message.can_change_card, day_from(message.other_card_from)
        row.told_at = told_at
        if message.news == StandingOrderTold.NEWS_CARD_ASKED:
            row.card_asked_at = None
        session.add(row)
        session.flush()

    def _order_of(self, row: StandingOrderRow) -> StandingOrder:
        return _order_of(row, self._clock.now())

    def _ask(self, session: Session, row: StandingOrderRow, wish: "StandingOrderAsked.Wish.ValueType") -> None:
        event = StandingOrderAsked(
            order_id=row.order_id, client_id=row.client_id, wish=wish, at=stamp(self._clock.now())
        )
        self._outbox.add(session, event, aggregate_id=row.order_id, agency_id=row.agency_id)


def _own(session: Session, client_id: str, order_id: str) -> StandingOrderRow | None:
    row = session.get(StandingOrderRow, order_id[:64], with_for_update=True)
    return row if row is not None and row.client_id == client_id else None


def _order_of(row: StandingOrderRow, now: datetime) -> StandingOrder:
    request = read_context(PaymentContext.FromString(row.context))
    state = OrderState(row.state)
    can_cancel = may_cancel(state, asked=row.cancel_asked_at is not None)
    cancelling = row.cancel_asked_at is not None and may_cancel(state, asked=False)
    return StandingOrder(
        order_id=row.order_id,
        request=request,
        state=state,
        next_on=None if cancelling else row.next_on,
        made=row.made,
        card_words=f"{brand_words(row.card_brand)} ending in {row.card_last4}" if row.card_last4 else "",
        cancelling=cancelling,
        card_asked_at=row.card_asked_at,
        may_cancel=can_cancel,
        may_change_card=may_change_card(
            offered=row.can_change_card,
            opens=row.other_card_from,
            today=now.astimezone(ZoneInfo(request.time_zone)).date(),
            asked=row.card_asked_at is not None,
            cancelling=cancelling,
        ),
    )
