"""The form on which a client starts a payment: what kind, and how much."""

from typing import Any

from wtforms import HiddenField

from chassis.web.forms import Form, Length, MoneyField, RadioField, required
from services.portal.trips.rules import Offer, PayType


class AddPaymentForm(Form):
    """`currency` is the trip's, known before anything typed is read."""

    type = RadioField("What is it?", [required("Choose what this payment is.")])
    amount = MoneyField("Amount", [required("Enter the amount.")])
    request_key = HiddenField(validators=[Length(max=60)])

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:  # Any: WTForms' own
        self._currency = currency
        super().__init__(*args, **kwargs)

    def process(self, *args: Any, **kwargs: Any) -> None:  # Any: WTForms' own
        self.amount.currency = self._currency
        super().process(*args, **kwargs)

    def offer(self, found: tuple[Offer, ...]) -> None:
        """Says what may be paid."""
        self.type.choices = [(each.type.value, _words(each)) for each in found]

    @property
    def kind(self) -> PayType:
        """What was chosen, once the form is valid."""
        return PayType(self.type.data)


def _words(offer: Offer) -> str:
    if offer.type is PayType.REGULAR:
        return "A part of it: you say how much"
    words = "All that is left" if offer.type is PayType.FINAL else "Deposit"
    return f"{words}: {offer.amount.format()}" if offer.amount else words
