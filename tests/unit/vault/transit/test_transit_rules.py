"""Laws of ciphertexts and contexts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.transit.rules import Cipher, CipherRefused, context_of

parts = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4)


@given(parts, parts)
def test_different_parts_never_give_the_same_context(left: list[str], right: list[str]) -> None:
    assert (context_of(*left) == context_of(*right)) == (left == right)


@pytest.mark.parametrize("wrong", [(), ("",), ("card", "")])
def test_a_context_without_a_part_is_refused(wrong: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="context"):
        context_of(*wrong)


@pytest.mark.parametrize(
    "text",
    ["", "vault:v0:AAAA", "vault:v1:", "vault:v1:A", "vault:v01:AAAA", "v1:AAAA", "vault:v1:AA==\n", "vault:v1:AB=="],
)
def test_a_text_that_is_no_ciphertext_is_refused(text: str) -> None:
    with pytest.raises(CipherRefused):
        Cipher(text)


def test_a_ciphertext_tells_its_version() -> None:
    assert Cipher("vault:v12:AAAA").version == 12
