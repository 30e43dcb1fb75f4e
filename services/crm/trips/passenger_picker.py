"""Passengers to tick on a form: those with an e-mail address can be sent something."""

from chassis.web.forms import BooleanField, Form
from services.crm.trips.bookings.service import BookingDetail, Passenger


class PassengerTick:
    """One passenger on the form: her tick; None when she can't be ticked."""

    def __init__(self, passenger: Passenger, pick: BooleanField | None) -> None:
        self.passenger = passenger
        self.pick = pick

    @property
    def is_picked(self) -> bool:
        return self.pick is not None and bool(self.pick.data)


def tick_fields(booking: BookingDetail) -> dict[str, BooleanField]:
    """The fields of a form for this booking, by name."""
    return {
        f"pick_{index}": BooleanField(passenger.name)
        for index, passenger in enumerate(booking.passengers)
        if passenger.email
    }


def ticks_of(form: Form, booking: BookingDetail) -> list[PassengerTick]:
    """Every passenger with the tick that the form has for her."""
    return [
        PassengerTick(passenger, getattr(form, f"pick_{index}", None))
        for index, passenger in enumerate(booking.passengers)
    ]
