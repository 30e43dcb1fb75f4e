"""vCards as Outlook, Google Contacts and Apple write them: 2.1, 3.0 and 4.0, several in a file. Pure; RFC 2426, 6350.

What is understood of a card becomes a row of a table with the columns of HEADER, so that cards and spreadsheets are
mapped and tried in the same way.
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

HEADER: Final = (
    "First name",
    "Last name",
    "Company",
    "E-mail",
    "Second e-mail",
    "Phone",
    "Second phone",
    "Birthday",
    "Street",
    "City",
    "State or region",
    "Postal code",
    "Country",
    "Notes",
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
# What parts the values of N and ADR; an escaped one does not.
_PARTS: Final = re.compile(r"(?<!\\);")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A property with its parameters' values, in capitals, and its value as it came."""

    name: str
    parameters: frozenset[str]
    charset: str
    value: str

    @property
    def text(self) -> str:
        return _unescaped(self.value).strip()

    @property
    def parts(self) -> list[str]:
        return [_unescaped(part).strip() for part in _PARTS.split(self.value)]

    def is_preferred(self) -> bool:
        return "PREF" in self.parameters or "1" in self.parameters


@dataclass(slots=True)
class _Card:
    lines: list[_Line] = field(default_factory=list)

    def first(self, name: str) -> _Line | None:
        return next((line for line in self.lines if line.name == name), None)

    def texts(self, name: str) -> list[str]:
        found = [line for line in self.lines if line.name == name and line.text]
        found.sort(key=lambda line: not line.is_preferred())
        return list(dict.fromkeys(line.text for line in found))


def looks_like_vcards(text: str) -> bool:
    """Whether a file begins as one with cards does."""
    return text.lstrip("\ufeff \r\n\t").upper().startswith("BEGIN:VCARD")


def read_vcards(text: str) -> list[list[str]]:
    """A row for each card, in their order; what is no property is passed over."""
    return [_row(card) for card in _cards(text)]


def _cards(text: str) -> Iterator[_Card]:
    card: _Card | None = None
    for line in lines_of(text):
        read = _line(line)
        if read is None:
            continue
        if read.name == "BEGIN" and read.value.strip().upper() == "VCARD":
            card = _Card()
        elif read.name == "END" and card is not None:
            yield card
            card = None
        elif card is not None:
            card.lines.append(read)


def lines_of(text: str) -> Iterator[str]:
    """The file's lines, unfolded: one that begins with a blank goes on with the one before; so does one whose
    quoted-printable value ends with "=" (vCard 2.1)."""
    waiting = ""
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if waiting and waiting.endswith("=") and _is_quoted_printable(waiting):
            waiting = waiting[:-1] + raw
        elif raw[:1] in (" ", "\t") and waiting:
            waiting += raw[1:]
        else:
            if waiting:
                yield waiting
            waiting = raw
    if waiting:
        yield waiting


def _is_quoted_printable(line: str) -> bool:
    return "QUOTED-PRINTABLE" in line.partition(":")[0].upper()


def _line(line: str) -> _Line | None:
    head, colon, value = _split_at_colon(line)
    if not colon:
        return None
    name, *parameters = head.split(";")
    charset = "utf-8"
    values: set[str] = set()
    for parameter in parameters:
        key, _, given = parameter.rpartition("=")
        if key.upper() == "CHARSET":
            charset = given.strip('"')
        else:
            values |= {one.strip('" ').upper() for one in given.split(",")}
    if "QUOTED-PRINTABLE" in values:
        value = _decoded(value, charset)
    # Apple groups lines: "item1.EMAIL".
    return _Line(name=name.rpartition(".")[2].upper(), parameters=frozenset(values), charset=charset, value=value)


def _split_at_colon(line: str) -> tuple[str, str, str]:
    """At the first colon that stands in no quotes."""
    quoted = False
    for at, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            return line[:at], ":", line[at + 1 :]
    return line, "", ""


def _decoded(value: str, charset: str) -> str:
    raw = quopri.decodestring(value.encode("utf-8", "surrogateescape"))
    for name in (charset, "utf-8", "cp1252"):
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _row(card: _Card) -> list[str]:
    first, last = _names(card)
    organisation = card.first("ORG")
    emails, phones = card.texts("EMAIL"), [text.removeprefix("tel:") for text in card.texts("TEL")]
    street, city, region, postal, country = _address(card)
    birthday = card.first("BDAY")
    return [
        first,
        last,
        organisation.parts[0] if organisation else "",
        *_two(emails),
        *_two(phones),
        _day(birthday) if birthday else "",
        street,
        city,
        region,
        postal,
        country,
        "\n".join([*card.texts("NOTE"), *(f"Department: {part}" for part in _departments(organisation))]),
    ]


def _departments(organisation: _Line | None) -> list[str]:
    """What stands behind the organisation's own name (RFC 6350, 6.6.4)."""
    return [part for part in organisation.parts[1:] if part] if organisation else []


def _day(line: _Line) -> str:
    """Apple writes a year that its owner left out as 1604, and says so in a parameter."""
    text = line.text.partition("T")[0]
    return f"--{text[5:]}" if text[:4] in line.parameters else text


def _two(texts: list[str]) -> tuple[str, str]:
    return (texts[0] if texts else "", texts[1] if len(texts) > 1 else "")


def _names(card: _Card) -> tuple[str, str]:
    """First and last name by N; else the name as it is shown."""
    structured = card.first("N")
    if structured is not None:
        last, first, middle = ([*structured.parts, "", "", ""])[:3]
        if first or last:
            return " ".join(part for part in (first, middle) if part), last
    shown = card.first("FN")
    organisation = card.first("ORG")
    text = shown.text if shown else ""
    if organisation is not None and text == organisation.parts[0]:
        return "", ""
    first, _, last = text.rpartition(" ")
    return (first, last) if first else (last, "")


def _address(card: _Card) -> tuple[str, str, str, str, str]:
    found = [line for line in card.lines if line.name == "ADR" and any(line.parts)]
    if not found:
        return ("", "", "", "", "")
    line = next((each for each in found if each.is_preferred()), None)
    line = line or next((each for each in found if "HOME" in each.parameters), found[0])
    box, extended, street, city, region, postal, country = ([*line.parts, *[""] * 7])[:7]
    whole = ", ".join(part.replace("\n", ", ") for part in (street, extended, box) if part)
    return (whole, city, region, postal, country)
