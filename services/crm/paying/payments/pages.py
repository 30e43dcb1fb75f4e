"""The part of the trip that a payment is for, as every form that makes payments asks for it."""

from typing import Final

from services.crm.paying.payments.rules import PaymentType
from services.crm.trips.bookings.service import BookingDetail

# The choice that is no part of the trip: what the agency itself charges.
NO_SEGMENT: Final = "none"


def segment_choices(booking: BookingDetail) -> dict[str, str]:
    """The booking's suppliers, and the agency's own service fee."""
    return {
        **{segment.id: segment.data.supplier_name for segment in booking.segments},
        NO_SEGMENT: "None: the agency's own service fee",
    }


def chosen_segment(choice: str) -> str:
    """The segment's id; "" for the service fee."""
    return "" if choice == NO_SEGMENT else choice


def lacks_supplier(kind: PaymentType | None, choice: str) -> bool:
    """Whether a payment that only a supplier gets was given none."""
    return kind not in (None, PaymentType.SERVICE_FEE) and choice == NO_SEGMENT
