"""What makes a card acceptable. Pure: digits in, decisions out; nothing is kept."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from typing import Final

from chassis.errors import CardInvalid


class IntakeKind(StrEnum):
    """What a slot takes."""

    CARD = auto()
    CVV = auto()


class Brand(StrEnum):
    """Card brands by their IIN ranges; `OTHER` for the rest of ISO/IEC 7812."""

    VISA = auto()
    MASTERCARD = auto()
    AMEX = auto()
    DISCOVER = auto()
    DINERS = auto()
    JCB = auto()
    UNIONPAY = auto()
    MAESTRO = auto()
    OTHER = auto()


# (first six digits from, to, brand), most specific first. From the brands' published ranges.
_RANGES: Final[tuple[tuple[int, int, Brand], ...]] = (
    (340000, 349999, Brand.AMEX),
    (370000, 379999, Brand.AMEX),
    (300000, 305999, Brand.DINERS),
    (309500, 309599, Brand.DINERS),
    (360000, 369999, Brand.DINERS),
    (380000, 399999, Brand.DINERS),
    (352800, 358999, Brand.JCB),
    (222100, 272099, Brand.MASTERCARD),
    (510000, 559999, Brand.MASTERCARD),
    (400000, 499999, Brand.VISA),
    (601100, 601199, Brand.DISCOVER),
    (644000, 659999, Brand.DISCOVER),
    (620000, 629999, Brand.UNIONPAY),
    (810000, 819999, Brand.UNIONPAY),
    (500000, 509999, Brand.MAESTRO),
    (560000, 589999, Brand.MAESTRO),
    (630000, 639999, Brand.MAESTRO),
    (670000, 679999, Brand.MAESTRO),
)

_LENGTHS: Final[dict[Brand, frozenset[int]]] = {
    Brand.VISA: frozenset({13, 16, 19}),
    Brand.MASTERCARD: frozenset({16}),
    Brand.AMEX: frozenset({15}),
    Brand.DISCOVER: frozenset(range(16, 20)),
    Brand.DINERS: frozenset(range(14, 20)),
    Brand.JCB: frozenset(range(16, 20)),
    Brand.UNIONPAY: frozenset(range(16, 20)),
    Brand.MAESTRO: frozenset(range(12, 20)),
    Brand.OTHER: frozenset(range(12, 20)),
}

_LONGEST_NAME: Final = 80
# A name has few digits ("3rd"); more of them is a card number or a security code in the wrong field.
_MOST_DIGITS_IN_NAME: Final = 2
_FURTHEST_YEAR: Final = 20
# Some scripts need them inside a name.
_JOINERS: Final = "\u200c\u200d"


def brand_of(digits: str) -> Brand:
    """The brand of a number, by its first six digits."""
    prefix = int(digits[:6])
    return next((brand for first, last, brand in _RANGES if first <= prefix <= last), Brand.OTHER)


def check_length(brand: Brand, digits: str) -> None:
    """Raises CardInvalid when the brand has no numbers of that length."""
    if len(digits) not in _LENGTHS[brand]:
        raise CardInvalid("That card number doesn't look right. Please check the digits.", field="pan")


def cvv_length(brand: Brand) -> int | None:
    """How many digits the brand's security code has; None when it may be 3 or 4."""
    match brand:
        case Brand.AMEX:
            return 4
        case Brand.OTHER:
            return None
        case _:
            return 3


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
    """The name as printed on the card, spaces tidied. Raises CardInvalid(field="name")."""
    if not isinstance(name, str):
        raise CardInvalid("Please enter the name as printed on the card.", field="name")
    tidy = re.sub(r"\s+", " ", unicodedata.normalize("NFC", name)).strip()
    if not 2 <= len(tidy) <= _LONGEST_NAME or not any(char.isalpha() for char in tidy):
        raise CardInvalid("Please enter the name as printed on the card.", field="name")
    if sum(char.isdigit() for char in tidy) > _MOST_DIGITS_IN_NAME:
        raise CardInvalid("The name field has a number in it. Please enter only the name.", field="name")
    if any(char not in _JOINERS and unicodedata.category(char).startswith("C") for char in tidy):
        raise CardInvalid("The name has characters that can't be used. Please type it again.", field="name")
    return tidy
