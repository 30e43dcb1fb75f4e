from datetime import UTC, datetime

import pytest

from chassis.cards import Brand
from services.vault.phone.capture.rules import Enough, Field, Refusal, enough, refusal

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
    assert refusal(field, digits, Brand.VISA, _NOW) is why


def test_the_networks_length_ends_a_number_by_itself() -> None:
    assert enough(Field.NUMBER, "378282246310005", None) is Enough.NOW
    assert enough(Field.NUMBER, "37828224631000", None) is Enough.NOT_YET
    # Visa also has numbers of 19 digits: 16 are enough unless more come soon.
    assert enough(Field.NUMBER, "4242424242424242", None) is Enough.SOON
    assert enough(Field.CVV, "123", Brand.VISA) is Enough.NOW
    assert enough(Field.CVV, "123", Brand.AMEX) is Enough.NOT_YET
    assert enough(Field.CVV, "1234", Brand.AMEX) is Enough.NOW
    assert enough(Field.EXPIRY, "1126", None) is Enough.NOW
