"""Addresses of pages: ids in paths, and lists whose state stays in the query."""

from urllib.parse import urlencode

from flask import request, url_for
from werkzeug.routing import BaseConverter

from chassis.typed.text import clean_line

# What belongs to one page of a list, and not to the list.
_OF_THE_PAGE = ("page", "ticked")


class IdConverter(BaseConverter):
    """`<id:client_id>`: an identifier as chassis.ids makes them. Anything else is no page (404), before any look-up."""

    regex = r"[a-z]{2,20}_[a-z2-7]{26}"


def page_number() -> int:
    """`?page=`, from 1; nonsense counts as 1."""
    text = request.args.get("page", "1")
    return min(max(1, int(text)), 100_000) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def typed_text(name: str = "q") -> str:
    """A search text from the query: cleaned (chassis.typed.text), of bounded length."""
    return clean_line(request.args.get(name, "")[:1000])[:100].strip()


def same_list(**changes: object) -> str:
    """This list's address with some of its state changed; what is empty is left out, and paging starts over."""
    state: dict[str, object] = {key: value for key, value in request.args.items() if key not in _OF_THE_PAGE}
    state.update(changes)
    kept = {key: value for key, value in state.items() if value not in ("", None, False)}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def with_same_filter(endpoint: str) -> str:
    """Another page's address with this list's state (its CSV file). Never by url_for's own keywords: the query is
    the visitor's, and url_for would take `_scheme` and its like from it."""
    query = urlencode([(key, value) for key, value in request.args.items() if key not in _OF_THE_PAGE])
    return f"{url_for(endpoint)}?{query}" if query else url_for(endpoint)
