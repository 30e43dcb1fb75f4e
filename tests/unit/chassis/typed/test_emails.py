"""Addresses as they are pasted."""

import pytest
from hypothesis import given

from chassis.mail_addresses import AddressRefused, wire_address
from chassis.typed.emails import clean_address
from tests.support.typed import addresses_as_pasted, typed_values


@given(addresses_as_pasted())
def test_an_address_is_what_stands_between_what_was_pasted_around_it(address: tuple[str, str]) -> None:
    assert clean_address(address[0]) == address[1]
    assert wire_address(address[1]).isascii()


@pytest.mark.parametrize(
    "typed",
    [
        "a@example.com, b@example.com",
        "a@example.com\r\nBcc: x@mail.example",
        "Maria Garcia m@example.com",
        "a@@example.com",
        "call me @ the office",
        f"{'x' * 65}@example.com",
        '"a b"@example.com',
        "a@localhost",
        "=?utf-8?q?a?=@example.com",
    ],
)
def test_what_is_no_one_mailbox_is_refused_and_never_another_address(typed: str) -> None:
    with pytest.raises(AddressRefused):
        wire_address(clean_address(typed))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("a@example,com", "“,” behind the @"),
        ("a@exa_mple.com", "“_” behind the @"),
        ("a b@example.com", "a blank before the @"),
        ('"a"@example.com', '“"” before the @'),
        ("a@example.com/b@example.com", "one address only"),
        ("maria²@example.com", "“²”"),
        ("a@☃.net", "“☃” behind the @"),
        ("a@क्☃.भारत", "“☃” behind the @"),
        ("a@ශ්‍රී.ලංකා", "zero width joiner"),
    ],
)
def test_a_refusal_names_what_can_not_stand_in_an_address(typed: str, words: str) -> None:
    with pytest.raises(AddressRefused, match=words):
        wire_address(clean_address(typed))


@given(typed_values())
def test_anything_typed_is_an_address_or_a_refusal_in_words(typed: str) -> None:
    assert "@" in _wire_or_words(typed)


def _wire_or_words(typed: str) -> str:
    try:
        return wire_address(clean_address(typed))
    except AddressRefused as refused:
        return f"{refused} @" if "address" in str(refused) else ""
