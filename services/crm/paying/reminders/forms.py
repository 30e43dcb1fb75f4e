"""The reminder's form."""

from wtforms.validators import NumberRange
from wtforms.widgets import HiddenInput

from chassis.reminder_words import Anchor, ReminderKind
from chassis.web.forms import (
    BooleanField,
    Form,
    IntegerField,
    Length,
    Optional,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    required,
)
from services.crm.paying.reminders.rules import MOST_DAYS, RuleData


class RuleForm(Form):
    """`version` is that of the rule the form was opened on; set `example`'s choices before validating."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    active = BooleanField("Send this reminder")
    days_before = IntegerField(
        "Days before the date",
        [
            required(f"Enter how many days before, from 0 to {MOST_DAYS}."),
            NumberRange(0, MOST_DAYS, f"Enter how many days before, from 0 to {MOST_DAYS}."),
        ],
    )
    anchor = RadioField(
        "Counted from",
        [required("Choose the day that the days are counted from.")],
        choices={"due": "The day the payment is due", "travel": "The first day of travel"},
        default="due",
    )
    subject = StringField("Subject", [required("Give the e-mail a subject."), Length(max=200)])
    body = TextAreaField("Text", [required("Write what the client reads."), Length(max=4000)])
    example = SelectField("Try it with", [Optional()])

    def entered(self, kind: ReminderKind) -> RuleData:
        """What was entered, once the form is valid."""
        return RuleData(
            kind=kind,
            days_before=self.days_before.data or 0,
            active=bool(self.active.data),
            subject=self.subject.data or "",
            body=(self.body.data or "").replace("\r\n", "\n"),
            anchor=Anchor(self.anchor.data or "due"),
        )
