"""Telephone numbers, kept as people write them and found however they are dialled. Pure, by libphonenumber's table."""

import re
from functools import cache
from importlib import resources
from typing import Final

import phonenumbers

from chassis.typed.names import international, phone_words
from chassis.typed.text import describe, plain

LONGEST: Final = 40
_FEWEST_DIGITS: Final = 5
# What E.164 allows, behind the three digits that are dialled for a plus in America and a zero in brackets.
_MOST_DIGITS: Final = 19
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-") | dict.fromkeys("·•∙", "."))
_KINDS: Final = (
    r"(?:tel|tlf|phone|telephone|telefon|mobile|mob|cell|handy|home|work|office|fax|whatsapp|тел|моб|電話|携帯|电话|手机|"
    r"전화|휴대폰)"
)
# What address books write before a number, and the symbols that signatures have there.
_LABEL: Final = re.compile(
    rf"^[^\w+(*#]*(?:{_KINDS}(?![^\W\d_])[:.]?|[^\W\d_]{{1,15}}\.? ?:|[tmphwco]\.)?[^\w+(*#]*", re.IGNORECASE
)
# And behind it: "+1 305 555 0142 (mobile)".
_KIND_BEHIND: Final = re.compile(rf" ?(?:[-/] ?)?(?:[(\[][^\W\d_]{{1,15}}[)\]]| {_KINDS})$", re.IGNORECASE)
# A number, and where it has one an extension, as offices write it.
_NUMBER: Final = re.compile(r"(?:\+|\(\+)?[0-9 ().\-/]+")
_EXTENSION: Final = re.compile(
    r"[ ,;\-(]{0,3}(?:ext(?:ension|n)?|x|#|durchwahl|poste|int(?:erno)?|anexo|ramal|доб)[ .:=\-]{0,3}([0-9]{1,7})\)?$",
    re.IGNORECASE,
)
# What a spreadsheet makes of a number when it counts it as one.
_COUNTED: Final = re.compile(r"(?<=[0-9]{5})\.0$")


class PhoneError(ValueError):
    """A number that can't be one; the message is safe to show to the person who typed it."""


def read_phone(text: str) -> str:
    """The number as typed, in plain digits and signs; "+1 305 555 0142 ext. 5" keeps its extension.

    Raises PhoneError with a text for the person, which names what can't be part of a number.
    """
    typed = _KIND_BEHIND.sub("", _LABEL.sub("", plain(text).translate(_DASHES)).rstrip(" ,;")).rstrip(" -/")
    typed = _COUNTED.sub("", typed)
    extension = _EXTENSION.search(typed)
    number = typed[: extension.start()].rstrip(" ,;") if extension else typed
    if odd := re.search(r"[^0-9 ().\-/+]", number):
        raise PhoneError(f"A phone number can't have {describe(odd.group())} in it. Write it like +1 (305) 555 0142.")
    digits = re.sub(r"[^0-9]", "", number)
    if len(digits) > _MOST_DIGITS:
        raise PhoneError("That is too long for one phone number. Write one only, such as +1 (305) 555 0142.")
    if not _NUMBER.fullmatch(number) or len(digits) < _FEWEST_DIGITS:
        raise PhoneError("Enter a phone number such as +1 (305) 555 0142.")
    return f"{number} ext. {extension.group(1)}" if extension else number


def found_by(phone: str, region: str = "US") -> list[str]:
    """The words that a number is found by: as written, and as dialled from within its country and from abroad.

    `region` (ISO 3166-1 alpha-2) is where a number without a country code is at home.
    """
    words = phone_words(phone)
    if not words:
        return []
    try:
        number = international(plain(phone)) or phonenumbers.parse(plain(phone), region)
    except phonenumbers.NumberParseException:
        return words
    if not phonenumbers.is_possible_number(number):
        return words
    national = phonenumbers.national_significant_number(number)
    return list(dict.fromkeys([*words, national, f"{number.country_code}{national}"]))


def same_number(one: str, other: str, region: str = "US") -> bool:
    """Whether two people who wrote these would answer the same telephone."""
    match = phonenumbers.is_number_match(
        phonenumbers.parse(plain(one), region), phonenumbers.parse(plain(other), region)
    )
    return bool(match >= phonenumbers.MatchType.NSN_MATCH)


def region_of(phone: str, time_zone: str) -> str:
    """The country where an agency's clients' numbers without a country code are at home: that of its own number, or of
    its time zone; US where neither tells."""
    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(plain(phone), None))
    except phonenumbers.NumberParseException:
        found = None
    return found or _countries_by_zone().get(time_zone, "US")


@cache
def _countries_by_zone() -> dict[str, str]:
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text()
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {row[2]: row[0] for row in rows}
