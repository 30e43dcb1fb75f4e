"""What a frame sealed is read strictly: whatever is not of its making is refused, and nothing is quoted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, SealBroken, WayvaultError
from chassis.sealing import OpeningKey
from services.vault.reveal.payload import read_code, read_cvv_redeem, read_reveal

REPLY = OpeningKey.generate("reply").public.public_jwk
REVEAL: dict[str, Any] = {"challenge_id": "challenge_1", "code": "12345678", "reply_key": REPLY}
REDEEM: dict[str, Any] = {"link_token": "t" * 40, "reply_key": REPLY}


def sealed(fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_what_the_frame_makes_is_read() -> None:
    entry, recipient = read_reveal(sealed(REVEAL))
    assert (entry.challenge_id, entry.code) == ("challenge_1", "12345678")
    assert read_cvv_redeem(sealed(REDEEM)) == ("t" * 40, recipient)
    assert "12345678" not in repr(entry)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"challenge_id": "../../etc"}, "challenge_id"),
        ({"challenge_id": 7}, "challenge_id"),
        ({"code": "1234567"}, "code"),
        ({"code": "1234567x"}, "code"),
        ({"code": 12345678}, "code"),
        ({"reply_key": "a key"}, "reply_key"),
        ({"reply_key": {"kty": "oct", "k": "AAAA"}}, "reply_key"),
        ({"reply_key": {**REPLY, "x": "not a coordinate"}}, "reply_key"),
    ],
)
def test_a_field_that_can_not_be_right_is_named_and_not_quoted(changed: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_reveal(sealed(REVEAL | changed))
    assert refused.value.field == field
    assert str(next(iter(changed.values()))) not in str(refused.value)


@pytest.mark.parametrize("token", ["short", "t" * 129, "with a space and more", 7, None])
def test_a_broken_link_is_to_be_opened_from_the_mail_again(token: object) -> None:
    with pytest.raises(InvalidArgument, match="open it from the e-mail again"):
        read_cvv_redeem(sealed(REDEEM | {"link_token": token}))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.sampled_from([read_reveal, read_code, read_cvv_redeem]),
    st.binary(max_size=60) | _JSON.map(sealed) | st.just(b"[" * 100_000),
)
def test_anything_else_is_not_of_the_frames_making(read: Callable[[bytes], object], payload: bytes) -> None:
    with pytest.raises(SealBroken) as refused:
        read(payload)
    assert isinstance(refused.value, WayvaultError)
