"""What a page's script sends as JSON."""

from typing import Any

from flask import request

from chassis.errors import InvalidArgument

_ODD = "The request is not what this page sends. Reload the page and try again."


def json_body() -> dict[str, Any]:  # Any: JSON
    """The object that came with the request. Raises InvalidArgument for anything else."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InvalidArgument(_ODD)
    return body


def ascii_in(body: dict[str, Any], name: str, most: int) -> str:
    """A key or a sealed text in it, of up to `most` characters. Raises InvalidArgument."""
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > most or not value.isascii():
        raise InvalidArgument(_ODD, field=name)
    return value
