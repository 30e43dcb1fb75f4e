"""The form that offers travel insurance."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import Length

from chassis.money import Money
from chassis.paper.forms import OnPaper
from chassis.web.forms import Form, MoneyField, StringField, required
from services.crm.signing.insurance.rules import MAX_PLAN
from services.crm.signing.insurance.service import OfferRequest
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.passenger_picker import PassengerChoice, choice_fields, choices_of


class OfferForm(Form):
    """Passengers come per booking: `make_form` adds a tick for each."""

    request_key = HiddenField(validators=[Length(min=16, max=60)])
    plan = StringField(
        "Insurance plan",
        [required("Name the plan, such as “Voyager Care Plus”."), Length(max=MAX_PLAN), OnPaper()],
        description="The passenger reads this. Name the insurer too.",
    )
    price: MoneyField

    passengers: list[PassengerChoice]


def make_form(booking: BookingDetail, **values: Any) -> OfferForm:  # Any: whatever a field takes as data
    """The form for one booking."""
    fields: dict[str, Any] = {
        "price": MoneyField(
            "Price", [required("Enter what the plan costs for one passenger.")], currency=booking.currency
        )
    }
    bound = type("BookingOfferForm", (OfferForm,), {**fields, **choice_fields(booking)})
    form: OfferForm = bound(data=values)
    form.passengers = choices_of(form, booking)
    return form


def read_form(form: OfferForm) -> OfferRequest | None:
    """What the agent offers; None when something is wrong, which then stands at its field."""
    valid = form.validate_on_submit()
    picked = [tick.passenger.client_id for tick in form.passengers if tick.is_picked]
    if not picked:
        form.refuse("", "Tick at least one passenger who gets the offer.")
    price = form.price.data
    if not valid or not picked or not isinstance(price, Money):
        return None
    return OfferRequest(
        request_key=form.request_key.data or "", client_ids=picked, plan=form.plan.data or "", price=price
    )
