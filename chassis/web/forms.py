"""Form fields for what agencies write down. What was typed stays; texts say how to mend it."""

import re
from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Any, ClassVar

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, ImmutableMultiDict, MultiDict
from wtforms import (
    BooleanField,
    Field,
    FileField,
    MultipleFileField,
    PasswordField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms import DateField as _DateField
from wtforms import EmailField as _EmailField
from wtforms import IntegerField as _IntegerField
from wtforms import RadioField as _RadioField
from wtforms import SelectField as _SelectField
from wtforms import SelectMultipleField as _SelectMultipleField
from wtforms.validators import Length as _Length
from wtforms.validators import Optional as _Optional
from wtforms.validators import StopValidation

from chassis.mail_addresses import AddressRefused, wire_address
from chassis.money import Money, MoneyError
from chassis.typed.days import EARLIEST, LATEST, DayError, read_day
from chassis.typed.emails import clean_address
from chassis.typed.numbers import NumberError, read_number
from chassis.typed.phones import PhoneError, read_phone
from chassis.typed.text import clean_line, clean_text, draws, has_letter, plain
from chassis.typed.times import TimeError, read_time
from chassis.typed.zones import ZoneError, read_zone
from chassis.web.formatting import country_choices
from chassis.web.tripwire import NAME_REFUSED, CardNumberRefused, refused_files

__all__ = [
    "BooleanField",
    "CheckboxesField",
    "CodeField",
    "CountryField",
    "DateField",
    "EmailField",
    "Form",
    "IntegerField",
    "Length",
    "MoneyField",
    "NameField",
    "Optional",
    "PasswordField",
    "PhoneField",
    "RadioField",
    "SelectField",
    "StringField",
    "TextAreaField",
    "TimeField",
    "WithNames",
    "ZoneField",
    "email_address",
    "required",
]

MAX_TEXT = 200
MAX_NOTE = 4000


def _clean(kind: type[Any]) -> Callable[[Any], Any]:  # Any: WTForms hands over whatever the field holds
    """What is done to a field's text before anything else sees it (chassis.typed.text)."""
    clean = clean_text if issubclass(kind, TextAreaField) else clean_line
    return lambda value: clean(value) if isinstance(value, str) else value


class Form(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """Every form's ground: CSRF, and text without what nobody sees. Passwords are taken as typed."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            kind = unbound_field.field_class
            if issubclass(kind, StringField) and not issubclass(kind, PasswordField):
                filters = [_clean(kind), *unbound_field.kwargs.get("filters", ())]
                return unbound_field.bind(form=form, **{**options, "filters": filters})
            return super().bind_field(form, unbound_field, options)

        def render_field(self, field: Field, render_kw: dict[str, Any]) -> Any:  # Any: markup, of markupsafe
            """Without `maxlength`: browsers cut what is pasted there and say nothing. The server says so in words."""
            return super().render_field(field, {**render_kw, "maxlength": False})

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """A form's fields come as a form. flask_wtf would take JSON of any shape for one, and a file for a text."""
            if request.is_json and not isinstance(formdata, MultiDict):
                return ImmutableMultiDict()
            sent = super().wrap_formdata(form, formdata)
            if not isinstance(sent, CombinedMultiDict):
                return sent
            for_files = {field.name for field in form if isinstance(field, FileField | MultipleFileField)}
            files = [(name, file) for name, file in request.files.items(multi=True) if name in for_files]
            return CombinedMultiDict((ImmutableMultiDict(files), request.form))

    def validate(self, *args: Any, **kwargs: Any) -> bool:  # Any: WTForms' own
        """Whether the form may be used; files that were taken out of it for their names are said beside their fields.
        Raises CardNumberRefused for one that this form has no field for."""
        is_valid: bool = super().validate(*args, **kwargs)
        for name in refused_files():
            if name not in self._fields:
                raise CardNumberRefused(name)
            self.refuse(name, NAME_REFUSED)
            is_valid = False
        return is_valid

    def refuse(self, field: str, message: str) -> None:
        """Adds an error that a rule or another service found, to its field, or to the form when it has none."""
        target = self._fields.get(field)
        if target is None:
            self.form_errors.append(message)
        else:
            target.errors = [*target.errors, message]


class Length(_Length):
    """At most, at least or exactly so many characters."""

    def __init__(self, **given: Any) -> None:  # Any: WTForms' own, `min`, `max` and `message`
        if "min" not in given and "message" not in given:
            given["message"] = f"Use at most {given['max']} characters."
        super().__init__(**given)


class Required:
    """The field must be filled with more than blanks. What was typed wrongly keeps its own message."""

    field_flags: ClassVar = {"required": True}

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Any, field: Field) -> None:
        if any(clean_text(str(value)) for value in field.raw_data or ()):
            if field.process_errors:
                raise StopValidation
            return
        field.errors = []
        raise StopValidation(self.message)


class Optional(_Optional):
    """The field may stay empty, and is so with what nobody sees."""

    def __init__(self) -> None:
        super().__init__()
        self.string_check = lambda text: bool(clean_text(text))


def required(message: str) -> Required:
    """The field must be filled; `message` says with what: "Enter the supplier's name."."""
    return Required(message)


def email_address() -> Callable[[Any, Field], None]:
    """One address that mail can be sent to; an international domain is fine."""

    def check(_: Any, field: Field) -> None:
        try:
            wire_address(field.data or "")
        except AddressRefused as error:
            raise StopValidation(str(error)) from error

    return check


class MoneyField(Field):
    """An amount. `data` is a Money in `currency`, or None; what was typed stays in the field."""

    widget = widgets.TextInput()
    data: Money | None

    def __init__(
        self,
        label: str | None = None,
        validators: Sequence[Any] | None = None,
        *,
        currency: str = "USD",
        positive: bool = True,
        **kwargs: Any,
    ) -> None:
        self.currency = currency
        self.positive = positive
        self.typed = ""
        super().__init__(label, tuple(validators or ()), **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.typed = valuelist[0] if valuelist else ""
        self.data = None
        if not clean_line(self.typed):
            return
        try:
            amount = Money.parse(self.typed, self.currency)
        except MoneyError as error:
            raise ValueError(str(error)) from None
        if self.positive and amount.minor <= 0:
            raise ValueError("Enter an amount above zero.")
        self.data = amount

    def _value(self) -> str:
        if self.typed:
            return self.typed
        return f"{self.data.decimal:,}" if self.data else ""


class NameField(StringField):
    """A name, of a person or a house, in any script. What draws nothing is none."""

    def pre_validate(self, form: Any) -> None:
        if self.data and not draws(self.data):
            raise StopValidation("Enter the name with at least one letter.")


class WithNames(Form):
    """A form with `first_name` and `last_name`. One is enough: many people have no other, and passports say so."""

    one_name_needed = "Enter a first name, a last name, or both."

    def validate(self, extra_validators: Any = None) -> bool:  # Any: WTForms' own
        valid = super().validate(extra_validators)
        first, last = self._fields["first_name"], self._fields["last_name"]
        if not first.errors and not last.errors and not has_letter(f"{first.data or ''}{last.data or ''}"):
            self.refuse("first_name", self.one_name_needed)
            return False
        return bool(valid)


class EmailField(_EmailField):
    """An e-mail address, without what was pasted around it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = clean_address(valuelist[0]) if valuelist else ""


class PhoneField(StringField):
    """A telephone number; kept as typed, in plain digits and signs. A country code and an extension may be in it."""

    widget = widgets.TelInput()

    def pre_validate(self, form: Any) -> None:
        if not self.data:
            return
        try:
            self.data = read_phone(self.data)
        except PhoneError as error:
            raise StopValidation(str(error)) from None


class CodeField(StringField):
    """A one-time code: digits, blanks and hyphens between them allowed and dropped."""

    def __init__(self, label: str | None = None, validators: Any = None, *, digits: int = 6, **kwargs: Any) -> None:
        self.digits = digits
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = re.sub(r"[\s\-]", "", plain(valuelist[0])) if valuelist else ""
        if self.data and not re.fullmatch(rf"[0-9]{{{self.digits}}}", self.data):
            raise ValueError(f"Enter the {self.digits} digits of the code.")


class _NumberInput(widgets.TextInput):
    """Plain text with a keyboard of digits: of "1.000,00" in an `<input type=number>` browsers send nothing."""

    def __call__(self, field: Field, **kwargs: Any) -> Any:  # Any: markup, of markupsafe
        return super().__call__(field, **{"inputmode": "numeric", **kwargs})


class IntegerField(_IntegerField):
    """A whole number. `data` is an int or None; bounds come by NumberRange."""

    widget = _NumberInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not clean_line(valuelist[0]):
            return
        try:
            self.data = read_number(valuelist[0])
        except NumberError as error:
            raise ValueError(str(error)) from None


class DateField(_DateField):
    """A day between `earliest` and `latest`. `data` is a date or None."""

    def __init__(
        self,
        label: str | None = None,
        validators: Any = None,
        *,
        earliest: date = EARLIEST,
        latest: date = LATEST,
        **kwargs: Any,
    ) -> None:
        self.earliest, self.latest = earliest, latest
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not clean_line(valuelist[0]):
            return
        try:
            self.data = read_day(valuelist[0], earliest=self.earliest, latest=self.latest)
        except DayError as error:
            raise ValueError(str(error)) from None


class TimeField(Field):
    """A time of day. `data` is a time or None; what can't be read stays in the field."""

    widget = widgets.TextInput()
    data: time | None

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not clean_line(valuelist[0]):
            return
        try:
            self.data = read_time(valuelist[0])
        except TimeError as error:
            raise ValueError(str(error)) from None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.strftime("%H:%M") if self.data else ""


class ZoneField(StringField):
    """A time zone by its city. `data` is an IANA name or ""; what isn't known stays in the field."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = clean_line(valuelist[0]) if valuelist else ""
        if self.data:
            try:
                self.data = read_zone(self.data)
            except ZoneError as error:
                raise ValueError(str(error)) from None


# What is said of an answer that no menu holds.
_OF_THE_LIST: dict[str, Any] = {"invalid_choice_message": "Choose one of the list."}


class SelectField(_SelectField):
    """One of a list, as a menu. Choices are `{value: label}`."""

    def __init__(self, label: str | None = None, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, **_OF_THE_LIST | kwargs)


class RadioField(_RadioField):
    """One of a list, all in view. Choices are `{value: label}`."""

    def __init__(self, label: str | None = None, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, **_OF_THE_LIST | kwargs)


class CheckboxesField(_SelectMultipleField):
    """Several of a list, as check boxes; `data` is the list of chosen values."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class CountryField(SelectField):
    """A country by name; `data` is its ISO 3166-1 alpha-2 code."""

    def __init__(self, label: str | None = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, choices={"": "Choose a country", **dict(country_choices())}, **kwargs)
