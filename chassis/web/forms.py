"""Form fields for what agencies write down. What was typed stays; texts say how to mend it."""

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    PasswordField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms import DateField as _DateField
from wtforms import RadioField as _RadioField
from wtforms import SelectField as _SelectField
from wtforms import SelectMultipleField as _SelectMultipleField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import Email, Length, Optional, StopValidation

from chassis.money import Money, MoneyError
from chassis.web.formatting import country_choices

__all__ = [
    "BooleanField",
    "CheckboxesField",
    "CodeField",
    "CountryField",
    "DateField",
    "Email",
    "EmailField",
    "Form",
    "Length",
    "MoneyField",
    "Optional",
    "PasswordField",
    "PhoneField",
    "RadioField",
    "SelectField",
    "SelectMultipleField",
    "StringField",
    "TextAreaField",
    "email_address",
    "required",
]

MAX_TEXT = 200
MAX_NOTE = 4000


Choices = Sequence[Any] | Callable[..., Any] | None  # Any: (value, label) pairs or SelectChoice


def as_choices(choices: Choices) -> Any:
    """WTForms' own kind of choices for (value, label) pairs; what is of that kind or a function stays as it is."""
    if choices is None or callable(choices):
        return choices
    return [SelectChoice(value=item[0], label=item[1]) if isinstance(item, tuple) else item for item in choices]


def strip(value: Any) -> Any:  # Any: WTForms hands over whatever the field holds
    """Takes blanks off both ends and control characters out (header injection never gets further than here)."""
    if not isinstance(value, str):
        return value
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", value).strip()


class Form(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """Every form's ground: CSRF, and text fields are stripped and bounded unless they say otherwise."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            kind = unbound_field.field_class
            if issubclass(kind, StringField) and not issubclass(kind, PasswordField):
                filters = [strip, *unbound_field.kwargs.get("filters", ())]
                return unbound_field.bind(form=form, **{**options, "filters": filters})
            return super().bind_field(form, unbound_field, options)

    def refuse(self, field: str, message: str) -> None:
        """Adds an error that a rule or another service found, to its field, or to the form when it has none."""
        target = self._fields.get(field)
        if target is None:
            self.form_errors.append(message)
        else:
            target.errors = [*target.errors, message]


class Required:
    """The field must be filled with more than blanks. What was typed wrongly keeps its own message."""

    field_flags: ClassVar = {"required": True}

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Any, field: Field) -> None:
        if any(str(value).strip() for value in field.raw_data or ()):
            if field.process_errors:
                raise StopValidation
            return
        field.errors = []
        raise StopValidation(self.message)


def required(message: str) -> Required:
    """The field must be filled; `message` says with what: "Enter the supplier's name."."""
    return Required(message)


def email_address(message: str = "Enter an e-mail address such as name@example.com.") -> Email:
    return Email(message)


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
        if not self.typed.strip():
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


class PhoneField(StringField):
    """A telephone number with its country code; kept as typed, but for digits, blanks and ( ) + - . only."""

    widget = widgets.TelInput()

    def pre_validate(self, form: Any) -> None:
        text = self.data or ""
        if text and not re.fullmatch(r"\+?[0-9 ().\-/]{5,30}", text):
            raise StopValidation("Enter a phone number such as +1 (305) 555 0142.")


class CodeField(StringField):
    """A one-time code: digits, blanks between them allowed and dropped."""

    def __init__(self, label: str | None = None, validators: Any = None, *, digits: int = 6, **kwargs: Any) -> None:
        self.digits = digits
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = re.sub(r"[\s\-]", "", valuelist[0]) if valuelist else ""
        if self.data and not re.fullmatch(rf"[0-9]{{{self.digits}}}", self.data):
            raise ValueError(f"Enter the {self.digits} digits of the code.")


class DateField(_DateField):
    """A day. `data` is a date or None."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Enter a date, such as 2026-11-21.") from None


_SET_CHOICES = _SelectField.__dict__["choices"].fset


class _Pairs:
    """Lets a choice field take (value, label) pairs, at its definition and later."""

    def __init__(
        self,
        label: str | None = None,
        validators: Sequence[Any] | None = None,
        *,
        choices: Choices = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("invalid_choice_message", self.not_a_choice)
        super().__init__(label, validators, choices=as_choices(choices), **kwargs)  # type: ignore[call-arg]

    not_a_choice: ClassVar[str | None] = "Choose one of the list."

    @property
    def choices(self) -> Any:
        return super().choices  # type: ignore[misc]

    @choices.setter
    def choices(self, value: Choices) -> None:
        _SET_CHOICES(self, as_choices(value))


class SelectField(_Pairs, _SelectField):
    """One of a list, as a menu."""


class RadioField(_Pairs, _RadioField):
    """One of a list, all in view."""


class SelectMultipleField(_Pairs, _SelectMultipleField):
    """Several of a list."""

    not_a_choice = None


class CheckboxesField(SelectMultipleField):
    """Several of a list, as check boxes; `data` is the list of chosen values."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class CountryField(SelectField):
    """A country by name; `data` is its ISO 3166-1 alpha-2 code."""

    def __init__(self, label: str | None = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, choices=[("", "Choose a country"), *country_choices()], **kwargs)


def first_errors(form: FlaskForm) -> list[tuple[Field, str]]:
    """Each field at fault with its first error, in the form's order."""
    return [(field, str(field.errors[0])) for field in form if field.errors]
