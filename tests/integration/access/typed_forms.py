"""Forms as a browser holds them: what stands in each field, its kind, and what a page says beside it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml import html  # type: ignore[import-untyped]

# What is no text of a person: it proves something, holds what scripts made, or traps machines.
_NOT_TYPED: Final = re.compile(
    r"^(csrf_token|password|old|new|again|present_password|code|token|website|signature.*|sealed.*)$"
)
_PAST: Final = re.compile(r"birthday|born_on|paid_on|received_on")
# What a form needs though its page doesn't mark it: one of two names, a postal code in most countries.
_NEEDED: Final = {"first_name": "Ann", "postal_code": "10001"}
_GOOD: Final = {
    "text": "Anything",
    "amount": "10.00",
    "day": "2027-05-05",
    "past day": "2026-01-05",
    "number": "1",
    "email": "ann@client.example",
    "phone": "+1 305 555 0143",
    "time": "10:00",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field that one can type into."""

    name: str
    kind: str
    value: str
    longest: int | None


class PageForm:
    """A form of a page: `action`, what a browser would send, and the fields one can type into."""

    def __init__(self, element: Any, page: str) -> None:
        self.element = element
        self.page = page
        self.action = (element.get("action") or page).partition("?")[0]
        self.fields = {field.name: field for field in _typed(element)}
        self.sent: dict[str, str] = {}
        for name, value in element.form_values():
            self.sent.setdefault(name, value or "")
        for name, field in self.fields.items():
            control = element.xpath(".//*[@name=$name]", name=name)[0]
            if not self.sent.get(name) and control.get("required") is not None:
                self.sent[name] = _GOOD[field.kind]
        for control in element.xpath(".//input[@type='radio']"):
            self.sent.setdefault(control.get("name"), control.get("value") or "")
        for name, value in _NEEDED.items():
            if name in self.fields and not self.sent.get(name):
                self.sent[name] = value
        for control in element.xpath(".//input[@type='checkbox'][@required]"):
            self.sent[control.get("name")] = control.get("value") or "y"

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        return self.action, tuple(sorted(self.fields))

    def fault_beside(self, name: str) -> str:
        """What is said beside the field, or "" for nothing."""
        for control in self.element.xpath(".//*[@name=$name]", name=name):
            for described in (control.get("aria-describedby") or "").split():
                if described.endswith(("-error", "-fault")):
                    said = self.element.xpath("//*[@id=$id]", id=described)
                    return " ".join(said[0].text_content().split()) if said else ""
        return ""

    def says_something(self) -> bool:
        return bool(self.element.xpath(".//*[contains(@class,'wv-errors') or contains(@class,'wv-field-error')]"))


def _typed(element: Any) -> Iterator[Field]:
    for control in element.xpath(".//input[@name] | .//textarea[@name]"):
        kind, name = control.get("type") or "text", control.get("name")
        if control.get("readonly") is not None or kind in (
            "hidden",
            "checkbox",
            "radio",
            "submit",
            "button",
            "file",
            "password",
            "search",
            "image",
        ):
            continue
        if _NOT_TYPED.match(name):
            continue
        longest = control.get("maxlength")
        value = (control.value or "").replace("\r\n", "\n").removeprefix("\n")
        yield Field(name, _kind(control, kind), value, int(longest) if longest else None)


def _kind(control: Any, kind: str) -> str:
    mode, name = control.get("inputmode") or "", control.get("name")
    match kind, mode:
        case ("date", _):
            return "past day" if _PAST.search(name) else "day"
        case ("number", _) | (_, "numeric"):
            return "number"
        case ("email", _):
            return "email"
        case ("tel", _):
            return "phone"
        case (_, "decimal"):
            return "amount"
    return "time" if name.endswith("_time") else "text"


def forms_of(page: str, text: str) -> list[PageForm]:
    """The page's forms that are sent by POST and have something to type."""
    if not text.strip():
        return []
    root = html.fromstring(text)
    found = [PageForm(form, page) for form in root.forms if form.method.upper() == "POST"]
    return [form for form in found if form.fields]


def text_of(text: str) -> str:
    """What a page shows, in one line."""
    root = html.fromstring(text)
    for unseen in root.xpath("//script | //style"):
        unseen.drop_tree()
    return " ".join(root.text_content().split())
