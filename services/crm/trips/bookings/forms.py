"""The booking form and the segment form."""

from typing import Any

from wtforms import Field
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from chassis.web.formatting import currency_choices
from chassis.web.forms import (
    DateField,
    Form,
    IntegerField,
    Length,
    MoneyField,
    Optional,
    SelectField,
    StringField,
    TextAreaField,
    required,
)
from services.crm.trips.bookings.service import BookingData, BookingStatus, SegmentData, SegmentKind

DEFAULT_CURRENCY = "USD"
_MOST_PASSENGERS = 200
STATUS_WORDS = {
    BookingStatus.QUOTE: "Quote",
    BookingStatus.BOOKED: "Booked",
    BookingStatus.TRAVELED: "Traveled",
    BookingStatus.CANCELLED: "Cancelled",
}
KIND_WORDS = {
    SegmentKind.CRUISE: "Cruise",
    SegmentKind.HOTEL: "Hotel",
    SegmentKind.TOUR: "Tour",
    SegmentKind.FLIGHT: "Flight",
    SegmentKind.CAR: "Car",
    SegmentKind.INSURANCE: "Insurance",
    SegmentKind.OTHER: "Other",
}


class IdsField(Field):
    """Ids of things, as check boxes or radio buttons of one name send them; whose they are the use case decides."""

    data: list[str]

    def process_data(self, value: Any) -> None:  # Any: WTForms' own
        self.data = list(value or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = [value[:64] for value in valuelist if value][:_MOST_PASSENGERS]


class _InCurrency(Form):
    """A form whose amounts are all in one currency, known before anything typed is read."""

    def __init__(self, *args: Any, currency: str = DEFAULT_CURRENCY, **kwargs: Any) -> None:  # Any: WTForms' own
        self._currency = currency
        super().__init__(*args, **kwargs)

    def process(self, *args: Any, **kwargs: Any) -> None:  # Any: WTForms' own
        for field in self:
            if isinstance(field, MoneyField):
                field.currency = self._currency
        super().process(*args, **kwargs)


class BookingForm(_InCurrency):
    """`version` is that of the booking the form was opened on. Passengers are ticked ids, the lead is one of them."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    title = StringField("Title", [required("Give the trip a title, such as “Norwegian fjords, May”."), Length(max=160)])
    status = SelectField("Status", choices=[(status.value, word) for status, word in STATUS_WORDS.items()])
    currency = SelectField("Currency", choices=currency_choices())
    passengers = IdsField("Passengers")
    lead = IdsField("Lead passenger")
    service_fee = MoneyField("Service fee", [Optional()])
    service_fee_description = StringField("What the fee is for", [Length(max=200)])
    notes = TextAreaField("Notes", [Length(max=4000)])

    @property
    def passenger_ids(self) -> tuple[str, ...]:
        """Who travels, the lead first; without one it is whoever was ticked first."""
        ticked, leads = self.passengers.data, self.lead.data[:1]
        return tuple(dict.fromkeys([*(lead for lead in leads if lead in ticked or not ticked), *ticked]))

    def validate_service_fee_description(self, field: Any) -> None:  # Any: WTForms' field
        if self.service_fee.data and not field.data:
            raise ValidationError("Say what the fee is for; the client reads it.")

    def entered(self) -> BookingData:
        """What was entered, once the form is valid."""
        return BookingData(
            title=self.title.data or "",
            status=BookingStatus(self.status.data),
            currency=self.currency.data or DEFAULT_CURRENCY,
            passenger_ids=self.passenger_ids,
            service_fee=self.service_fee.data,
            service_fee_description=self.service_fee_description.data or "",
            notes=self.notes.data or "",
        )


class SegmentForm(_InCurrency):
    """`version` is that of the booking the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    supplier_name = StringField("Supplier", [required("Enter the supplier's name."), Length(max=120)])
    kind = SelectField("Kind", choices=[(kind.value, word) for kind, word in KIND_WORDS.items()])
    confirmation_number = StringField("Confirmation number", [Length(max=60)])
    description = StringField("Description", [Length(max=300)])
    begins_on = DateField("Begins", [Optional()])
    ends_on = DateField("Ends", [Optional()])
    price = MoneyField("Price", [Optional()])
    deposit = MoneyField("Deposit", [Optional()])
    deposit_due_on = DateField("Deposit due", [Optional()])
    final = MoneyField("Final payment", [Optional()])
    final_due_on = DateField("Final payment due", [Optional()])
    commission = MoneyField("Commission", [Optional()])

    def entered(self) -> SegmentData:
        """What was entered, once the form is valid."""
        return SegmentData(
            supplier_name=self.supplier_name.data or "",
            kind=SegmentKind(self.kind.data),
            confirmation_number=self.confirmation_number.data or "",
            description=self.description.data or "",
            begins_on=self.begins_on.data,
            ends_on=self.ends_on.data,
            price=self.price.data,
            deposit=self.deposit.data,
            deposit_due_on=self.deposit_due_on.data,
            final=self.final.data,
            final_due_on=self.final_due_on.data,
            commission=self.commission.data,
        )
