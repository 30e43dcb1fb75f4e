"""What a visitor fills in."""

from wtforms import HiddenField
from wtforms.validators import InputRequired, NumberRange

from chassis.web.forms import (
    DateField,
    EmailField,
    IntegerField,
    Length,
    NameField,
    Optional,
    PhoneField,
    StringField,
    TextAreaField,
    WithNames,
    email_address,
    required,
)
from services.portal.quotes.rules import MOST_ADULTS, MOST_CHILDREN, Visitor, Wish


class QuoteForm(WithNames):
    """`request_key` is made with the form, so that the form sent twice asks once. `website` is for machines only:
    people don't see it, so whoever fills it in is none."""

    request_key = HiddenField(validators=[Length(max=200)])
    website = StringField("Website", [Length(max=500)])
    destination = StringField(
        "Where would you like to go?", [required("Say where you would like to go."), Length(max=200)]
    )
    begins_on = DateField("From", [Optional()])
    ends_on = DateField("Until", [Optional()])
    adults = IntegerField(
        "Adults",
        [InputRequired("Say how many adults travel."), NumberRange(1, MOST_ADULTS, "Enter 1 to 20 adults.")],
        default=2,
    )
    children = IntegerField(
        "Children", [Optional(), NumberRange(0, MOST_CHILDREN, "Enter 0 to 20 children.")], default=0
    )
    budget = StringField("Budget", [Length(max=100)])
    wishes = TextAreaField("What should not be missing?", [Length(max=4000)])
    first_name = NameField("First name", [Length(max=80)])
    last_name = NameField("Last name", [Length(max=80)])
    email = EmailField("E-mail", [required("Enter your e-mail address."), Length(max=254), email_address()])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])

    def wish(self) -> Wish:
        """What was asked for, once the form is valid."""
        return Wish(
            destination=self.destination.data or "",
            begins_on=self.begins_on.data,
            ends_on=self.ends_on.data,
            adults=self.adults.data or 1,
            children=self.children.data or 0,
            budget=self.budget.data or "",
            wishes=self.wishes.data or "",
        )

    def visitor(self) -> Visitor:
        """Who asks, once the form is valid."""
        return Visitor(
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
        )


class FramedQuoteForm(QuoteForm):
    """The same in a frame on the agent's own website, where no cookie goes with it: `request_key` is a signed token
    (chassis.web.form_tokens) in place of the usual one."""

    class Meta(QuoteForm.Meta):
        csrf = False
