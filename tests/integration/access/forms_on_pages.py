"""The forms that pages hold, as a browser finds them: where each is sent, and what stands in its fields."""

from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from urllib.parse import urlsplit


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.forms: dict[str, dict[str, str]] = {}
        self._form: dict[str, str] | None = None
        self._select = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urlsplit(given.get("action") or given.get("hx-post") or self.page).path
            self._form = self.forms.setdefault(action, {})
        name = given.get("name", "")
        if self._form is None:
            return
        if tag == "option" and self._select and ("selected" in given or not self._form.get(self._select)):
            self._form[self._select] = given.get("value", "")
        elif tag == "select":
            self._select = name
            self._form.setdefault(name, "")
        elif tag == "textarea":
            self._text = name
            self._form[name] = ""
        elif name and tag in ("input", "button"):
            self._form.setdefault(name, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._text:
            self._form[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "select":
                self._select = ""
            case "textarea":
                self._text = ""


def forms_on(pages: Iterable[str], get: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """By the address that a form is sent to: its fields, with what stands in them. `get` fetches a page's HTML."""
    found: dict[str, dict[str, str]] = {}
    for page in pages:
        reader = _Reader(page)
        reader.feed(get(page))
        for action, fields in reader.forms.items():
            found.setdefault(action, {}).update(fields)
    return found
