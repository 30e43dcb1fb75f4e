from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cards import BEGINNING, Brand, brand_of, known_lengths, luhn_valid
from services.vault.phone.capture.rules import Enough, Field, Refusal, brand_so_far, enough, refusal


class Memory(bytearray):
    """Digits that can be judged where they are; nobody gets a text of them."""

    def decode(self, *_: object) -> str:
        raise AssertionError("a text of the whole field can't be overwritten")

    __str__ = __repr__ = __bytes__ = decode


_NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "digits", "why"),
    [
        (Field.NUMBER, "4242424242424242", None),
        (Field.NUMBER, "378282246310005", None),
        (Field.NUMBER, "42424242", Refusal.TOO_SHORT),
        (Field.NUMBER, "4242424242424243", Refusal.NOT_A_CARD),
        (Field.NUMBER, "", Refusal.NOTHING_KEYED),
        (Field.EXPIRY, "1126", None),
        (Field.EXPIRY, "1026", Refusal.EXPIRED),
        (Field.EXPIRY, "1326", Refusal.NOT_A_DATE),
        (Field.EXPIRY, "0099", Refusal.NOT_A_DATE),
        (Field.EXPIRY, "112", Refusal.TOO_SHORT),
        (Field.CVV, "123", None),
        (Field.CVV, "12", Refusal.TOO_SHORT),
        (Field.CVV, "1234", Refusal.TOO_LONG),
    ],
)
def test_a_field_is_taken_or_refused_with_a_reason(field: Field, digits: str, why: Refusal | None) -> None:
    assert refusal(field, Memory(digits.encode()), Brand.VISA, _NOW) is why


def test_the_networks_length_ends_a_number_by_itself() -> None:
    assert enough(Field.NUMBER, Memory(b"378282246310005"), None) is Enough.NOW
    assert enough(Field.NUMBER, Memory(b"37828224631000"), None) is Enough.NOT_YET
    # Visa also has numbers of 19 digits: 16 are enough unless more come soon.
    assert enough(Field.NUMBER, Memory(b"4242424242424242"), None) is Enough.SOON
    assert enough(Field.CVV, Memory(b"123"), Brand.VISA) is Enough.NOW
    assert enough(Field.CVV, Memory(b"123"), Brand.AMEX) is Enough.NOT_YET
    assert enough(Field.CVV, Memory(b"1234"), Brand.AMEX) is Enough.NOW
    assert enough(Field.EXPIRY, Memory(b"1126"), None) is Enough.NOW


@given(st.text("0123456789", min_size=8, max_size=19))
def test_a_networks_beginning_tells_as_much_as_the_whole_number(digits: str) -> None:
    assert brand_of(digits[:BEGINNING]) is brand_of(digits)
    assert known_lengths(digits[:BEGINNING]) == known_lengths(digits)
    assert brand_so_far(Memory(digits.encode())) is brand_of(digits)
    assert luhn_valid(Memory(digits.encode())) == luhn_valid(digits)
