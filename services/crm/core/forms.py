"""What the rooms' forms share."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from flask import flash, request
from wtforms import Field, HiddenField

from chassis.errors import InvalidArgument
from chassis.typed.numbers import number_from
from chassis.web.forms import Form
from services.crm.core.errors import ChangedMeanwhile

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


class WithTickedParts(Form):
    """A form with fields that are of use with a tick only, and are hidden without it where the browser can. Then the
    page says so here (app.js): what is hidden was left out on purpose; what stands there is asked about."""

    parts_shown = HiddenField(default="all")

    def ask_about_left(self, names: Iterable[str], message: str) -> bool:
        """Refuses fields in which something else was typed than the form filled in, while all are shown. Whether there
        are any."""
        left = [name for name in names if self.parts_shown.data == "all" and was_typed(self[name])]
        for name in left:
            self.refuse(name, message)
        return bool(left)


def was_typed(field: Field) -> bool:
    """Whether a field, itself in order, holds something else than the form filled in."""
    return not field.errors and field.data not in (None, "") and bool(field.data != field.object_data)


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


def do_and_say(act: Callable[[], T], said: Callable[[T], str]) -> T | None:
    """Does what a button is for; the next page says what was done, or why a use case refused, and then it is None."""
    try:
        done = act()
    except InvalidArgument as error:
        flash(error.message, "alert")
        return None
    flash(said(done), "done")
    return done


def shown_issue() -> int:
    """Which issue of an e-mail the page showed whose button sends it again: a second click finds it outdated."""
    return number_from(request.form.get("issue", ""), most=999_999)


def _take_version(form: Form, version: int | None) -> None:
    """Who has read of the conflict and saves again means it."""
    field = form._fields.get("version")
    if field is not None and version is not None:
        field.data, field.raw_data = version, None
