"""What an agent enters about a commission that came in."""

from typing import Any

from chassis.web.forms import DateField, Form, Length, MoneyField, StringField, required


class ReceiptForm(Form):
    """The amount is in the booking's currency."""

    amount = MoneyField("Amount", [required("Enter the amount that came in.")])
    received_on = DateField("Received on", [required("Enter the day it was received.")])
    reference = StringField("Reference", [Length(max=80)])

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:  # Any: WTForms' own
        self._currency = currency
        super().__init__(*args, **kwargs)

    def process(self, *args: Any, **kwargs: Any) -> None:  # Any: WTForms' own
        self.amount.currency = self._currency
        super().process(*args, **kwargs)
