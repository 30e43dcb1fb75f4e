"""The form that sends payment authorization links."""

from typing import Any, Final

from wtforms import HiddenField
from wtforms.validators import Length

from chassis.money import Money
from chassis.web.forms import BooleanField, MoneyField
from services.crm.core.forms import WithTickedParts
from services.crm.paying.links.pages import PaymentFields
from services.crm.paying.links.service import LinkRequest, Share
from services.crm.paying.payments.pages import chosen_segment, lacks_supplier, segment_choices
from services.crm.paying.payments.service import PaymentType
from services.crm.trips.bookings.service import BookingDetail, Passenger

_TICK_OR_EMPTY: Final = "Tick them as well, or take the amount out."


class LinkForm(PaymentFields, WithTickedParts):
    """Passengers come per booking: `make_form` adds a tick and an amount for each."""

    request_key = HiddenField(validators=[Length(min=16, max=60)])

    passengers: list["PassengerChoice"]


class PassengerChoice:
    """One passenger on the form: their tick and their amount, or why they can't be ticked."""

    def __init__(self, passenger: Passenger, pick: BooleanField | None, amount: MoneyField | None) -> None:
        self.passenger = passenger
        self.pick = pick
        self.amount = amount

    @property
    def is_picked(self) -> bool:
        return self.pick is not None and bool(self.pick.data)


def make_form(booking: BookingDetail, **values: Any) -> LinkForm:  # Any: whatever a field takes as data
    """The form for one booking. `values` fills it when it is first shown."""
    fields: dict[str, Any] = {}
    for index, passenger in enumerate(booking.passengers):
        if passenger.email:
            fields[f"pick_{index}"] = BooleanField(passenger.name)
            fields[f"amount_{index}"] = MoneyField(f"Amount for {passenger.name}", currency=booking.currency)
    bound = type("BookingLinkForm", (LinkForm,), fields)
    form: LinkForm = bound(data=values)
    form.segment_id.choices = segment_choices(booking)
    form.passengers = [
        PassengerChoice(passenger, getattr(form, f"pick_{index}", None), getattr(form, f"amount_{index}", None))
        for index, passenger in enumerate(booking.passengers)
    ]
    return form


def read_request(form: LinkForm) -> LinkRequest | None:
    """What the agent asks for; None when something is wrong, which then stands at its field."""
    valid = form.validate_on_submit()
    picked = [choice for choice in form.passengers if choice.is_picked]
    if not picked:
        form.refuse("", "Tick at least one passenger who gets the link.")
        valid = False
    for choice in form.passengers:
        if choice.amount is not None and not choice.is_picked:
            words = f"{choice.passenger.name} is not ticked, so nothing would be asked of them. {_TICK_OR_EMPTY}"
            valid = not form.ask_about_left([choice.amount.name], words) and valid
    shares = []
    for choice in picked:
        amount = choice.amount.data if choice.amount is not None else None
        if isinstance(amount, Money):
            shares.append(Share(client_id=choice.passenger.client_id, amount=amount))
        elif choice.amount is not None and not choice.amount.errors:
            form.refuse(choice.amount.name, f"Enter the amount for {choice.passenger.name}.")
            valid = False
    kind = PaymentType(form.type.data) if form.type.data in set(PaymentType) else None
    if lacks_supplier(kind, form.segment_id.data):
        form.refuse("segment_id", "Choose the supplier that this payment goes to.")
        valid = False
    if not valid or kind is None:
        return None
    return LinkRequest(
        request_key=form.request_key.data or "",
        segment_id=chosen_segment(form.segment_id.data),
        type=kind,
        purpose=form.purpose.data or "",
        due_on=form.due_on.data,
        shares=shares,
    )
