"""What a client enters about themselves, their family and their days."""

from datetime import UTC, date, datetime
from typing import Any

from wtforms.validators import NumberRange, ValidationError
from wtforms.widgets import HiddenInput

from chassis.ids import new_id
from chassis.typed.days import DayError, birthday_bounds, day_of_the_year
from chassis.web.forms import (
    CountryField,
    DateField,
    EmailField,
    Form,
    IntegerField,
    Length,
    NameField,
    Optional,
    PasswordField,
    PhoneField,
    SelectField,
    StringField,
    WithNames,
    email_address,
    required,
)
from chassis.web.passwords import PASSWORD_MAX
from services.portal.profile.rules import UNKNOWN_YEAR, Address, FamilyMember, Occasion, Profile, Relation

RELATION_WORDS = {
    Relation.SPOUSE: "Spouse",
    Relation.PARTNER: "Partner",
    Relation.CHILD: "Child",
    Relation.PARENT: "Parent",
    Relation.OTHER: "Somebody else",
}
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MONTHS = {str(at): name for at, name in enumerate(MONTHS, 1)}


def _lies_in_the_past(field: Any) -> None:  # Any: WTForms' field
    earliest, latest = birthday_bounds(datetime.now(UTC).date())
    if field.data and not earliest <= field.data <= latest:
        raise ValidationError("Check the year: a birthday lies in the past.")


class ProfileForm(WithNames):
    """`version` is that of the profile the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    first_name = NameField("First name", [Length(max=80)])
    last_name = NameField("Last name", [Length(max=80)])
    birthday = DateField("Birthday", [Optional()])
    email = EmailField("E-mail", [required("Enter your e-mail address."), Length(max=254), email_address()])
    present_password = PasswordField("Current password", [Optional(), Length(max=PASSWORD_MAX)])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])
    street = StringField("Street and number", [Length(max=200)])
    city = StringField("City", [Length(max=100)])
    region = StringField("State or region", [Length(max=100)])
    postal_code = StringField("Postal code", [Length(max=20)])
    country = CountryField("Country", [Optional()])

    def validate_birthday(self, field: Any) -> None:  # Any: WTForms' field
        _lies_in_the_past(field)

    def applied_to(self, profile: Profile) -> Profile:
        """The profile with what was entered, once the form is valid."""
        return Profile(
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
            birthday=self.birthday.data,
            address=Address(
                street=self.street.data or "",
                city=self.city.data or "",
                region=self.region.data or "",
                postal_code=self.postal_code.data or "",
                country=self.country.data or "",
            ),
            family=profile.family,
            occasions=profile.occasions,
        )


class FamilyForm(WithNames):
    first_name = NameField("First name", [Length(max=80)])
    last_name = NameField("Last name", [Length(max=80)])
    relation = SelectField("Who is it?", choices={key.value: words for key, words in RELATION_WORDS.items()})
    born_on = DateField("Birthday", [Optional()])

    def validate_born_on(self, field: Any) -> None:  # Any: WTForms' field
        _lies_in_the_past(field)

    def entered(self, member_id: str) -> FamilyMember:
        """What was entered, once the form is valid."""
        return FamilyMember(
            id=member_id or new_id("family"),
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            relation=Relation(self.relation.data),
            born_on=self.born_on.data,
        )


class OccasionForm(Form):
    """A day and a month; the year only when it is known."""

    label = StringField("What is it?", [required("Say what the day is, such as Wedding anniversary."), Length(max=80)])
    day = IntegerField("Day", [required("Enter the day of the month.")])
    month = SelectField("Month", choices=_MONTHS)
    year = IntegerField("Year", [Optional(), NumberRange(1900, 2100, "Enter a year such as 2012, or leave it empty.")])

    def validate_day(self, field: Any) -> None:  # Any: WTForms' field
        if not field.errors:
            try:
                self._on()
            except DayError as error:
                raise ValidationError(str(error)) from None

    def _on(self) -> date:
        month = int(self.month.data) if self.month.data in _MONTHS else 1
        return day_of_the_year(self.day.data, month, self.year.data, unknown_year=UNKNOWN_YEAR)

    def entered(self, occasion_id: str) -> Occasion:
        """What was entered, once the form is valid."""
        return Occasion(
            id=occasion_id or new_id("occasion"),
            label=self.label.data or "",
            on=self._on(),
            year_known=self.year.data is not None,
        )
