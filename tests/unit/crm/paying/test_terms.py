"""What the signed text says of the purpose (ux 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crm.paying.links.terms import bare_purpose
from services.portal.trips.terms import bare_purpose as in_the_portal


@pytest.mark.parametrize(
    ("written", "signed"),
    [
        ("Deposit for Polar Expedition Ships", "Polar Expedition Ships"),
        ("Final payment for two cabins", "two cabins"),
        ("Two cabins", "Two cabins"),
        ("Deposit for ", "Deposit for "),
        ("Depositary fees", "Depositary fees"),
    ],
)
def test_the_kind_of_payment_is_said_once(written: str, signed: str) -> None:
    assert bare_purpose(written) == signed


@given(st.text(max_size=60))
def test_crm_and_portal_say_the_same_and_never_nothing(purpose: str) -> None:
    assert bare_purpose(purpose) == in_the_portal(purpose)
    assert bool(bare_purpose(purpose)) == bool(purpose)
