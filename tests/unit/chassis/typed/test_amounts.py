"""Amounts: never a silently other one. The first table is the case 01-decimal-comma."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from chassis.typed.amounts import AmountError, read_amount
from tests.support.typed import DIGITS, UNSEEN, amounts, in_other_digits, typed_values


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("12,50", "EUR", 1250),
        ("0,99", "EUR", 99),
        ("1.240,50", "EUR", 124050),
        ("1 240,50", "EUR", 124050),
        ("1\u00a0240,50", "EUR", 124050),
        ("1\u202f240,50\u00a0€", "EUR", 124050),
        ("1,24", "USD", 124),
        ("1,240.50", "USD", 124050),
        ("1,240", "USD", 124000),
        ("US$\u00a01,240.00", "USD", 124000),
        ("$1,240", "USD", 124000),
        ("£1,240.00", "GBP", 124000),
        ("1'240.50", "CHF", 124050),
        ("CHF 1’240.50", "CHF", 124050),
        ("1240.-", "CHF", 124000),
        ("¥1,240", "JPY", 1240),
        ("1240円", "JPY", 1240),
        ("1,240.00", "JPY", 1240),
        ("1,240.500", "KWD", 1240500),
        ("١٬٢٤٠٫٥٠٠", "KWD", 1240500),
        ("KD 0.500", "KWD", 500),
        ("１２，５０", "EUR", 1250),
        ("1.240.000", "EUR", 124000000),
        (".50", "USD", 50),
        ("12.", "USD", 1200),
        ("+12", "USD", 1200),
        ("1´240.50", "CHF", 124050),
        ("CAN$ 12", "CAD", 1200),
        ("1.240,50 Euro", "EUR", 124050),
        ("1,240.50 US dollars", "USD", 124050),
        ("12.--", "CHF", 1200),
        ("1.240,-", "EUR", 124000),
        ("€ 1.240,–", "EUR", 124000),
        ("1'240.–", "CHF", 124000),
        ("1240,-", "JPY", 1240),
        ("US $1,240", "USD", 124000),
        ("U.S. $ 1,240.50", "USD", 124050),
        ("1 240:-", "SEK", 124000),
        ("£1·50", "GBP", 150),
        ("Fr 12.50", "CHF", 1250),
        ("12 pounds sterling", "GBP", 1200),
        ("1,234 yen", "JPY", 1234),
        ("K.D. 0.500", "KWD", 500),
        ("د.ك.\u200f 0.500", "KWD", 500),
        ("1,240/-", "USD", 124000),
        ("₹ 12,34,567.50", "INR", 123456750),
        ("१,२३,४५६", "INR", 12345600),
        ("Rs. 500/-", "INR", 50000),
    ],
)
def test_an_amount_is_read_as_its_writer_meant_it(typed: str, currency: str, minor: int) -> None:
    assert read_amount(typed, currency) == minor


@pytest.mark.parametrize(
    ("typed", "currency", "words"),
    [
        ("1.240", "EUR", "1240.00 or 1.24"),
        ("1,240", "EUR", "1240.00 or 1.24"),
        ("1.240", "USD", "1240.00 or 1.24"),
        ("1,240", "CHF", "two ways"),
        ("1.240", "KWD", "1240.000 or 1.24,"),
        ("1.234", "KWD", "1234.000 or 1.2340,"),
        ("1240 total", "USD", "“total”"),
        ("12,34,56", "INR", "commas and points"),
        ("12²", "USD", "“²”"),
        ("1,240", "KWD", "two ways"),
        ("1,2,4", "USD", "commas and points"),
        ("1,24,000", "USD", "commas and points"),
        ("12 50", "USD", "commas and points"),
        ("12. 50", "USD", "commas and points"),
        ("1·240", "EUR", "1240.00 or 1.24"),
        ("1240.50", "JPY", "no decimals"),
        ("1.005", "USD", "at most 2 decimals"),
        ("12.3456", "KWD", "at most 3 decimals"),
        ("1e3", "USD", "“e”"),
        ("0x10", "USD", "“x”"),
        ("1_000", "USD", "“_”"),
        ("½", "USD", "“½”"),
        ("12:50", "USD", "“:”"),
        ("-5", "USD", "minus"),
        ("1,240.50-", "USD", "minus"),
        ("–5", "USD", "minus"),
        ("(5)", "USD", "minus"),
        ("R$ 12", "USD", "another currency"),
        ("NT$12", "USD", "another currency"),
        ("12 K", "USD", "“K”"),
        ("−5", "EUR", "minus"),
        ("€ 12", "USD", "You wrote euros, but this amount is in US dollars"),
        ("US$ 12", "CAD", "US dollars"),
        ("12 gbp", "EUR", "British pounds"),
        ("twelve", "USD", "such as 1240.00"),
        ("9" * 13, "USD", "too large"),
        ("9" * 5000, "USD", "too large"),
    ],
)
def test_what_can_be_read_in_two_ways_or_none_is_asked_about(typed: str, currency: str, words: str) -> None:
    with pytest.raises(AmountError, match=words.replace("(", r"\(")):
        read_amount(typed, currency)


def _read(text: str, currency: str) -> int | str:
    """The minor units, or the words of the refusal."""
    try:
        return read_amount(text, currency)
    except AmountError as refused:
        return str(refused)


@given(amounts(), st.sampled_from(DIGITS), st.sampled_from(UNSEEN))
def test_an_amount_written_at_home_is_read_right_or_asked_about(
    amount: tuple[str, str, int], digits: str, unseen: str
) -> None:
    text, currency, minor = amount
    read = _read(unseen + in_other_digits(text, digits) + unseen, currency)
    assert read == minor or (isinstance(read, str) and ("two ways" in read or "if you mean thousands" in read))


@given(amounts())
def test_what_a_refusal_advises_is_read_as_it_says(amount: tuple[str, str, int]) -> None:
    text, currency, _ = amount
    read = _read(text, currency)
    if isinstance(read, str):
        advised = re.findall(r"(?:Write|or) ([0-9.]+)(?=[ ,])", read)
        assert advised
        assert all(isinstance(_read(each, currency), int) for each in advised)
        assert any(_read(each, currency) == amount[2] for each in advised)


@given(amounts())
def test_only_one_mark_before_three_digits_is_ever_asked_about(amount: tuple[str, str, int]) -> None:
    text, currency, minor = amount
    assert _read(text, currency) == minor or sum(text.count(mark) for mark in ",.٫٬") == 1


@given(st.integers(0, 10**11), st.sampled_from(("USD", "EUR", "JPY", "CHF", "GBP")))
def test_what_our_own_pages_print_can_be_pasted_back(minor: int, currency: str) -> None:
    amount = Money(minor=minor, currency=currency)
    assert Money.parse(amount.format(), currency) == amount


@given(st.integers(1, 10**11), st.sampled_from(("USD", "EUR", "JPY", "KWD")))
def test_money_given_back_is_the_same_amount_behind_one_minus_and_is_never_read_as_paid(
    minor: int, currency: str
) -> None:
    printed = Money(minor=-minor, currency=currency).format()
    assert printed == "\u2212" + Money(minor=minor, currency=currency).format()
    with pytest.raises(AmountError, match="without a minus"):
        read_amount(printed, currency)


@given(typed_values(), st.sampled_from(("USD", "EUR", "JPY", "KWD", "ZZZ")))
def test_anything_typed_is_an_amount_or_a_refusal_in_words(typed: str, currency: str) -> None:
    read = _read(typed, currency)
    assert read >= 0 if isinstance(read, int) else ((read[0].isupper() or read[0] == "“") and len(read) < 200)
