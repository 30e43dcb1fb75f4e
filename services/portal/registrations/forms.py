"""What somebody fills in who registers, and the password that they choose."""

from wtforms import HiddenField

from chassis.web.forms import (
    CountryField,
    EmailField,
    Form,
    Length,
    NameField,
    Optional,
    PasswordField,
    PhoneField,
    StringField,
    WithNames,
    email_address,
    required,
)
from chassis.web.passwords import PASSWORD_MAX
from services.portal.registrations.rules import Registrant


class RegistrationForm(WithNames):
    """`request_key` is made with the form. `website` is for machines only: people don't see it, so whoever fills it in
    is none."""

    request_key = HiddenField(validators=[Length(max=64)])
    website = StringField("Website", [Length(max=500)])
    first_name = NameField("First name", [Length(max=80)])
    last_name = NameField("Last name", [Length(max=80)])
    email = EmailField("E-mail", [required("Enter your e-mail address."), Length(max=254), email_address()])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])
    street = StringField("Street and number", [Length(max=200)])
    city = StringField("City", [Length(max=100)])
    region = StringField("State or region", [Length(max=100)])
    postal_code = StringField("Postal code", [Length(max=20)])
    country = CountryField("Country", [Optional()])

    def registrant(self) -> Registrant:
        """Who they are, once the form is valid."""
        return Registrant(
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
            street=self.street.data or "",
            city=self.city.data or "",
            region=self.region.data or "",
            postal_code=self.postal_code.data or "",
            country=self.country.data or "",
        )


class ProofForm(Form):
    """The password that goes with a proved address, taken as typed. `token` comes from behind the link's `#`."""

    token = HiddenField()
    password = PasswordField("New password", [required("Choose a password."), Length(max=PASSWORD_MAX)])
    again = PasswordField("The same password again", [required("Type the password again."), Length(max=PASSWORD_MAX)])
