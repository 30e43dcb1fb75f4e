"""The client form."""

from datetime import UTC, datetime
from typing import Any

from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from chassis.typed.days import birthday_bounds
from chassis.web.forms import (
    CountryField,
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
)
from services.crm.sales.clients.service import ClientData


class ClientForm(WithNames):
    """What an agent enters about a client. `version` is that of the profile the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    first_name = NameField("First name", [Length(max=80)])
    last_name = NameField("Last name", [Length(max=80)])
    email = EmailField("E-mail", [Optional(), Length(max=254), email_address()])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])
    second_phone = PhoneField("Second phone", [Optional(), Length(max=40)])
    birthday = DateField("Birthday", [Optional()])
    street = StringField("Street and number", [Length(max=200)])
    city = StringField("City", [Length(max=100)])
    region = StringField("State or region", [Length(max=100)])
    postal_code = StringField("Postal code", [Length(max=20)])
    country = CountryField("Country", [Optional()])
    notes = TextAreaField("Notes", [Length(max=10_000)])

    def validate_birthday(self, field: Any) -> None:  # Any: WTForms' field
        earliest, latest = birthday_bounds(datetime.now(UTC).date())
        if field.data and not earliest <= field.data <= latest:
            raise ValidationError("Check the year: a birthday lies in the past.")

    def entered(self) -> ClientData:
        """What was entered, once the form is valid."""
        return ClientData(
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
            second_phone=self.second_phone.data or "",
            birthday=self.birthday.data,
            street=self.street.data or "",
            city=self.city.data or "",
            region=self.region.data or "",
            postal_code=self.postal_code.data or "",
            country=self.country.data or "",
            notes=self.notes.data or "",
        )
