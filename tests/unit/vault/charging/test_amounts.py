"""Amounts as Stripe's documentation has them (docs.stripe.com/currencies)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.charging.gateways.port import AmountRefused
from services.vault.charging.gateways.stripe.amounts import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("minor", "currency", "stripe"),
    [
        (15000, "USD", 15000),
        (500, "JPY", 500),
        (5120, "KWD", 5120),
        (5, "ISK", 500),
        (7, "UGX", 700),
        (100000, "HUF", 100000),
        (100001, "TWD", 100001),
        # CLDR writes these without decimals, Stripe with two.
        (1200, "RSD", 120000),
        (900, "MGA", 900),
        # Twelve digits are the most that a card payment has: a trip in dong soon has more than eight.
        (250_000_000, "VND", 250_000_000),
        (999_999_999_999, "USD", 999_999_999_999),
    ],
)
def test_an_amount_becomes_stripes(minor: int, currency: str, stripe: int) -> None:
    assert to_stripe(minor, currency) == stripe
    assert from_stripe(stripe, currency) == minor


# docs.stripe.com/currencies, "Minimum charge amount by currency": the page's own list, in Stripe's minor units.
PUBLISHED_MINIMUMS = {
    "AED": 200, "ARS": 50, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "COP": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "IDR": 50, "ILS": 50, "INR": 50, "JPY": 50, "KRW": 50, "MXN": 1000,
    "MYR": 200, "NOK": 300, "NZD": 50, "PHP": 50, "PLN": 200, "RON": 200, "RUB": 50, "SEK": 300, "SGD": 50,
    "THB": 1000, "USD": 50, "ZAR": 50,
}  # fmt: skip
# The same page's "Zero-decimal currencies".
PUBLISHED_WITHOUT_DECIMALS = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
]  # fmt: skip


@pytest.mark.parametrize(("currency", "least"), sorted(PUBLISHED_MINIMUMS.items()))
def test_a_published_minimum_is_the_least_that_is_charged(currency: str, least: int) -> None:
    ours = -(-least // (to_stripe(10**5, currency) // 10**5))
    assert to_stripe(ours, currency) >= least
    with pytest.raises(AmountRefused) as refused:
        to_stripe(ours - 1, currency)
    assert "at least" in refused.value.words


@pytest.mark.parametrize("currency", PUBLISHED_WITHOUT_DECIMALS)
def test_a_currency_without_decimals_is_sent_without(currency: str) -> None:
    assert to_stripe(5000, currency) == 5000


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (49, "USD", "at least US$\u00a00.50"),
        (29, "GBP", "at least GBP\u00a00.30"),
        (49, "JPY", "at least JPY\u00a050"),
        (17499, "HUF", "at least HUF\u00a0175.00"),
        (5124, "KWD", "in steps of KWD\u00a00.010"),
        (10**12, "USD", "more than the gateway charges at once"),
        (10**10, "ISK", "more than the gateway charges at once"),
    ],
)
def test_what_stripe_would_refuse_is_refused_in_words_before_the_call(minor: int, currency: str, words: str) -> None:
    with pytest.raises(AmountRefused) as refused:
        to_stripe(minor, currency)
    assert words in refused.value.words


@given(st.integers(1, 10**7), st.sampled_from(["USD", "EUR", "JPY", "ISK", "UGX", "HUF", "TWD", "RSD", "XOF", "CLP"]))
def test_no_amount_changes_on_the_way_there_and_back(minor: int, currency: str) -> None:
    with suppress(AmountRefused):
        assert from_stripe(to_stripe(minor, currency), currency) == minor


@given(st.integers(1, 10**6))
def test_a_three_decimal_amount_ends_in_nought_or_is_refused(minor: int) -> None:
    try:
        assert to_stripe(minor, "KWD") % 10 == 0
    except AmountRefused:
        assert minor % 10
