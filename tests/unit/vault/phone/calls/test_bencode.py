import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.phone.calls.bencode import BencodeError, Value, decode, encode

_VALUES = st.recursive(
    st.integers(-(10**18), 10**18) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.binary(max_size=10), inner, max_size=5),
    max_leaves=12,
)


@given(_VALUES)
def test_what_is_encoded_is_decoded(value: Value) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_value_or_a_plain_refusal(data: bytes) -> None:
    with contextlib.suppress(BencodeError):
        decode(data)


@pytest.mark.parametrize("data", [b"", b"i12", b"5:ab", b"l" * 50, b"d3:abce", b"i1ex", b"-1:", b"9" * 60, b"di1ei2ee"])
def test_what_is_broken_is_refused(data: bytes) -> None:
    with pytest.raises(BencodeError):
        decode(data)
