"""What the rooms' forms share."""

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from chassis.errors import InvalidArgument
from chassis.web.forms import Form

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def shallow(value: "DataclassInstance") -> dict[str, Any]:
    """A value's fields as they are, for a form's `data` (asdict would take Money apart)."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def attempt(form: Form, act: Callable[[], Any]) -> Any:
    """What `act` returns, or None when a use case refused; its text then stands at its field."""
    try:
        return act()
    except InvalidArgument as error:
        form.refuse(error.field, error.message)
        return None
