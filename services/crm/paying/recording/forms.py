"""The forms that record a payment and that take one back."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import Length as RawLength

from chassis.web.forms import (
    BooleanField,
    DateField,
    Form,
    Length,
    MoneyField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    required,
)
from services.crm.paying.payments.pages import chosen_segment, lacks_supplier, segment_choices
from services.crm.paying.payments.service import METHOD_WORDS, RECORDED_METHODS, TYPE_WORDS, Method, PaymentType
from services.crm.paying.recording.service import Recorded
from services.crm.trips.bookings.service import BookingDetail


class RecordForm(Form):
    """Who paid what for which part of the trip, how and when. Make it by `make_form`."""

    request_key = HiddenField(validators=[RawLength(min=16, max=60)])
    method = RadioField(
        "How was it paid?",
        [required("Choose how it was paid.")],
        choices={method.value: METHOD_WORDS[method] for method in RECORDED_METHODS},
    )
    amount = MoneyField("Amount", [required("Enter the amount that was paid.")])
    paid_on = DateField("Paid on", [required("Enter the day on which it was paid.")])
    segment_id = SelectField("Which part of the trip?", [required("Choose which part of the trip was paid.")])
    type = SelectField(
        "What kind of payment is it?",
        [required("Choose what kind of payment it is.")],
        choices={kind.value: words for kind, words in TYPE_WORDS.items()},
    )
    client_id = SelectField("Who paid?", [required("Choose who paid.")])
    reference = StringField(
        "Reference",
        [Length(max=60)],
        description="Such as the number of the cheque or transfer, or the supplier's confirmation. "
        "The client reads it on the receipt.",
    )
    note = TextAreaField("Note", [Length(max=500)], description="For you alone. Never write a card number here.")
    overpay_ok = BooleanField("Record it all the same")

    def recorded(self) -> Recorded | None:
        """What was entered; None when something is wrong, which then stands at its field."""
        valid = self.validate_on_submit()
        kind = PaymentType(self.type.data) if self.type.data in set(PaymentType) else None
        if lacks_supplier(kind, self.segment_id.data):
            self.refuse("segment_id", "Choose the supplier that was paid.")
            return None
        if not valid or kind is None or self.amount.data is None or self.paid_on.data is None:
            return None
        return Recorded(
            request_key=self.request_key.data or "",
            client_id=self.client_id.data or "",
            segment_id=chosen_segment(self.segment_id.data),
            type=kind,
            method=Method(self.method.data),
            amount=self.amount.data,
            paid_on=self.paid_on.data,
            reference=self.reference.data or "",
            note=self.note.data or "",
        )


def make_form(booking: BookingDetail, **values: Any) -> RecordForm:  # Any: whatever a field takes as data
    """The form for one booking; its amounts are in the booking's currency. `values` fills it when first shown."""
    bound = type(
        "BookingRecordForm",
        (RecordForm,),
        {"amount": MoneyField("Amount", [required("Enter the amount that was paid.")], currency=booking.currency)},
    )
    form: RecordForm = bound(data=values)
    form.segment_id.choices = segment_choices(booking)
    form.client_id.choices = {passenger.client_id: passenger.name for passenger in booking.passengers}
    return form


class ReasonForm(Form):
    """Why a payment is taken back; the client reads it."""

    reason = StringField(
        "Why?",
        [required("Say why, so that the client and your agency know."), Length(max=200)],
        description="The client reads this in the portal, so write a sentence.",
    )
