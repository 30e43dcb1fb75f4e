"""What a trip is for its travelers: what is paid and due, what one may pay now, which trips are over. Pure.

Amounts of one trip share its currency. A segment's total is its price or, where the agent gave none, its due amounts
together; of a cancelled one it is what the supplier keeps. The agency's own fee reads as a segment without a supplier.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from chassis.former_days import CalendarDay, uid_of
from chassis.itinerary import Point
from chassis.money import Money


class TripStatus(StrEnum):
    """Where a trip stands (the words of events.proto, BookingSaved.status)."""

    QUOTE = "quote"
    BOOKED = "booked"
    TRAVELED = "traveled"
    CANCELLED = "cancelled"


class PayType(StrEnum):
    """What a client's own payment is."""

    DEPOSIT = "deposit"
    REGULAR = "regular"
    FINAL = "final"
    SERVICE_FEE = "service_fee"


# The id by which addresses and forms know the agency's own fee.
FEE_ID: Final = "fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """An amount that the supplier expects, by a day where one is known."""

    id: str
    type: PayType
    amount: Money
    due_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One supplier's part of a trip. Amounts are None where the agent gave none."""

    id: str
    supplier: str
    kind: str
    confirmation: str
    text: str
    begins_on: date | None
    ends_on: date | None
    price: Money | None
    # In the order in which they are to be paid.
    scheduled: tuple[Scheduled, ...] = ()
    cancelled: bool = False
    # What the supplier keeps of a cancelled segment, and what it owes back.
    penalty: Money | None = None
    refund_due: Money | None = None
    # The flight's, train's or cabin's number; where and when it begins and ends; what the agent tells of it.
    number: str = ""
    notes: str = ""
    starts: Point = field(default_factory=Point)
    ends: Point = field(default_factory=Point)

    @property
    def is_fee(self) -> bool:
        return self.id == FEE_ID

    @property
    def total(self) -> Money | None:
        """What the segment costs, as far as it is known."""
        if self.cancelled:
            return self.penalty
        if self.price is not None:
            return self.price
        known = [each.amount for each in self.scheduled]
        return sum(known[1:], start=known[0]) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveler:
    """Somebody on the trip."""

    client_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A booking as the CRM last told of it. `version` counts its changes; `lead` is the client who speaks for it."""

    id: str
    title: str
    status: TripStatus
    currency: str
    version: int
    lead: str
    segments: tuple[Segment, ...]
    travelers: tuple[Traveler, ...]
    # The agency's own fee for the trip.
    fee: Segment | None = None

    @property
    def begins_on(self) -> date | None:
        return min((part.begins_on for part in self._active if part.begins_on), default=None)

    @property
    def ends_on(self) -> date | None:
        # Both ends of each part: across the date line one arrives the day before.
        days = [day for part in self._active for day in (part.begins_on, part.ends_on)]
        return max((day for day in days if day), default=None)

    @property
    def _active(self) -> tuple[Segment, ...]:
        """What is not cancelled; all of it where nothing else is left."""
        return tuple(part for part in self.segments if not part.cancelled) or self.segments

    def segment(self, segment_id: str) -> Segment | None:
        return next((part for part in self.segments if part.id == segment_id), None)

    def traveler(self, client_id: str) -> Traveler | None:
        return next((person for person in self.travelers if person.client_id == client_id), None)


def is_shown(status: TripStatus, *, was_shown: bool) -> bool:
    """Whether travelers see the trip: once it is booked. A quote is still the agent's desk, and one that was cancelled
    before it was booked never was a trip."""
    return status in (TripStatus.BOOKED, TripStatus.TRAVELED) or (status is TripStatus.CANCELLED and was_shown)


def is_over(status: TripStatus, ends_on: date | None, today: date) -> bool:
    """Whether a trip stands below, among the past ones. One without dates is still ahead."""
    if status in (TripStatus.CANCELLED, TripStatus.TRAVELED):
        return True
    return ends_on is not None and ends_on < today


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentBalance:
    """Where a segment's money stands, all travelers' payments together.

    `paid` was taken by the supplier; `under_way` was authorized and is not settled yet. Where the total is known:
    paid + under_way + due - over = total, and at most one of due and over is more than nothing.
    """

    total: Money | None
    paid: Money
    under_way: Money
    due: Money | None
    over: Money

    @property
    def promised(self) -> Money:
        return self.paid + self.under_way

    @property
    def settled(self) -> bool:
        """Whether nothing is left to pay or to settle."""
        return self.due is not None and self.due.minor == 0 and self.under_way.minor == 0


def balance_of(segment: Segment, currency: str, *, paid: Iterable[Money], under_way: Iterable[Money]) -> SegmentBalance:
    """Adds up. A payment in another currency than the trip's can't be added up and is left out."""
    none = Money(minor=0, currency=currency)
    done = sum((each for each in paid if each.currency == currency), start=none)
    coming = sum((each for each in under_way if each.currency == currency), start=none)
    total = segment.total
    if total is None or total.currency != currency:
        return SegmentBalance(total=None, paid=done, under_way=coming, due=None, over=none)
    left = total.minor - done.minor - coming.minor
    return SegmentBalance(
        total=total,
        paid=done,
        under_way=coming,
        due=Money(minor=max(0, left), currency=currency),
        over=Money(minor=max(0, -left), currency=currency),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An amount with its day, and how much of it is still open after what was paid and is under way."""

    id: str
    type: PayType
    amount: Money
    open: Money
    due_on: date | None

    def is_late(self, today: date) -> bool:
        return self.open.minor > 0 and self.due_on is not None and self.due_on < today


def calendar_days(trip: Trip) -> list[CalendarDay]:
    """What stands on the trip's calendar, by day alone: its parts, and the days by which something is due."""
    days = []
    for part in trip.segments:
        if part.begins_on is not None:
            ends_on = part.ends_on or part.begins_on
            days.append(
                CalendarDay(uid=uid_of(part.id), begins_on=part.begins_on, ends_on=ends_on, title=part.supplier)
            )
        days += [
            CalendarDay(uid=uid_of(due.id), begins_on=day, ends_on=day, title=f"Payment to {part.supplier}")
            for due in (() if part.cancelled else part.scheduled)
            if (day := due.due_on) is not None
        ]
    return days


def schedule(segment: Segment, now: SegmentBalance) -> tuple[Due, ...]:
    """The due amounts in their order; what was paid settles the first of them first. Nothing is due on what was
    cancelled."""
    dues: list[Due] = []
    if segment.cancelled:
        return ()
    rest = now.promised.minor
    for each in segment.scheduled:
        used = min(rest, each.amount.minor)
        rest -= used
        still = Money(minor=each.amount.minor - used, currency=each.amount.currency)
        dues.append(Due(id=each.id, type=each.type, amount=each.amount, open=still, due_on=each.due_on))
    return tuple(dues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A payment that makes sense now. `amount` is what the form shows first; None = the client's choice."""

    type: PayType
    amount: Money | None
    due_on: date | None = None


def offers(status: TripStatus, segment: Segment, now: SegmentBalance) -> tuple[Offer, ...]:
    """What a client may pay on a segment, what is due next first; nothing when all is paid or it is cancelled."""
    if status not in (TripStatus.BOOKED, TripStatus.TRAVELED) or segment.cancelled:
        return ()
    if now.due is not None and now.due.minor == 0:
        return ()
    if segment.is_fee:
        return (Offer(type=PayType.SERVICE_FEE, amount=now.due),)
    dues = [each for each in schedule(segment, now) if each.open.minor > 0]
    following = dues[0] if dues else None
    last_day = max((each.due_on for each in segment.scheduled if each.due_on), default=None)
    found: dict[PayType, Offer] = {}
    is_part = following is not None and (now.due is None or following.open.minor < now.due.minor)
    if following is not None and is_part and following.type is not PayType.FINAL:
        found[following.type] = Offer(type=following.type, amount=following.open, due_on=following.due_on)
    if now.due is not None:
        found[PayType.FINAL] = Offer(type=PayType.FINAL, amount=now.due, due_on=last_day)
    a_part = Offer(type=PayType.REGULAR, amount=None, due_on=following.due_on if following else None)
    return tuple({**found, PayType.REGULAR: found.get(PayType.REGULAR, a_part)}.values())


def amount_error(amount: Money, now: SegmentBalance) -> str:
    """Why this amount can't be paid on the segment, in words for the client; empty when it can."""
    if amount.minor <= 0:
        return "Enter an amount above zero."
    if now.due is not None and amount.minor > now.due.minor:
        if now.under_way.minor:
            return (
                f"At most {now.due.format()} is left to pay: {now.under_way.format()} that was authorized already is "
                "being taken."
            )
        return f"At most {now.due.format()} is left to pay."
    return ""
