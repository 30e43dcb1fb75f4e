"""Where a booking's money stands. Pure. Amounts are of the booking's currency.

What was paid on a segment settles its due amounts in their order, whichever of them it was meant for: suppliers count
the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.money import Money
from services.crm.paying.payments.service import Balance, Counted, PaymentType, balance, fee_balance, overpaid_by
from services.crm.trips.bookings.service import BookingDetail, Due, DueKind, SegmentDetail

TYPE_OF = {DueKind.DEPOSIT: PaymentType.DEPOSIT, DueKind.FINAL: PaymentType.FINAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDue:
    """A due amount and what of it is left: after what was paid, and after what was asked for or authorized too."""

    due: Due
    left: Money
    not_asked: Money

    def is_late(self, today: date) -> bool:
        return self.left.minor > 0 and self.due.due_on is not None and self.due.due_on < today


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSchedule:
    """A segment with its sums and its due amounts."""

    segment: SegmentDetail
    balance: Balance
    dues: Sequence[OpenDue]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingSchedule:
    """All segments, and the agency's own fee where there is one."""

    currency: str
    segments: Sequence[SegmentSchedule]
    fee: Balance | None
    fee_purpose: str

    def of_segment(self, segment_id: str) -> SegmentSchedule | None:
        return next((each for each in self.segments if each.segment.id == segment_id), None)

    @property
    def price(self) -> Money:
        return self._sum([each.balance.price for each in self.segments] + [self.fee.price if self.fee else None])

    @property
    def paid(self) -> Money:
        return self._sum([each.processed for each in self._balances])

    @property
    def on_the_way(self) -> Money:
        """Asked for or authorized, and not yet paid."""
        return self._sum([each for one in self._balances for each in (one.requested, one.authorized)])

    @property
    def due(self) -> Money:
        """What is left to pay, as far as the prices are known."""
        return self._sum([each.due for each in self._balances])

    @property
    def next_due(self) -> OpenDue | None:
        """What must be paid next, of the whole trip: the earliest day first, those without a day last."""
        still = [due for each in self.segments for due in each.dues if due.left.minor > 0]
        return min(still, key=lambda each: each.due.due_on or date.max, default=None)

    @property
    def _balances(self) -> list[Balance]:
        return [each.balance for each in self.segments] + ([self.fee] if self.fee else [])

    def _sum(self, amounts: Sequence[Money | None]) -> Money:
        return Money(minor=sum(each.minor for each in amounts if each), currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What it makes sense to ask for next. `segment_id` is empty for the agency's own fee."""

    segment_id: str
    type: PaymentType
    amount: Money
    due_on: date | None
    purpose: str


def booking_schedule(booking: BookingDetail, counted: Mapping[str, Sequence[Counted]]) -> BookingSchedule:
    """Adds up; `counted` holds the booking's payments by segment, fees without a segment under the empty id."""
    everything = [each for payments in counted.values() for each in payments]
    fees = [each for each in everything if each.type is PaymentType.SERVICE_FEE]
    return BookingSchedule(
        currency=booking.currency,
        segments=tuple(
            _segment(segment, counted.get(segment.id, ()), booking.currency) for segment in booking.segments
        ),
        fee=fee_balance(booking.service_fee, fees, booking.currency) if booking.service_fee or fees else None,
        fee_purpose=booking.service_fee_description or "Service fee",
    )


def proposal(
    schedule: BookingSchedule, *, segment_id: str = "", due_id: str = "", fee: bool = False
) -> Proposal | None:
    """The next due amount less what was paid, authorized or asked for already: of the whole trip, of one segment, or
    the very due amount that is named. None where nothing is left to ask for."""
    if fee:
        return _fee_proposal(schedule)
    among = [each for each in schedule.segments if not segment_id or each.segment.id == segment_id]
    dues = [due for each in among for due in each.dues if due.not_asked.minor > 0]
    named = next((due for due in dues if due.due.id == due_id), None) if due_id else None
    following = named or min(dues, key=lambda each: each.due.due_on or date.max, default=None)
    if following is not None:
        return _due_proposal(following)
    for each in among:
        if (rest := _rest(each)) is not None:
            return rest
    return None if segment_id else _fee_proposal(schedule)


def open_due_of(schedule: SegmentSchedule, kind: PaymentType) -> OpenDue | None:
    """The first due amount of this kind of which something was not asked for yet."""
    fitting = (each for each in schedule.dues if TYPE_OF.get(each.due.kind, PaymentType.REGULAR) is kind)
    return next((each for each in fitting if each.not_asked.minor > 0), None)


def excess_of(schedule: BookingSchedule, kind: PaymentType, segment_id: str, more: Money) -> Money | None:
    """By how much `more` would take what was asked for, authorized and paid over the price; None when it would not."""
    if kind is PaymentType.SERVICE_FEE:
        return overpaid_by(schedule.fee, more) if schedule.fee is not None else None
    segment = schedule.of_segment(segment_id)
    return overpaid_by(segment.balance, more) if segment is not None else None


def _due_proposal(following: OpenDue) -> Proposal:
    due = following.due
    return Proposal(
        segment_id=due.segment.id,
        type=TYPE_OF.get(due.kind, PaymentType.REGULAR),
        amount=following.not_asked,
        due_on=due.due_on,
        purpose=due.segment.data.supplier_name,
    )


def _rest(schedule: SegmentSchedule) -> Proposal | None:
    """What the price leaves beyond the schedule."""
    price, promised = schedule.balance.price, schedule.balance.promised
    if price is None or price.minor <= promised.minor:
        return None
    return Proposal(
        segment_id=schedule.segment.id,
        type=PaymentType.FINAL,
        amount=price - promised,
        due_on=None,
        purpose=schedule.segment.data.supplier_name,
    )


def _fee_proposal(schedule: BookingSchedule) -> Proposal | None:
    fee = schedule.fee
    if fee is None or fee.price is None or fee.price.minor <= fee.promised.minor:
        return None
    return Proposal(
        segment_id="",
        type=PaymentType.SERVICE_FEE,
        amount=fee.price - fee.promised,
        due_on=None,
        purpose=schedule.fee_purpose,
    )


def _segment(segment: SegmentDetail, payments: Sequence[Counted], currency: str) -> SegmentSchedule:
    sums = balance(segment.price, payments, currency)
    paid, promised, dues = sums.processed.minor, sums.promised.minor, []
    for due in segment.dues:
        settled, asked = min(paid, due.amount.minor), min(promised, due.amount.minor)
        paid, promised = paid - settled, promised - asked
        dues.append(
            OpenDue(
                due=due,
                left=Money(minor=due.amount.minor - settled, currency=currency),
                not_asked=Money(minor=due.amount.minor - asked, currency=currency),
            )
        )
    return SegmentSchedule(segment=segment, balance=sums, dues=tuple(dues))
