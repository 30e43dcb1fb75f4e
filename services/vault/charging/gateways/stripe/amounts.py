"""Amounts as Stripe wants them. Pure.

Source: docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies", "Special cases" and "Minimum
and maximum charge amounts". The minimum is that of the currency in which the account settles: one that settles in
another currency may be refused a little above ours, and Stripe says so in its answer. So it does for American Express,
whose cards take nine digits, and for what a card network allows in a region.
"""

from typing import Final

from babel.numbers import get_currency_precision

from chassis.money import Money
from services.vault.charging.gateways.port import AmountRefused

_ZERO: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE: Final = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
# Without decimals, but written with two, which are zeros. HUF and TWD are such only in payouts, not in charges.
_TWO_ZEROS: Final = frozenset({"ISK", "UGX"})

# In the currency's minor units as Stripe writes them. A currency that is not here has no published minimum of its own:
# Stripe compares with the minimum of the currency that it settles in, and says so in its answer.
_MINIMUM: Final[dict[str, int]] = {
    "USD": 50, "AED": 200, "ARS": 50, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "COP": 50, "CZK": 1500, "DKK": 250,
    "EUR": 50, "GBP": 30, "HKD": 400, "HUF": 17500, "IDR": 50, "ILS": 50, "INR": 50, "JPY": 50, "KRW": 50, "MXN": 1000,
    "MYR": 200, "NOK": 300, "NZD": 50, "PHP": 50, "PLN": 200, "RON": 200, "RUB": 50, "SEK": 300, "SGD": 50,
    "THB": 1000, "ZAR": 50,
}  # fmt: skip
# "Card payments": "12 digits for most card payments, for a maximum of 999,999,999,999 in minor units".
_MOST_DIGITS: Final = 12


def decimals(currency: str) -> int:
    """How many decimals Stripe's amounts have in this currency."""
    if currency in _ZERO:
        return 0
    return 3 if currency in _THREE else 2


def to_stripe(amount_minor: int, currency: str, *, least: int | None = None) -> int:
    """Our minor units (CLDR's) as Stripe's. Raises AmountRefused, in words, for what Stripe would refuse.

    `least` stands in place of the currency's minimum.
    """
    shift = decimals(currency) - _precision(currency)
    amount, rest = (amount_minor * _tens(shift), 0) if shift >= 0 else divmod(amount_minor, _tens(-shift))
    step = 10 if currency in _THREE else 100 if currency in _TWO_ZEROS else 1
    if rest or amount % step:
        smallest = _words(step, currency) if not rest else _words(1, currency)
        raise AmountRefused(f"The gateway charges {currency} in steps of {smallest}. Please change the amount.")
    least = _MINIMUM.get(currency, 1) if least is None else least
    if amount < least:
        raise AmountRefused(f"The gateway charges at least {_words(least, currency)}.")
    if len(str(amount)) > _MOST_DIGITS:
        raise AmountRefused("That is more than the gateway charges at once. Split it into several payments.")
    return amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's amount in our minor units; rounds down where ours are coarser."""
    shift = _precision(currency) - decimals(currency)
    return amount * _tens(shift) if shift >= 0 else amount // _tens(-shift)


def _tens(digits: int) -> int:
    return int(10**digits)


def _precision(currency: str) -> int:
    """How many decimals our amounts have."""
    return int(get_currency_precision(currency))


def _words(amount: int, currency: str) -> str:
    """An amount of Stripe's for people."""
    if _precision(currency) < decimals(currency):
        return Money(minor=max(1, from_stripe(amount, currency)), currency=currency).format()
    return Money(minor=from_stripe(amount, currency), currency=currency).format()
