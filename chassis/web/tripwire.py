"""The card belongs into the secure frame only: whatever else brings a card number is refused unread.

SECURITY.md, Card data: a form field or JSON value with a Luhn-valid run of 13 to 19 digits answers 422.
The value is neither echoed nor logged nor handed to a view.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import BadRequest, UnprocessableEntity

from chassis.cards import luhn_valid
from chassis.logging import holds_card_number, without_identifiers

MESSAGE = (
    "That looked like a card number, so we stopped before keeping any of it. "
    "A card number belongs only in the secure card form, where nobody but the agent can ever read it."
)
HELP = (
    "Please go back and take it out. If it is another long number, such as a phone number, "
    "put brackets around a part of it, for example +49 (1512) 3456789."
)

# The largest body that is not an upload: a form with a drawn signature takes a tenth of it.
MAX_TEXT_BODY = 1024 * 1024

# Ways people write digits apart: any space or dash, dot, underscore, and marks that have no width.
_SEPARATORS = re.compile(r"[^\S\n\r]|[\u2010-\u2015\u2212\u00ad\u200b-\u200d\u2060\ufeff_.\-]")
_SEPARATOR_RUN = re.compile(r" +")
_GROUPS = re.compile(r"\d+(?: \d+)+")
# How cards are printed: 4-4-4-4(-3), 4-6-5 (Amex), 4-6-4 (Diners), one block.
_CARD_GROUPINGS = ((4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1))


class CardNumberRefused(UnprocessableEntity):
    """A request carried what looks like a card number outside the secure frame."""

    description = MESSAGE


def looks_like_card(text: str) -> bool:
    """Whether the text holds a card number, however its digits are spaced or in whatever script they stand."""
    if sum(map(str.isdigit, text)) < 13:
        return False
    plain = _plain_digits(without_identifiers(text))
    return holds_card_number(plain) or any(_card_among(match.group().split(" ")) for match in _GROUPS.finditer(plain))


def _plain_digits(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    ascii_digits = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in folded)
    return _SEPARATOR_RUN.sub(" ", _SEPARATORS.sub(" ", ascii_digits))


def _card_among(groups: list[str]) -> bool:
    """Whether neighbouring groups, among others, are printed like a card ("room 12 4111 1111 1111 1111")."""
    for start in range(len(groups)):
        if 13 <= len(groups[start]) <= 19 and len(set(groups[start])) > 1 and luhn_valid(groups[start]):
            return True
        for grouping in _CARD_GROUPINGS:
            part = groups[start : start + len(grouping)]
            if tuple(map(len, part)) == grouping and luhn_valid("".join(part)) and len(set("".join(part))) > 1:
                return True
    return False


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


def _request_texts() -> Iterator[str]:
    if request.mimetype != "multipart/form-data":
        # Werkzeug bounds the text parts of a multipart form only.
        request.max_content_length = MAX_TEXT_BODY
    yield request.path
    for values in (request.args, request.form):
        for key, value in values.items(multi=True):
            yield key
            yield value
    for upload in request.files.values():
        yield upload.filename or ""
    if request.is_json and request.content_length:
        try:
            yield from _texts(request.get_json())
        except RecursionError:
            raise BadRequest("The JSON is nested too deeply.") from None
    elif request.mimetype.startswith("text/"):
        yield request.get_data(as_text=True)


def install_tripwire(app: Flask) -> None:
    """Checks every request before any view, CSRF check or log sees its values."""

    def check() -> None:
        if any(looks_like_card(text) for text in _request_texts()):
            raise CardNumberRefused

    app.before_request(check)
