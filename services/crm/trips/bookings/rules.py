"""What a booking is: its states, its segments' kinds, what is due when. Amounts are Money of one currency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from chassis.former_days import CalendarDay
from chassis.itinerary import Point
from chassis.money import Money
from chassis.typed.names import full_name, words_of


class BookingStatus(StrEnum):
    """Where a trip stands."""

    QUOTE = "quote"
    BOOKED = "booked"
    TRAVELED = "traveled"
    CANCELLED = "cancelled"


class SegmentKind(StrEnum):
    """What a supplier sells (the words of events.proto, Segment.kind)."""

    CRUISE = "cruise"
    HOTEL = "hotel"
    TOUR = "tour"
    FLIGHT = "flight"
    CAR = "car"
    INSURANCE = "insurance"
    OTHER = "other"


# What carries one across the date line.
_MAY_CROSS_DATE_LINE = (SegmentKind.FLIGHT, SegmentKind.CRUISE)


class DueKind(StrEnum):
    """Which of a segment's due amounts one is: its deposit, its final payment, or any between."""

    DEPOSIT = "deposit"
    REGULAR = "regular"
    FINAL = "final"


DUE_WORDS: Final = {DueKind.DEPOSIT: "Deposit", DueKind.REGULAR: "Instalment", DueKind.FINAL: "Final payment"}


def crosses_date_line(kind: SegmentKind, begins_on: date | None, ends_on: date | None) -> bool:
    """Whether it arrives the calendar day before it left, as a night flight from Auckland to Honolulu does."""
    if kind not in _MAY_CROSS_DATE_LINE or begins_on is None or ends_on is None:
        return False
    return begins_on - ends_on == timedelta(days=1)


def in_time(kind: SegmentKind, begins_on: date | None, ends_on: date | None) -> tuple[date, bool]:
    """What a trip's parts are ordered by, those without a day last. What crosses the date line comes before what begins
    on the day of its arrival."""
    if begins_on is None:
        return date.max, True
    if ends_on is not None and crosses_date_line(kind, begins_on, ends_on):
        return ends_on, False
    return begins_on, True


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingData:
    """What an agent enters about a booking. The first passenger is the lead; an empty tuple is allowed for a quote."""

    title: str
    status: BookingStatus
    currency: str
    passenger_ids: tuple[str, ...] = ()
    service_fee: Money | None = None
    service_fee_description: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """An amount that is due between the deposit and the final payment. `id` is empty until it is kept."""

    amount: Money
    due_on: date | None
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """How a segment was cancelled: what the supplier keeps, and what it owes back, as far as either is known."""

    at: datetime
    reason: str = ""
    penalty: Money | None = None
    refund_due: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentData:
    """What an agent enters about a segment. The instalments are in the order of their days."""

    supplier_name: str
    kind: SegmentKind
    confirmation_number: str = ""
    description: str = ""
    begins_on: date | None = None
    ends_on: date | None = None
    price: Money | None = None
    deposit: Money | None = None
    deposit_due_on: date | None = None
    final: Money | None = None
    final_due_on: date | None = None
    commission: Money | None = None
    instalments: tuple[Instalment, ...] = ()
    # The flight's, train's or cabin's number; where and when it begins and ends; what the travelers should know.
    number: str = ""
    notes: str = ""
    starts: Point = field(default_factory=Point)
    ends: Point = field(default_factory=Point)

    @property
    def place_in_time(self) -> tuple[date, bool]:
        """What a trip's parts are ordered by."""
        return in_time(self.kind, self.begins_on, self.ends_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDetail:
    """A segment as rooms and pages see one."""

    id: str
    booking_id: str
    data: SegmentData
    cancellation: Cancellation | None = None

    @property
    def is_cancelled(self) -> bool:
        return self.cancellation is not None

    @property
    def price(self) -> Money | None:
        """What is to be paid for it: of a cancelled one what the supplier keeps. None while it is not known."""
        if self.cancellation is None:
            return self.data.price
        if self.cancellation.penalty is not None or self.data.price is None:
            return self.cancellation.penalty
        return Money(minor=0, currency=self.data.price.currency)

    @property
    def dues(self) -> list["Due"]:
        """Everything that is to be paid by a day, in its order; nothing of what was cancelled."""
        return [] if self.is_cancelled else self.scheduled

    @property
    def scheduled(self) -> list["Due"]:
        """The same, whether or not it was cancelled: deposit, instalments, final payment."""
        between = [(DueKind.REGULAR, each.amount, each.due_on, each.id) for each in self.data.instalments]
        return [
            Due(id=due_id or f"{self.id}-{kind.value}", segment=self, kind=kind, amount=amount, due_on=due_on)
            for kind, amount, due_on, due_id in (
                (DueKind.DEPOSIT, self.data.deposit, self.data.deposit_due_on, ""),
                *between,
                (DueKind.FINAL, self.data.final, self.data.final_due_on, ""),
            )
            if amount
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An amount that a supplier expects, by a date if one is known."""

    id: str
    segment: SegmentDetail
    kind: DueKind
    amount: Money
    due_on: date | None

    @property
    def words(self) -> str:
        return DUE_WORDS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passenger:
    """A client on a booking."""

    client_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    is_lead: bool

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingLine:
    """A booking in a list that says nothing of who travels."""

    id: str
    title: str
    status: BookingStatus
    begins_on: date | None
    ends_on: date | None
    total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingDetail:
    """A booking with its segments (by begin) and passengers (lead first)."""

    id: str
    agency_id: str
    agent_id: str
    agent_name: str
    title: str
    status: BookingStatus
    currency: str
    service_fee: Money | None
    service_fee_description: str
    notes: str
    segments: Sequence[SegmentDetail] = field(default_factory=tuple)
    passengers: Sequence[Passenger] = field(default_factory=tuple)
    created_at: datetime
    updated_at: datetime
    version: int
    # What stood on its calendar once and does no more.
    former_days: tuple[CalendarDay, ...] = ()

    @property
    def lead(self) -> Passenger | None:
        return next((passenger for passenger in self.passengers if passenger.is_lead), None)

    @property
    def begins_on(self) -> date | None:
        return min((s.data.begins_on for s in self.active_segments or self.segments if s.data.begins_on), default=None)

    @property
    def ends_on(self) -> date | None:
        # Both ends of each part: across the date line one arrives the day before.
        days = [day for s in self.active_segments or self.segments for day in (s.data.begins_on, s.data.ends_on)]
        return max((day for day in days if day), default=None)

    @property
    def total(self) -> Money:
        """Prices of all segments, of cancelled ones what the suppliers keep, and the service fee."""
        amounts = [s.price for s in self.segments if s.price]
        if self.service_fee:
            amounts.append(self.service_fee)
        return sum(amounts, start=Money(minor=0, currency=self.currency))

    @property
    def commission(self) -> Money:
        amounts = [s.data.commission for s in self.segments if s.data.commission]
        return sum(amounts, start=Money(minor=0, currency=self.currency))

    @property
    def active_segments(self) -> Sequence[SegmentDetail]:
        """The segments that are not cancelled."""
        return [segment for segment in self.segments if not segment.is_cancelled]

    def segment(self, segment_id: str) -> SegmentDetail | None:
        return next((segment for segment in self.segments if segment.id == segment_id), None)

    def passenger(self, client_id: str) -> Passenger | None:
        return next((passenger for passenger in self.passengers if passenger.client_id == client_id), None)


def search_words(title: str, suppliers: Iterable[tuple[str, str]], passengers: Iterable[str]) -> list[str]:
    """The words that a booking is found by: title, suppliers with their confirmation numbers, who travels."""
    # A title's words stand alone; names and numbers are also found when they are parted differently.
    found = words_of(title, together=1)
    found += (word for pair in suppliers for text in pair for word in words_of(text))
    found += (word for name in passengers for word in words_of(name))
    return list(dict.fromkeys(found))


_ENDS_BEFORE_IT_BEGINS = "The end is before the beginning. Check both dates."


def segment_errors(data: SegmentData) -> dict[str, str]:
    """What is wrong with a segment taken as a whole: field name → text for the person."""
    errors: dict[str, str] = {}
    if (
        data.begins_on
        and data.ends_on
        and data.ends_on < data.begins_on
        and not crosses_date_line(data.kind, data.begins_on, data.ends_on)
    ):
        errors["ends_on"] = _ENDS_BEFORE_IT_BEGINS
        if data.kind in _MAY_CROSS_DATE_LINE:
            errors["ends_on"] += " Across the date line it is one day at most."
    if data.ends_on and not data.begins_on:
        errors["begins_on"] = "Give the day it begins too."
    if data.deposit_due_on and not data.deposit:
        errors["deposit"] = "Give the deposit that is due on this date."
    if data.final_due_on and not data.final:
        errors["final"] = "Give the final amount that is due on this date."
    if data.deposit_due_on and data.final_due_on and data.final_due_on < data.deposit_due_on:
        errors["final_due_on"] = "The final payment is due before the deposit. Check both dates."
    if problem := _order_problem(data):
        errors.setdefault("schedule", problem)
    if data.begins_on is None and (data.starts.at or data.ends.at):
        errors.setdefault("begins_on", "Give the day, since there is a time.")
    begins, ends = (
        point.moment(day) if day else None
        for point, day in ((data.starts, data.begins_on), (data.ends, data.ends_on or data.begins_on))
    )
    if begins and ends and ends < begins:
        errors.setdefault("ends_time", "It ends before it begins. Check the days, the times and their zones.")
    return _price_errors(data) | errors


def _price_errors(data: SegmentData) -> dict[str, str]:
    """What is more than the price."""
    errors: dict[str, str] = {}
    if data.price:
        amounts = [data.deposit, *(each.amount for each in data.instalments), data.final]
        scheduled = sum((amount for amount in amounts if amount), start=Money(minor=0, currency=data.price.currency))
        if scheduled.minor > data.price.minor:
            what = "All due amounts together" if data.instalments else "Deposit and final payment"
            errors["final"] = f"{what} come to {scheduled.format()}, more than the price."
        if data.commission and data.commission.minor > data.price.minor:
            errors["commission"] = "The commission is more than the price."
    return errors


def _order_problem(data: SegmentData) -> str:
    """Instalments stand between deposit and final payment."""
    if not data.instalments:
        return ""
    days = [each.due_on for each in data.instalments]
    if any(day is None for day in days):
        return "Give each instalment the day on which it is due."
    known = [day for day in (data.deposit_due_on, *days, data.final_due_on) if day is not None]
    if known != sorted(known):
        return "The instalments must lie between the deposit and the final payment. Check their days."
    return ""


def next_days(today: date, days: int) -> tuple[date, date]:
    """The first and last day of the coming `days`, today included."""
    return today, today + timedelta(days=days)
