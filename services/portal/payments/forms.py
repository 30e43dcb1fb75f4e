"""The authorization form. The card is not in it: it travels sealed, in `sealed_card`."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import ValidationError

from chassis.paper.forms import OnPaper
from chassis.web.forms import BooleanField, CountryField, Form, Length, StringField, required
from services.portal.esign.service import CONSENT_TEXT
from services.portal.payments.values import BillingAddress

# A sealed card is about 700 characters; the vault takes no message over 16 KiB.
MAX_SEALED = 8192

# Countries whose addresses have no postal code (Universal Postal Union), so that nobody must invent one.
_NO_POSTAL_CODES = (
    "AE AG AN AO AW BF BI BJ BO BQ BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GN GQ GY HK IE JM KE KI KM "
    "KN KP LC LY ML MO MR MW NR NU PA QA RW SB SC SL SO SR ST SX SY TD TF TG TK TL TO TT TV TZ UG VU YE ZA ZW"
)


class AuthorizationForm(Form):
    """Billing address and consent. Signature and sealed card are read beside it."""

    line1 = StringField(
        "Address",
        [required("Enter the street and number where the card's statements go."), Length(max=100), OnPaper()],
        render_kw={"autocomplete": "billing address-line1"},
    )
    line2 = StringField(
        "Apartment, suite, building",
        [Length(max=100), OnPaper()],
        render_kw={"autocomplete": "billing address-line2"},
    )
    city = StringField(
        "City",
        [required("Enter the city."), Length(max=80), OnPaper()],
        render_kw={"autocomplete": "billing address-level2"},
    )
    region = StringField(
        "State, province or region",
        [Length(max=80), OnPaper()],
        render_kw={"autocomplete": "billing address-level1"},
    )
    postal_code = StringField(
        "ZIP or postal code",
        [Length(max=16), OnPaper()],
        render_kw={"autocomplete": "billing postal-code", "autocapitalize": "characters"},
    )
    country = CountryField(
        "Country",
        [required("Choose the country.")],
        render_kw={"autocomplete": "billing country"},
    )
    consent = BooleanField(CONSENT_TEXT, [required("Tick the box to show that you agree.")])
    intake_id = HiddenField()
    sealed_card = HiddenField()
    offer_digest = HiddenField()

    def validate_postal_code(self, field: StringField) -> None:
        """A postal code is asked for where the country has them."""
        if not field.data and self.country.data not in _NO_POSTAL_CODES.split():
            raise ValidationError("Enter the ZIP or postal code.")

    def validate_sealed_card(self, field: HiddenField) -> None:
        """Only that something sealed came; what is in it, the vault alone can tell."""
        text = field.data or ""
        if not text or len(text) > MAX_SEALED or not text.isascii() or not text.isprintable():
            raise ValidationError("Enter your card in the secure form.")

    def address(self) -> BillingAddress:
        """The billing address as typed."""
        return BillingAddress(
            line1=_text(self.line1.data),
            line2=_text(self.line2.data),
            city=_text(self.city.data),
            region=_text(self.region.data),
            postal_code=_text(self.postal_code.data),
            country=_text(self.country.data),
        )


def _text(value: Any) -> str:  # Any: WTForms' data
    return value if isinstance(value, str) else ""
