"""The payment report's query: an agent's payments that wait to be processed (M4)."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from chassis.db import AsText
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import PENDING, PaymentState
from services.crm.sales.clients.service import name_key


class PendingSort(StrEnum):
    """What the payment report can be ordered by."""

    WAITING = "waiting"
    DUE = "due"
    AMOUNT = "amount"
    KEPT = "kept"
    CLIENT = "client"
    SUPPLIER = "supplier"


LONGEST_WAITING = Order(PendingSort.WAITING)
PENDING_KEYS: Keys[PendingSort] = {
    PendingSort.WAITING: Key(PaymentRow.authorized_at),
    PendingSort.DUE: Key(PaymentRow.due_on, PaymentRow.authorized_at, gaps=True),
    PendingSort.AMOUNT: Key(PaymentRow.amount_minor, falling=True),
    PendingSort.KEPT: Key(PaymentRow.card_kept_until, gaps=True),
    PendingSort.CLIENT: Key(name_key(PaymentRow.payer_client_id), PaymentRow.authorized_at),
    PendingSort.SUPPLIER: Key(AsText(PaymentRow.supplier_name), PaymentRow.authorized_at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFilter:
    """What the payment report shows. `text` finds clients, bookings, suppliers and the card's last four."""

    text: str = ""
    # Whether the card was shown to the agent already; None = either.
    shown: bool | None = None
    order: Order[PendingSort] = LONGEST_WAITING


def pending_query(actor: Actor, wanted: PendingFilter) -> Select[PaymentRow]:
    """The actor's own pending payments that a filter shows, in its order."""
    states = PENDING if wanted.shown is None else {each for each in PENDING if _is_shown(each) is wanted.shown}
    query = select(PaymentRow).where(PaymentRow.agent_id == actor.agent_id, PaymentRow.state.in_(states))
    for word in wanted.text.split():
        columns = (PaymentRow.payer_name, PaymentRow.booking_title, PaymentRow.supplier_name, PaymentRow.card_last4)
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return in_order(query, wanted.order, PENDING_KEYS, PaymentRow.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentKeys:
    """What lists of other rooms are ordered by, of the payments that they are about."""

    payer: ColumnElement[str]
    title: ColumnElement[str]
    amount: ColumnElement[int]


def keys_of(payment_id: InstrumentedAttribute[str]) -> PaymentKeys:
    """Of the payment that a row names."""
    # The payer's name is looked up within a look-up, where the row is no longer found of itself.
    row = payment_id.class_
    payer, title, amount = (
        select(column).where(PaymentRow.id == payment_id).correlate(row).scalar_subquery()
        for column in (PaymentRow.payer_client_id, PaymentRow.booking_title, PaymentRow.amount_minor)
    )
    return PaymentKeys(payer=name_key(payer), title=AsText(title), amount=amount)


def count_pending(actor: Actor) -> Select[int]:
    """How many of the actor's own payments wait, to be read with what else a reader wants."""
    return select(func.count()).where(PaymentRow.agent_id == actor.agent_id, PaymentRow.state.in_(PENDING))


def count_pending_by_agent() -> Select[str, int]:
    """The same for every agent who has any."""
    return select(PaymentRow.agent_id, func.count()).where(PaymentRow.state.in_(PENDING)).group_by(PaymentRow.agent_id)


def _is_shown(state: PaymentState) -> bool:
    return state is PaymentState.RETRIEVED


def orders_of_authorized() -> Select[str]:
    """The standing orders of which a payment is authorized, and not scheduled. Without a process of a release that
    knows no standing orders there are none."""
    return select(PaymentRow.standing_order_id).where(
        PaymentRow.state == PaymentState.AUTHORIZED, PaymentRow.standing_order_id != ""
    )
