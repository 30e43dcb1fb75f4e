"""Passengers to tick on a form: those with an e-mail address can be sent something."""

from chassis.web.forms import BooleanField, Form
from services.crm.trips.bookings.service import BookingDetail, Passenger


class PassengerChoice:
    """One passenger on the form: their tick; None when they can't be ticked."""

    def __init__(self, passenger: Passenger, pick: BooleanField | None) -> None:
        self.passenger = passenger
        self.pick = pick

    @property
    def is_picked(self) -> bool:
        return self.pick is not None and bool(self.pick.data)


def choice_fields(booking: BookingDetail) -> dict[str, BooleanField]:
    """The fields of a form for this booking, by name."""
    return {
        f"pick_{index}": BooleanField(passenger.name)
        for index, passenger in enumerate(booking.passengers)
        if passenger.email
    }


def choices_of(form: Form, booking: BookingDetail) -> list[PassengerChoice]:
    """Every passenger with the tick that the form has for them."""
    return [
        PassengerChoice(passenger, getattr(form, f"pick_{index}", None))
        for index, passenger in enumerate(booking.passengers)
    ]
