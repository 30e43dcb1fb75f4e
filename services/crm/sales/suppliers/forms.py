"""The supplier form."""

from typing import Any

from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from chassis.cards import Brand, brand_words
from chassis.typed.web_addresses import read_page
from chassis.web.forms import (
    CheckboxesField,
    Form,
    IntegerField,
    Length,
    Optional,
    PhoneField,
    StringField,
    TextAreaField,
    required,
)
from services.crm.sales.suppliers.rules import BRANDS, SupplierData, read_percent


class SupplierForm(Form):
    """`version` is that of the supplier the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    name = StringField("Name", [required("Enter the supplier's name."), Length(max=120)])
    phone = PhoneField("Reservations phone", [Optional(), Length(max=40)])
    payment_page = StringField("Payment page", [Optional(), Length(max=290)])
    brands = CheckboxesField(
        "Cards it takes",
        choices={brand.value: brand_words(brand) for brand in BRANDS},
    )
    commission = StringField("Commission in percent", [Optional(), Length(max=10)])
    note = TextAreaField("Note", [Length(max=500)])

    def validate_payment_page(self, field: Any) -> None:  # Any: WTForms' field
        _check(field, read_page)

    def validate_commission(self, field: Any) -> None:  # Any: WTForms' field
        _check(field, read_percent)

    def entered(self) -> SupplierData:
        """What was entered, once the form is valid."""
        return SupplierData(
            name=self.name.data or "",
            phone=self.phone.data or "",
            payment_page=read_page(self.payment_page.data) if self.payment_page.data else "",
            brands=tuple(Brand(value) for value in self.brands.data or ()),
            commission_points=read_percent(self.commission.data) if self.commission.data else None,
            note=self.note.data or "",
        )


def _check(field: Any, read: Any) -> None:  # Any: WTForms' field, and what reads it
    try:
        read(field.data)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def first_values(data: SupplierData) -> dict[str, object]:
    """What the form shows of a supplier."""
    return {
        "name": data.name,
        "phone": data.phone,
        "payment_page": data.payment_page,
        "brands": [brand.value for brand in data.brands],
        "commission": f"{data.commission.normalize():f}" if data.commission is not None else "",
        "note": data.note,
    }
