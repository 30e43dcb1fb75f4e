"""Fields keyed on a telephone: when one is complete, and why one is refused. Pure.

Digits come as memory that their owner overwrites, and are judged where they are: of a number only the beginning, which
tells its network, becomes a text.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Final

from chassis.cards import BEGINNING, LONGEST, SHORTEST, Brand, brand_of, cvv_sizes, known_lengths, luhn_valid
from chassis.errors import CardInvalid
from services.vault.intake.rules import check_expiry

_BRAND_DIGITS: Final = 6
_EXPIRY_DIGITS: Final = 4
_LONGEST_CVV: Final = 4


class Field(StrEnum):
    """What the client keys. Name and billing address are typed by the agent, who hears them."""

    NUMBER = auto()
    EXPIRY = auto()
    CVV = auto()


class Refusal(StrEnum):
    """Why a field was not taken; never with a digit."""

    NOTHING_KEYED = auto()
    TOO_SHORT = auto()
    TOO_LONG = auto()
    NOT_A_CARD = auto()
    NOT_A_DATE = auto()
    EXPIRED = auto()
    TIMED_OUT = auto()


class Enough(StrEnum):
    """Whether more keys may follow: complete at once, complete unless one comes soon, or not yet."""

    NOW = auto()
    SOON = auto()
    NOT_YET = auto()


class State(StrEnum):
    """Where a session is."""

    WAITING = auto()
    TIED = auto()
    STORING = auto()
    ENDED = auto()


class Result(StrEnum):
    """How a session ended."""

    STORED = auto()
    CANCELLED = auto()
    TIMED_OUT = auto()
    HUNG_UP = auto()
    HELD = auto()
    TRANSFERRED = auto()
    REFUSED = auto()
    PIN_EXPIRED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """In seconds: how long a PIN waits, a field waits for its next key, a session for anything, and lasts in all."""

    pin: float = 120.0
    field: float = 45.0
    idle: float = 180.0
    total: float = 900.0


def longest(field: Field) -> int:
    """Keys beyond this are not taken."""
    return {Field.NUMBER: LONGEST, Field.EXPIRY: _EXPIRY_DIGITS, Field.CVV: _LONGEST_CVV}[field]


def brand_so_far(digits: bytearray) -> Brand | None:
    """The brand once enough digits tell it."""
    return brand_of(_beginning(digits)) if len(digits) >= _BRAND_DIGITS else None


def enough(field: Field, digits: bytearray, brand: Brand | None) -> Enough:
    """Whether the field may end by itself. `brand`: the card's, for the CVV's length."""
    count = len(digits)
    match field:
        case Field.NUMBER:
            lengths = known_lengths(_beginning(digits)) if count >= _BRAND_DIGITS else frozenset()
            if count == LONGEST or (lengths and count >= max(lengths)):
                return Enough.NOW
            return Enough.SOON if count in lengths and luhn_valid(digits) else Enough.NOT_YET
        case Field.EXPIRY:
            return Enough.NOW if count >= _EXPIRY_DIGITS else Enough.NOT_YET
        case Field.CVV:
            sizes = [size for size in cvv_sizes(brand or Brand.OTHER) if size]
            if count >= max(sizes):
                return Enough.NOW
            return Enough.SOON if count in sizes else Enough.NOT_YET


def refusal(field: Field, digits: bytearray, brand: Brand | None, now: datetime) -> Refusal | None:
    """Why the field can't be taken; None when it can."""
    if not digits:
        return Refusal.NOTHING_KEYED
    match field:
        case Field.NUMBER:
            return _number(digits)
        case Field.EXPIRY:
            return _expiry(digits, now)
        case Field.CVV:
            sizes = [size for size in cvv_sizes(brand or Brand.OTHER) if size]
            if len(digits) in sizes:
                return None
            return Refusal.TOO_SHORT if len(digits) < max(sizes) else Refusal.TOO_LONG


def _number(digits: bytearray) -> Refusal | None:
    lengths = known_lengths(_beginning(digits))
    if len(digits) < SHORTEST or len(digits) < min(lengths):
        return Refusal.TOO_SHORT
    if len(digits) not in lengths or not luhn_valid(digits) or len(set(digits)) == 1:
        return Refusal.NOT_A_CARD
    return None


def _expiry(digits: bytearray, now: datetime) -> Refusal | None:
    if len(digits) < _EXPIRY_DIGITS:
        return Refusal.TOO_SHORT
    try:
        month_and_year(digits, now)
    except CardInvalid as error:
        return Refusal.NOT_A_DATE if error.field == "exp_year" or not 1 <= int(digits[:2]) <= 12 else Refusal.EXPIRED
    return None


def month_and_year(digits: bytearray, now: datetime) -> tuple[int, int]:
    """MMYY. Raises CardInvalid for what is no date, or past."""
    return check_expiry(int(digits[:2]), 2000 + int(digits[2:4]), now)


def _beginning(digits: bytearray) -> str:
    return digits[:BEGINNING].decode()
