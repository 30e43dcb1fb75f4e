"""The forms of payments by phone: what is to be paid, who holds the card, the agency's flow, the agent's telephone."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import Length as RawLength
from wtforms.validators import NumberRange

from chassis.money import Money
from chassis.web.forms import (
    CountryField,
    DateField,
    Form,
    IntegerField,
    Length,
    MoneyField,
    Optional,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    required,
)
from services.crm.paying.links.service import LinkRequest, Share
from services.crm.paying.payments.pages import chosen_segment, lacks_supplier, segment_choices
from services.crm.paying.payments.service import TYPE_WORDS, BillingAddress, PaymentType
from services.crm.paying.phone.rules import LONGEST_SCRIPT, Field, Flow, script_problem
from services.crm.trips.bookings.service import BookingDetail

_ORDERS = (
    ("number,expiry,cvv", "Card number, expiry, security code"),
    ("number,cvv,expiry", "Card number, security code, expiry"),
    ("expiry,number,cvv", "Expiry, card number, security code"),
)


class PayForm(Form):
    """Who pays what for which part of the trip. Make it by `make_form`."""

    request_key = HiddenField(validators=[RawLength(min=16, max=60)])
    client_id = SelectField("Who pays?", [required("Choose who pays.")])
    amount = MoneyField("Amount", [required("Enter the amount.")])
    type = RadioField(
        "What kind of payment is it?",
        [required("Choose what kind of payment it is.")],
        choices={kind.value: words for kind, words in TYPE_WORDS.items()},
    )
    segment_id = SelectField(
        "Which part of the trip?", [required("Choose which part of the trip this payment is for.")]
    )
    purpose = StringField(
        "What is it for?",
        [required("Say what the payment is for, such as “Deposit for two cabins”."), Length(max=200)],
        description="The client reads this in the authorization. Never write a card number here.",
    )
    due_on = DateField("Due on", [Optional()], description="When the supplier wants the money.")

    def wanted(self) -> LinkRequest | None:
        """What was entered; None when something is wrong, which then stands at its field."""
        valid = self.validate_on_submit()
        kind = PaymentType(self.type.data) if self.type.data in set(PaymentType) else None
        if lacks_supplier(kind, self.segment_id.data):
            self.refuse("segment_id", "Choose the supplier that this payment goes to.")
            return None
        if not valid or kind is None or not isinstance(self.amount.data, Money):
            return None
        return LinkRequest(
            request_key=self.request_key.data or "",
            segment_id=chosen_segment(self.segment_id.data),
            type=kind,
            purpose=self.purpose.data or "",
            due_on=self.due_on.data,
            shares=[Share(client_id=self.client_id.data or "", amount=self.amount.data)],
        )


def make_form(booking: BookingDetail, **values: Any) -> PayForm:  # Any: whatever a field takes as data
    """The form for one booking."""
    bound = type(
        "BookingPayForm",
        (PayForm,),
        {"amount": MoneyField("Amount", [required("Enter the amount.")], currency=booking.currency)},
    )
    form: PayForm = bound(data=values)
    form.client_id.choices = {each.client_id: each.name for each in booking.passengers}
    form.segment_id.choices = segment_choices(booking)
    return form


class HolderForm(Form):
    """What the agent types, who hears it: the card's name and its billing address."""

    name = StringField("Name as printed on the card", [required("Ask for the name on the card."), Length(max=80)])
    line1 = StringField("Street", [required("Ask for the billing address."), Length(max=100)])
    line2 = StringField("Apartment, suite", [Optional(), Length(max=100)])
    city = StringField("City", [required("Ask for the city."), Length(max=80)])
    region = StringField("State or region", [Optional(), Length(max=80)])
    postal_code = StringField("Postal code", [Optional(), Length(max=16)])
    country = CountryField("Country", [required("Choose the country.")])

    def billing(self) -> BillingAddress:
        """The address as typed."""
        return BillingAddress(
            line1=self.line1.data or "",
            line2=self.line2.data or "",
            city=self.city.data or "",
            region=self.region.data or "",
            postal_code=self.postal_code.data or "",
            country=self.country.data or "",
        )


def _seconds(label: str, least: int, most: int, why: str) -> IntegerField:
    message = f"Enter a number of seconds from {least} to {most}."
    return IntegerField(label, [required(message), NumberRange(min=least, max=most, message=message)], description=why)


class FlowForm(Form):
    """The agency's flow (T8)."""

    order = SelectField("In which order are the fields asked for?", choices=dict(_ORDERS))
    script = TextAreaField(
        "What the agent reads to the client",
        [required("Write what the agent reads."), Length(max=LONGEST_SCRIPT)],
        description="An empty line begins a new paragraph. Tags: {ClientName} {AgencyName} {AgentName} {Amount} "
        "{Supplier} {Purpose}.",
    )
    field_seconds = _seconds("Seconds without a key until a field ends", 10, 180, "Counted from the last key.")
    idle_seconds = _seconds(
        "Seconds without anything until the session ends", 30, 900, "Then the client's voice is passed on unwatched."
    )
    total_seconds = _seconds("Seconds until any session ends", 60, 3600, "However busy it is.")

    def flow(self) -> Flow | None:
        """What was entered; None when something is wrong."""
        if not self.validate_on_submit():
            return None
        if problem := script_problem(self.script.data or ""):
            self.refuse("script", problem)
            return None
        return Flow(
            order=tuple(Field(name) for name in self.order.data.split(",")),
            script=self.script.data or "",
            field_seconds=self.field_seconds.data or 0,
            idle_seconds=self.idle_seconds.data or 0,
            total_seconds=self.total_seconds.data or 0,
        )


def order_value(flow: Flow) -> str:
    """The order as the form's choice."""
    return ",".join(flow.order)


class DeskForm(Form):
    """The agent's own telephone."""

    extension = StringField(
        "Your extension",
        [Optional(), Length(max=32)],
        description="The name under which your telephone is registered, such as 201. Then a PIN of yours works from "
        "that telephone only. Leave it empty to use any telephone of the agency.",
    )
