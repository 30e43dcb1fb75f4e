"""The forms on which a client starts a payment, or tells of one that was made otherwise."""

from datetime import date
from typing import Any, cast

from wtforms import HiddenField

from chassis.money import Money
from chassis.web.forms import DateField, Form, Length, MoneyField, RadioField, StringField, TextAreaField, required
from services.portal.payments.rules import METHOD_WORDS
from services.portal.trips.reporting import Report
from services.portal.trips.rules import Offer, PayType


class _InTripsCurrency(Form):
    """`currency` is the trip's, known before anything typed is read."""

    amount = MoneyField("Amount", [required("Enter the amount.")])
    request_key = HiddenField(validators=[Length(max=60)])

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:  # Any: WTForms' own
        self._currency = currency
        super().__init__(*args, **kwargs)

    def process(self, *args: Any, **kwargs: Any) -> None:  # Any: WTForms' own
        self.amount.currency = self._currency
        super().process(*args, **kwargs)


class AddPaymentForm(_InTripsCurrency):
    """What a client pays now, by card."""

    type = RadioField("What is it?", [required("Choose what this payment is.")])

    def offer(self, found: tuple[Offer, ...]) -> None:
        """Says what may be paid."""
        self.type.choices = {each.type.value: _words(each) for each in found}

    @property
    def kind(self) -> PayType:
        """What was chosen, once the form is valid."""
        return PayType(self.type.data)


class ReportForm(_InTripsCurrency):
    """What a client has paid otherwise."""

    method = RadioField(
        "How did you pay?",
        [required("Choose how you paid.")],
        choices=dict(METHOD_WORDS),
    )
    paid_on = DateField("Paid on", [required("Enter the day on which you paid.")])
    reference = StringField(
        "Reference", [Length(max=60)], description="Such as the number of the transfer, or the supplier's confirmation."
    )
    note = TextAreaField("Note to your agent", [Length(max=500)])

    def entered(self) -> Report:
        """What was entered, once the form is valid."""
        return Report(
            request_key=self.request_key.data or "",
            amount=cast(Money, self.amount.data),
            method=self.method.data or "",
            paid_on=cast(date, self.paid_on.data),
            reference=self.reference.data or "",
            note=self.note.data or "",
        )


_WORDS = {
    PayType.DEPOSIT: "Deposit",
    PayType.REGULAR: "Next instalment",
    PayType.FINAL: "All that is left",
    PayType.SERVICE_FEE: "Service fee",
}


def _words(offer: Offer) -> str:
    if offer.amount is None and offer.type is PayType.REGULAR:
        return "A part of it: you say how much"
    words = _WORDS[offer.type]
    return f"{words}: {offer.amount.format()}" if offer.amount else words
