"""What standing orders will charge when, as things stand now. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.money import Money
from services.crm.paying.standing_orders.plan import due_date, is_over
from services.crm.paying.standing_orders.records import StandingOrder
from services.crm.paying.standing_orders.rules import OrderState, charge_day

# What is charged by itself: at once, or as soon as the client has signed.
_PLANNED = (OrderState.ACTIVE, OrderState.PROPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCharge:
    """One charge to come. `day` is the agency's; None for an order that charges nothing until somebody does something
    (paused, another card needed). `number` counts the charges of its order from 1."""

    order: StandingOrder
    day: date | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AheadSum:
    """What the time comes to in one currency: of orders that are signed, and of those that are not yet."""

    count: int
    signed: Money
    unsigned: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Charges by their day, then the orders that charge nothing now."""

    charges: Sequence[PlannedCharge]
    stalled: Sequence[PlannedCharge]
    sums: Sequence[AheadSum]


def ahead_of(orders: Iterable[tuple[StandingOrder, date]], first: date, last: date) -> Ahead:
    """What orders that have not ended charge from `first` to `last`. Beside each order its agency's day."""
    charges, stalled = [], []
    for order, today in orders:
        if order.state in _PLANNED:
            charges += [each for each in _planned(order, today, last) if each.day is not None and each.day >= first]
        else:
            stalled.append(PlannedCharge(order=order, day=None, number=order.made + 1))
    charges.sort(key=lambda each: (each.day or last, each.order.payer_name, each.order.id))
    return Ahead(charges=charges, stalled=stalled, sums=_sums(charges))


def _planned(order: StandingOrder, today: date, last: date) -> Iterator[PlannedCharge]:
    """The present charge may be later than its plan's day: told too late, or tried again. The others are by the plan,
    but never before it."""
    index, made, nearest = order.index, order.made, today
    if order.payment_id is None and is_over(order.plan, index=index, made=made):
        return
    while True:
        day = charge_day(due_date(order.plan, index), notice_days=order.notice_days, today=nearest)
        if index == order.index:
            day = order.charge_on or (max(order.plan.first_on, today) if order.state is OrderState.PROPOSED else day)
        if day > last:
            return
        yield PlannedCharge(order=order, day=day, number=made + 1)
        index, made, nearest = index + 1, made + 1, max(day, today)
        if is_over(order.plan, index=index, made=made):
            return


def _sums(charges: Sequence[PlannedCharge]) -> list[AheadSum]:
    found = []
    for currency in sorted({each.order.plan.amount.currency for each in charges}):
        ours = [each.order for each in charges if each.order.plan.amount.currency == currency]
        signed = [order.plan.amount.minor for order in ours if order.state is not OrderState.PROPOSED]
        unsigned = [order.plan.amount.minor for order in ours if order.state is OrderState.PROPOSED]
        found.append(
            AheadSum(
                count=len(ours),
                signed=Money(minor=sum(signed), currency=currency),
                unsigned=Money(minor=sum(unsigned), currency=currency),
            )
        )
    return found
