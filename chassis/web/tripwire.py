"""A card belongs in the secure frame only: whatever else brings a card number is refused unread.

A form field or JSON value with a Luhn-valid number of 13 to 19 digits that some network issues answers 422
(docs/security.md, Card data). The value is neither echoed nor logged nor handed to a view; only the field's name is
said.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import structlog
from flask import Flask, current_app, g, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnprocessableEntity

from chassis.cards.detector import TooManyDigits, holds_card

MESSAGE = (
    "That looked like a card number, so we stopped before keeping any of it. "
    "A card number belongs only in the secure card form, where nobody but the agent can ever read it."
)
HELP = (
    "Please go back and take it out. If it is another long number, put brackets around its first three digits, "
    "for example (220) 2345678908; write a phone number with its plus sign and country code."
)

# What to do where the number stands in a file's name.
HELP_WITH_A_NAME = (
    "It stands in the name of the file that you chose. Please go back, give the file another name, and choose it again."
)

# The same beside its field, on the page with the form.
NAME_REFUSED: Final = "The name of this file looks like a card number. Give the file another name, and choose it again."

# The largest body that is not an upload, in bytes: room for a drawn signature.
MAX_TEXT_BODY = 1024 * 1024
# So many digits with no letter between them nobody types; see holds_card for the time that they take.
_MOST_DIGITS = 50_000
# Letters, so that no number goes on from one value to the next.
_APART = " and "
_MARK = "says_of_file_names"
_View = TypeVar("_View", bound=Callable[..., Any])
_log = structlog.get_logger("web")


def says_of_file_names(view: _View) -> _View:
    """Marks a view whose form takes files. A file whose name holds what looks like a card number does not reach it, the
    rest of the form does, and the form says beside the file's field why (chassis.web.forms): what was typed stays."""
    setattr(view, _MARK, True)
    return view


def refused_files() -> list[str]:
    """Fields of the form whose files were taken out of this request."""
    names: list[str] = g.get("refused_files", [])
    return names


class CardNumberRefused(UnprocessableEntity):
    """A request carried what looks like a card number outside the secure frame. `field`: the form's, if it was one;
    `help`: what to do."""

    description = MESSAGE

    def __init__(self, field: str = "") -> None:
        super().__init__()
        self.field = field
        self.help = HELP_WITH_A_NAME if field and field in request.files else HELP


def _texts(value: Any) -> Iterator[str]:  # Any: a JSON document
    """Every string and number of a JSON document, keys included; without recursion, so depth can't break it."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            yield item
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield format(item, "f").removesuffix(".000000") if isinstance(item, float) else str(item)


def _request_texts() -> Iterator[tuple[str, str]]:
    """Every text of the request but files' names, with the name of the form field that holds it."""
    if request.mimetype != "multipart/form-data":
        # Werkzeug bounds the text parts of a multipart form only.
        request.max_content_length = MAX_TEXT_BODY
    yield "", request.path
    for values in (request.args, request.form):
        for key, value in values.items(multi=True):
            yield "", _named(key)
            yield key, value
    if request.is_json and request.content_length:
        try:
            yield from (("", text) for text in _texts(request.get_json()))
        except RecursionError:
            raise BadRequest("The JSON is nested too deeply.") from None
    elif request.mimetype.startswith("text/"):
        yield "", request.get_data(as_text=True)


def _file_names() -> list[tuple[str, str]]:
    return [(_named(key), upload.filename or "") for key, upload in request.files.items(multi=True)]


def _named(key: str | None) -> str:
    """A field's name. Raises BadRequest for a part of a form that has none, which no form may hold (RFC 7578 4.2)."""
    if key is None:
        raise BadRequest("A part of the form has no name.")
    return key


def install_tripwire(app: Flask) -> None:
    """Checks every request before any view, CSRF check or log sees its values."""

    def check() -> None:
        texts, names = list(_request_texts()), _file_names()
        try:
            refused = holds_card(_APART.join(text for _, text in (*texts, *names)), most_digits=_MOST_DIGITS)
        except TooManyDigits:
            raise RequestEntityTooLarge from None
        if not refused:
            return
        fields = [field for field, text in texts if holds_card(text)]
        files = [field for field, name in names if holds_card(name)]
        if fields or not files or not _says_so_itself():
            raise CardNumberRefused(next(iter(fields + files), ""))
        _take_out(files)

    app.before_request(check)


def _says_so_itself() -> bool:
    return getattr(current_app.view_functions.get(request.endpoint or ""), _MARK, False)


def _take_out(fields: list[str]) -> None:
    """Leaves the files of these fields out of the request."""
    g.refused_files = sorted(set(fields))
    sent = list(request.files.items(multi=True))
    for _, file in (each for each in sent if each[0] in fields):
        file.close()
    request.files = ImmutableMultiDict([each for each in sent if each[0] not in fields])
    _log.warning("tripwire.card_number_refused", route=str(request.url_rule or ""))
