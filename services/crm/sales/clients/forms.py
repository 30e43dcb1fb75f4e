"""The client form."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from chassis.web.forms import (
    CountryField,
    DateField,
    EmailField,
    Form,
    IntegerField,
    Length,
    Optional,
    PhoneField,
    StringField,
    TextAreaField,
    email_address,
    required,
)
from services.crm.sales.clients.service import ClientData

_OLDEST = date(1900, 1, 1)


class ClientForm(Form):
    """What an agent enters about a client. `version` is that of the profile the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    first_name = StringField("First name", [required("Enter the first name."), Length(max=80)])
    last_name = StringField("Last name", [required("Enter the last name."), Length(max=80)])
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
        if field.data and not _OLDEST <= field.data <= datetime.now(UTC).date() + timedelta(days=1):
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
