"""Money as minor units and a currency, never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, Self

from babel.numbers import format_currency, get_currency_precision

from chassis.typed.amounts import AmountError, read_amount

_MINUS: Final = "\u2212"


class MoneyError(ValueError):
    """An amount that can't be read; the message is safe to show to the person who typed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in `minor` units (cents) of an ISO 4217 `currency`."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise MoneyError("A currency is three capital letters, such as USD.")

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Reads an amount as people write it (chassis.typed.amounts). Raises MoneyError with a text for the person."""
        try:
            return cls(minor=read_amount(text, currency), currency=currency)
        except AmountError as error:
            raise MoneyError(str(error)) from None

    def __add__(self, other: "Money") -> "Money":
        self._check(other)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._check(other)
        return Money(minor=self.minor - other.minor, currency=self.currency)

    def _check(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MoneyError(f"{self.currency} and {other.currency} can't be added up.")

    @property
    def decimal(self) -> Decimal:
        """The amount in major units."""
        return Decimal(self.minor).scaleb(-get_currency_precision(self.currency))

    def format(self, locale: str = "en_US") -> str:
        """The amount for people, with the currency's ISO sign first: "US$ 1,240.00", "−US$ 1,240.00"."""
        return _formatted(self, locale)


# A page shows some amounts over and over, and Babel works on each for half a millisecond.
@lru_cache(maxsize=4096)
def _formatted(amount: Money, locale: str) -> str:
    symbol = "US$" if amount.currency == "USD" else amount.currency
    number = format_currency(abs(amount.decimal), amount.currency, format="#,##0.00", locale=locale)
    # The sign belongs to the whole amount, and is the minus of typesetters (U+2212), which no line breaks behind.
    return f"{_MINUS if amount.minor < 0 else ''}{symbol}\u00a0{number}"
