"""The forms of companies and households."""

from dataclasses import asdict
from typing import Any

from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from chassis.typed.web_addresses import read_page
from chassis.web.forms import (
    CountryField,
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
from services.crm.sales.groups.rules import COMPANY_FIELDS, LONGEST_NAME, GroupData, GroupKind


class HouseholdForm(Form):
    """What is entered of either kind. `version` is that of the group the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    name = StringField("Name", [required("Enter the name."), Length(max=LONGEST_NAME)])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])
    street = StringField("Street and number", [Length(max=200)])
    city = StringField("City", [Length(max=100)])
    region = StringField("State or region", [Length(max=100)])
    postal_code = StringField("Postal code", [Length(max=20)])
    country = CountryField("Country", [Optional()])
    notes = TextAreaField("Notes", [Length(max=10_000)])

    def entered(self, kind: GroupKind) -> GroupData:
        """What was entered, once the form is valid."""
        names = [name for name in asdict(GroupData(kind=kind, name="")) if name in self]
        return GroupData(kind=kind, **{name: self[name].data or "" for name in names})


class CompanyForm(HouseholdForm):
    """What a company has beside that."""

    website = StringField("Website", [Optional(), Length(max=290)])
    tax_id = StringField("Tax or VAT number", [Length(max=40)])
    billing_name = StringField("Billing contact", [Length(max=120)])
    billing_email = EmailField("Billing e-mail", [Optional(), Length(max=254), email_address()])

    def validate_website(self, field: Any) -> None:  # Any: WTForms' field
        if field.data:
            try:
                field.data = read_page(field.data)
            except ValueError as error:
                raise ValidationError(str(error)) from None


def group_form(kind: GroupKind, data: dict[str, object]) -> HouseholdForm:
    """The form of a kind with first values."""
    form: type[HouseholdForm] = CompanyForm if kind is GroupKind.COMPANY else HouseholdForm
    return form(data={name: value for name, value in data.items() if name not in COMPANY_FIELDS or form is CompanyForm})
