"""What other rooms use of the schedule: where a booking's money stands, and what to ask for next."""

from dataclasses import dataclass

from services.crm.paying.payments.service import PaymentBook
from services.crm.paying.schedule.rules import (
    BookingStanding,
    OpenDue,
    Proposal,
    SegmentStanding,
    booking_standing,
    excess_of,
    open_due_of,
    proposal,
)
from services.crm.trips.bookings.service import BookingDetail

__all__ = [
    "BookingStanding",
    "OpenDue",
    "Proposal",
    "Schedule",
    "SegmentStanding",
    "excess_of",
    "open_due_of",
    "proposal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Reads the book of payments; one query per booking."""

    book: PaymentBook

    def standing(self, booking: BookingDetail) -> BookingStanding:
        """Where the money of a booking stands that the caller has from a look-up of its own."""
        return booking_standing(booking, self.book.counted_by_segment(booking.id))
