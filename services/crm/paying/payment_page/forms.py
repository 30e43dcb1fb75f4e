"""The forms that close a payment."""

from typing import ClassVar

from wtforms import HiddenField
from wtforms.validators import Regexp

from chassis.web.forms import BooleanField, Form, Length, MoneyField, StringField, TextAreaField, required


class AreaForm(Form):
    """A form of the payment area. `stays`: what it does leaves the card where it is, so the page may stay too."""

    stays: ClassVar = False


class ProcessForm(AreaForm):
    """M7: the supplier charged the card."""

    confirmation = StringField(
        "Supplier's confirmation number",
        [
            required("Enter the supplier's confirmation number, or the name of the person who confirmed."),
            Length(max=60),
        ],
    )
    note = TextAreaField("Note", [Length(max=500)])


class VoidForm(AreaForm):
    """M7: the payment comes to nothing."""

    reason = StringField(
        "Why?",
        [required("Say why, so that the client knows."), Length(max=200)],
        description="The client reads this in the e-mail, so write a sentence for them.",
    )
    fresh_link = BooleanField("Send the client a fresh link", default=True)


class RefundForm(AreaForm):
    """G2: money back through the gateway. `seen` is how many refunds the page shows: a double click refunds once, and
    so does a page that is out of date."""

    amount = MoneyField("Amount to refund", [required("Enter the amount to give back.")])
    reason = StringField(
        "Why?",
        [required("Say why: the client reads it, and it stands on record."), Length(max=200)],
        description="The client reads this in the e-mail.",
    )
    seen = HiddenField(validators=[Regexp(r"[0-9]{1,4}\Z", message="Reload the page and try again.")])


class RemoveForm(AreaForm):
    """M8: remove the card by hand."""

    confirmation = StringField("Type REMOVE to confirm", [Length(max=20)])


class CvvAgainForm(AreaForm):
    """M10: one button. `request_key` is made with the page, so that a double click asks once."""

    stays = True

    request_key = HiddenField(validators=[required("Reload the page and try again."), Length(max=64)])
