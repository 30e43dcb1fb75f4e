"""What makes a card acceptable. Pure: digits in, decisions out; nothing is kept."""

import unicodedata
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from typing import Final

from chassis.cards import known_lengths
from chassis.errors import CardInvalid
from chassis.typed.text import clean_line, has_letter


class IntakeKind(StrEnum):
    """What a slot takes."""

    CARD = auto()
    CVV = auto()


_LONGEST_NAME: Final = 80
# A name has few digits ("3rd"); more of them is a card number or a security code in the wrong field.
_MOST_DIGITS_IN_NAME: Final = 2
_FURTHEST_YEAR: Final = 20
# Some scripts need them inside a name.
_JOINERS: Final = "\u200c\u200d"


def check_length(digits: str) -> None:
    """Raises CardInvalid when the number's network has none of that length."""
    if len(digits) not in known_lengths(digits):
        raise CardInvalid("That card number doesn't look right. Please check the digits.", field="pan")


def check_expiry(month: object, year: object, now: datetime) -> tuple[int, int]:
    """Month and year, when they are a date that has not passed.

    A card is good through the last day of its month, wherever its holder is: until that day ends at UTC-12.
    Raises CardInvalid naming `exp_month` or `exp_year`.
    """
    if type(month) is not int or not 1 <= month <= 12:
        raise CardInvalid("The expiry month must be from 01 to 12.", field="exp_month")
    if type(year) is not int or not 2000 <= year <= now.year + _FURTHEST_YEAR:
        raise CardInvalid("The expiry year doesn't look right.", field="exp_year")
    first_day_after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    if now >= first_day_after + timedelta(hours=12):
        raise CardInvalid("This card has expired. Please use another card.", field="exp_month")
    return month, year


def check_name(name: object) -> str:
    """The name as printed on the card, without what nobody sees; one letter is a name ("O").

    Raises CardInvalid(field="name").
    """
    if not isinstance(name, str):
        raise CardInvalid("Please enter the name as printed on the card.", field="name")
    tidy = clean_line(name)
    if len(tidy) > _LONGEST_NAME or not has_letter(tidy):
        raise CardInvalid("Please enter the name as printed on the card.", field="name")
    if sum(char.isdigit() for char in tidy) > _MOST_DIGITS_IN_NAME:
        raise CardInvalid("The name field has a number in it. Please enter only the name.", field="name")
    if any(char not in _JOINERS and unicodedata.category(char).startswith("C") for char in tidy):
        raise CardInvalid("The name has characters that can't be used. Please type it again.", field="name")
    return tidy
