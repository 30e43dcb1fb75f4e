"""What other rooms use of the schedule: where a booking's money stands, and what to ask for next."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.crm.paying.payments.service import PaymentBook
from services.crm.paying.schedule.rules import (
    BookingSchedule,
    OpenDue,
    Proposal,
    SegmentSchedule,
    booking_schedule,
    excess_of,
    open_due_of,
    proposal,
)
from services.crm.trips.bookings.service import BookingDetail

__all__ = [
    "BookingSchedule",
    "OpenDue",
    "Proposal",
    "Schedule",
    "SegmentSchedule",
    "excess_of",
    "open_due_of",
    "proposal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Reads the book of payments; one query per booking."""

    book: PaymentBook

    def of(self, booking: BookingDetail) -> BookingSchedule:
        """Where the money of a booking stands that the caller has from a look-up of its own."""
        return booking_schedule(booking, self.book.counted_by_segment(booking.id))

    def of_many(self, bookings: Sequence[BookingDetail]) -> list[BookingSchedule]:
        """The same of several, in their order, in one query."""
        counted = self.book.counted_by_booking([booking.id for booking in bookings]) if bookings else {}
        return [booking_schedule(booking, counted[booking.id]) for booking in bookings]
