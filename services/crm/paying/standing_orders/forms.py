"""The form that proposes a standing order."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import Length as RawLength
from wtforms.validators import NumberRange

from chassis.web.forms import (
    DateField,
    IntegerField,
    Length,
    MoneyField,
    Optional,
    RadioField,
    SelectField,
    StringField,
    required,
)
from services.crm.core.forms import WithTickedParts
from services.crm.paying.standing_orders.plan import EVERY_WORDS, MOST_TIMES, Every, Plan
from services.crm.paying.standing_orders.records import Proposal
from services.crm.trips.bookings.service import BookingDetail

_TIMES, _UNTIL, _OPEN = "times", "until", "open"
_ENDS = {
    _TIMES: "After a number of charges",
    _UNTIL: "On a day",
    _OPEN: "When you or the client cancel it",
}
_CHOOSE_OR_EMPTY = "Choose it, or take this out."


class ProposalForm(WithTickedParts):
    """Who pays how much how often. Make it by `make_form`."""

    request_key = HiddenField(validators=[RawLength(min=16, max=60)])
    client_id = SelectField("Who pays?", [required("Choose who pays.")])
    amount = MoneyField("Amount of each charge", [required("Enter the amount of each charge.")])
    purpose = StringField(
        "What is it for?",
        [required("Say what it is for, such as “Planning fee, paid monthly”."), Length(max=200)],
        description="The client reads this, so write it for them. Never write a card number here.",
    )
    every = SelectField(
        "How often?",
        [required("Choose how often it is charged.")],
        choices={every.value: words for every, words in EVERY_WORDS.items()},
    )
    first_on = DateField(
        "First charge on",
        [required("Enter the day of the first charge.")],
        description="The day that each further charge follows. A month without that day is charged on its last one.",
    )
    ends = RadioField(
        "When does it end?",
        [required("Choose when it ends.")],
        choices=_ENDS,
    )
    times = IntegerField(
        "Number of charges",
        [Optional(), NumberRange(min=2, max=MOST_TIMES, message=f"Enter a number from 2 to {MOST_TIMES}.")],
    )
    until = DateField("No charge after", [Optional()])

    def proposal(self) -> Proposal | None:
        """What was entered; None when something is wrong, which then stands at its field."""
        if not self.is_submitted():
            return None
        valid = self.validate()
        if self.ends.data == _TIMES and self.times.data is None and not self.times.errors:
            self.refuse("times", "Enter how many charges there are.")
            valid = False
        if self.ends.data == _UNTIL and self.until.data is None and not self.until.errors:
            self.refuse("until", "Enter the last day.")
            valid = False
        for ends, name in ((_TIMES, "times"), (_UNTIL, "until")):
            if self.ends.data in _ENDS and self.ends.data != ends:
                words = f"“{_ENDS[ends]}” is not chosen above, so this would not count. {_CHOOSE_OR_EMPTY}"
                valid = not self.ask_about_left([name], words) and valid
        if not valid or self.amount.data is None or self.first_on.data is None:
            return None
        plan = Plan(
            amount=self.amount.data,
            every=Every(self.every.data),
            first_on=self.first_on.data,
            times=self.times.data if self.ends.data == _TIMES else None,
            until=self.until.data if self.ends.data == _UNTIL else None,
        )
        return Proposal(
            request_key=self.request_key.data or "",
            client_id=self.client_id.data or "",
            purpose=self.purpose.data or "",
            plan=plan,
        )


def make_form(booking: BookingDetail, **values: Any) -> ProposalForm:  # Any: whatever a field takes as data
    """The form for one booking; amounts are in the booking's currency. `values` fills it when first shown."""
    label, checks = "Amount of each charge", [required("Enter the amount of each charge.")]
    bound = type(
        "BookingProposalForm", (ProposalForm,), {"amount": MoneyField(label, checks, currency=booking.currency)}
    )
    form: ProposalForm = bound(data=values)
    form.client_id.choices = {one.client_id: one.name for one in booking.passengers if one.email}
    return form
