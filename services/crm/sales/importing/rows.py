"""A row as a client, or why it is not one. Pure; everything that is typed is read by chassis.typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from babel import Locale

from chassis.mail_addresses import AddressRefused, wire_address
from chassis.typed.days import DayError, birthday_bounds, read_day
from chassis.typed.emails import clean_address
from chassis.typed.names import fold
from chassis.typed.phones import PhoneError, read_phone
from chassis.typed.text import clean_line, clean_text, has_letter
from services.crm.sales.clients.rules import ClientData
from services.crm.sales.groups.rules import LONGEST_NAME
from services.crm.sales.importing.columns import TARGET_WORDS, Target

_LONGEST: Final = {
    Target.FIRST_NAME: 80, Target.LAST_NAME: 80, Target.EMAIL: 254, Target.PHONE: 40, Target.STREET: 200,
    Target.COMPANY: LONGEST_NAME,
    Target.HOUSEHOLD: LONGEST_NAME, Target.CITY: 100, Target.REGION: 100, Target.POSTAL_CODE: 20, Target.NOTES: 10_000,
}  # fmt: skip
_NUMBERS: Final = re.compile(r"([0-9]{1,2})[-./ ]([0-9]{1,2})[-./ ]([0-9]{2}|[0-9]{4})")
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
# A birthday whose year its owner keeps to themselves (RFC 6350, 4.3.1).
_NO_YEAR: Final = re.compile(r"--?-?[0-9]{2}-?[0-9]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Which column holds what, and whether days are written day first ("21/11/2026")."""

    targets: tuple[Target, ...]
    day_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """The client in a row, and the names of the company and the household that the row says they belong to."""

    data: ClientData
    company: str = ""
    household: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a row makes no client, for the agent who mends it."""

    why: str


def read_row(cells: Sequence[str], mapping: Reading, header: Sequence[str], today: date) -> ReadRow | Refused:
    """The client in a row. Several columns of one kind are joined, or fill the places that a client has for it."""
    found: dict[Target, list[tuple[str, str]]] = {}
    for name, target, cell in zip(header, mapping.targets, cells, strict=False):
        text = clean_text(cell).strip() if target is Target.NOTES else clean_line(cell)
        if target is not Target.IGNORE and text:
            found.setdefault(target, []).append((name, text))
    try:
        return _client(found, mapping, today)
    except _Problem as problem:
        return Refused(why=str(problem))


class _Problem(ValueError):
    """What is wrong with a row."""


def _client(found: Mapping[Target, list[tuple[str, str]]], mapping: Reading, today: date) -> ReadRow:
    first, last, company = _names(found)
    emails = [_email(text) for _, text in found.get(Target.EMAIL, ())]
    phones = [_phone(text) for _, text in found.get(Target.PHONE, ())]
    birthday, unclear = _birthday(_joined(found, Target.BIRTHDAY), mapping, today)
    notes = [text if len(found[Target.NOTES]) == 1 else f"{name}: {text}" for name, text in found.get(Target.NOTES, ())]
    further = [f"Second e-mail: {email}" for email in emails[1:]] + [f"Phone: {phone}" for phone in phones[2:]]
    country, unknown = _country(_joined(found, Target.COUNTRY))
    notes += [*further, *unclear, *unknown]
    data = ClientData(
        first_name=_bounded(first, Target.FIRST_NAME),
        last_name=_bounded(last, Target.LAST_NAME),
        email=emails[0] if emails else "",
        phone=phones[0] if phones else "",
        second_phone=phones[1] if len(phones) > 1 else "",
        birthday=birthday,
        street=_bounded(_joined(found, Target.STREET, ", "), Target.STREET),
        city=_bounded(_joined(found, Target.CITY), Target.CITY),
        region=_bounded(_joined(found, Target.REGION), Target.REGION),
        postal_code=_bounded(_joined(found, Target.POSTAL_CODE), Target.POSTAL_CODE),
        country=country,
        notes=_bounded("\n".join(notes), Target.NOTES),
    )
    household = _joined(found, Target.HOUSEHOLD)
    return ReadRow(
        data=data, company=_bounded(company, Target.COMPANY), household=_bounded(household, Target.HOUSEHOLD)
    )


def _joined(found: Mapping[Target, list[tuple[str, str]]], target: Target, by: str = " ") -> str:
    return by.join(dict.fromkeys(text for _, text in found.get(target, ())))


def _names(found: Mapping[Target, list[tuple[str, str]]]) -> tuple[str, str, str]:
    """First and last name, and the company where it is not the client itself."""
    first, last = _joined(found, Target.FIRST_NAME), _joined(found, Target.LAST_NAME)
    company = _joined(found, Target.COMPANY)
    if not (first or last):
        first, last = _parted(_joined(found, Target.FULL_NAME))
    if has_letter(first + last):
        return first, last, company
    if has_letter(company):
        return "", company, ""
    raise _Problem("There is no name in this row.")


def _parted(whole: str) -> tuple[str, str]:
    """ "Whitcombe, Eleanor" and "Eleanor Whitcombe"; one name alone is the first."""
    last, comma, first = (part.strip() for part in whole.partition(","))
    if comma and first:
        return first, last
    first, _, last = whole.rpartition(" ")
    return (first, last) if first else (last, "")


def _email(text: str) -> str:
    # Some programs write "Eleanor <eleanor@mail.example>".
    inside = re.search(r"<([^<>]+)>\s*$", text)
    address = clean_address(inside[1] if inside else text.removeprefix("mailto:"))
    try:
        wire_address(address)
    except AddressRefused:
        raise _Problem(f"“{_short(text)}” is no e-mail address.") from None
    return _bounded(address, Target.EMAIL)


def _phone(text: str) -> str:
    try:
        return _bounded(read_phone(text), Target.PHONE)
    except PhoneError:
        raise _Problem(f"“{_short(text)}” is no phone number.") from None


def _birthday(text: str, mapping: Reading, today: date) -> tuple[date | None, list[str]]:
    """The day; one without its year goes into the notes."""
    if not text:
        return None, []
    if _NO_YEAR.fullmatch(text):
        return None, [f"Birthday: {text.lstrip('-')} (month and day)"]
    earliest, latest = birthday_bounds(today)
    try:
        return read_day(_iso(text.partition("T")[0], mapping, today), earliest=earliest, latest=latest), []
    except DayError:
        raise _Problem(f"“{_short(text)}” is no birthday that can be read.") from None


def _iso(text: str, mapping: Reading, today: date) -> str:
    if compact := _COMPACT.fullmatch(text):
        return "-".join(compact.groups())
    numbers = _NUMBERS.fullmatch(text.split(" ", maxsplit=1)[0] if ":" in text else text)
    if numbers is None:
        return text
    one, two, year = numbers.groups()
    day, month = (one, two) if mapping.day_first else (two, one)
    if len(year) == 2:
        # A birthday lies in the past.
        year = f"20{year}" if int(year) <= today.year % 100 else f"19{year}"
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _country(text: str) -> tuple[str, list[str]]:
    if not text:
        return "", []
    code = _countries().get(fold(text).replace(".", ""), "")
    return (code, []) if code else ("", [f"Country: {text}"])


@cache
def _countries() -> dict[str, str]:
    """Codes by the folded names that countries have in the languages that exports are written in, and by code."""
    known: dict[str, str] = {"usa": "US", "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB"}
    for language in ("de", "fr", "es", "en"):
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("ZZ", "EU", "UN", "EZ", "QO", "XA", "XB"):
                known[fold(name).replace(".", "")] = code
                known[code.lower()] = code
    return known


def _bounded(text: str, target: Target) -> str:
    if len(text) > _LONGEST[target]:
        raise _Problem(f"{TARGET_WORDS[target]} is longer than {_LONGEST[target]:,} characters.")
    return text


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def is_day_first(cells: Sequence[str], *, usual: bool) -> bool:
    """Whether days are written day first, by those that can be read in one way only; else as is usual here."""
    pairs = [(int(found[1]), int(found[2])) for cell in cells if (found := _NUMBERS.fullmatch(cell.strip()))]
    if any(one > 12 for one, _ in pairs):
        return True
    return False if any(two > 12 for _, two in pairs) else usual
