"""Passengers to tick on a form, and who was ticked: those with an e-mail address can be sent something."""

from chassis.errors import InvalidArgument
from chassis.web.forms import BooleanField, Form
from protos.wayvault.events.v1.events_pb2 import Client
from services.crm.core.mail import require_mailable
from services.crm.trips.bookings.service import BookingDetail, Passenger, passenger_snapshot


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


def picked(booking: BookingDetail, client_id: str) -> Passenger:
    """A passenger that a form names. Raises InvalidArgument for who does not travel."""
    passenger = booking.passenger(client_id)
    if passenger is None:
        raise InvalidArgument("Tick passengers of this booking only.", field="passengers")
    return passenger


def picked_for_mail(booking: BookingDetail, client_id: str, *, otherwise: str) -> Passenger:
    """As `picked`, for a passenger who gets a mail. Raises InvalidArgument for one without an address that mail can be
    sent to; `otherwise` says what can't be done then."""
    passenger = picked(booking, client_id)
    if not passenger.email:
        raise InvalidArgument(f"{passenger.name} has no e-mail address, so {otherwise}", field="passengers")
    require_mailable(passenger.email, field="passengers", whose=passenger.name)
    return passenger


def address_today(booking: BookingDetail, client_id: str) -> str:
    """A passenger's address as it is now: it may have been corrected since something was sent to them. Empty for who
    has none or does not travel any more. Raises InvalidArgument for one that no mail can be sent to."""
    passenger = booking.passenger(client_id)
    if passenger is None or not passenger.email:
        return ""
    require_mailable(passenger.email, field="email", whose=passenger.name)
    return passenger.email


def asked_snapshot(booking: BookingDetail, client_id: str, *, name: str, email: str) -> Client:
    """A passenger who was sent something, with the address that it was sent to; under the name that was written then,
    if they no longer travel."""
    found = booking.passenger(client_id)
    if found is None:
        first_name, _, last_name = name.partition(" ")
        return Client(id=client_id, first_name=first_name, last_name=last_name, email=email)
    asked = passenger_snapshot(found)
    asked.email = email
    return asked
