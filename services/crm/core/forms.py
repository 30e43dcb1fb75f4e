"""What the rooms' forms share."""

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from chassis.errors import InvalidArgument
from chassis.web.forms import Form
from services.crm.core.errors import ChangedMeanwhile

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def shallow(value: "DataclassInstance") -> dict[str, Any]:
    """A value's fields as they are, for a form's `data` (asdict would take Money apart)."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def attempt(form: Form, act: Callable[[], Any]) -> Any:
    """What `act` returns, or None when a use case refused; its text then stands at its field. After a conflict the form
    carries the present version: saved once more, it goes ahead."""
    try:
        return act()
    except ChangedMeanwhile as conflict:
        form.refuse(conflict.field, conflict.message)
        _take_version(form, conflict.version)
        return None
    except InvalidArgument as error:
        form.refuse(error.field, error.message)
        return None


def _take_version(form: Form, version: int | None) -> None:
    """Who has read of the conflict and saves again means it."""
    field = form._fields.get("version")
    if field is not None and version is not None:
        field.data, field.raw_data = version, None
