import json
import logging
from typing import Any

import pytest
import structlog
from flask import Flask, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.cards import luhn_valid
from chassis.web.tripwire import looks_like_card
from tests.support.gallery import GallerySettings, make_gallery

TEST_CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4222222222222"]


def _check_digit(body: str) -> str:
    return next(digit for digit in "0123456789" if luhn_valid(body + digit))


# The machine is shared; how long one example takes says nothing.
unhurried = settings(deadline=None)

card_numbers = (
    st.text(alphabet="0123456789", min_size=12, max_size=18)
    .map(lambda body: body + _check_digit(body))
    .filter(lambda number: len(set(number)) > 1)
)
separators = st.sampled_from(["", " ", "-", ".", "\u2009", "\u00a0", "\u2013", "\u200b", "\t", "  ", " - "])
scripts = st.sampled_from([0x30, 0xFF10, 0x0660, 0x1D7CE])


@pytest.fixture
def echo_app() -> Flask:
    """An app whose views would echo whatever reached them."""
    app = make_gallery(GallerySettings())
    app.config["WTF_CSRF_ENABLED"] = False
    seen: list[Any] = []
    app.extensions["seen"] = seen

    def echo() -> str:
        seen.append(request.get_data(as_text=True))
        return "reached"

    app.add_url_rule("/echo", view_func=echo, methods=["GET", "POST"])
    return app


@unhurried
@given(card_numbers)
def test_every_luhn_valid_number_of_13_to_19_digits_is_seen(number: str) -> None:
    assert looks_like_card(number)
    assert looks_like_card(f"card: {number}, thanks")


@unhurried
@given(st.sampled_from(TEST_CARDS), separators, scripts)
def test_digits_spaced_or_in_another_script_are_seen(number: str, separator: str, zero: int) -> None:
    written = "".join(chr(zero + int(digit)) for digit in number)
    assert looks_like_card(separator.join(written[i : i + 4] for i in range(0, len(written), 4)))
    assert looks_like_card(separator.join(written))


@unhurried
@given(st.text(alphabet="0123456789", max_size=12))
def test_twelve_digits_are_never_a_card(digits: str) -> None:
    assert not looks_like_card(digits)


@pytest.mark.parametrize(
    "text",
    ["room 12 4111 1111 1111 1111", "7 378282246310005 9", "ref 2026 3782 822463 10005 12", "1 5555-5555-5555-4444"],
)
def test_a_card_between_other_numbers_is_seen(text: str) -> None:
    assert looks_like_card(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sat 21 Nov 2026",
        "+1 (305) 555 0142",
        "2026-11-21T20:14:06",
        "US$ 1,240.00",
        "0000 0000 0000 0000",
        "²" * 20,
    ],
)
def test_ordinary_texts_pass(text: str) -> None:
    assert not looks_like_card(text)


@unhurried
@given(st.uuids().map(str))
def test_no_uuid_is_taken_for_a_card(text: str) -> None:
    assert not looks_like_card(text)
    assert not looks_like_card(f"{text} {text}")


@pytest.mark.parametrize(
    "text",
    [
        # Found by trying: each holds a Luhn-valid run of 13 digits or more.
        "41111111-1111-1111-a000-000000000001",
        "00-4111111111111111ab4111111111111a-4111111111111111-01",
        "a4111111111111111bcdef0123456789abcdef4111111111111111abcdef0123",
    ],
)
def test_our_own_identifiers_are_not_cards(text: str) -> None:
    assert not looks_like_card(text)


def test_a_card_beside_an_identifier_is_seen() -> None:
    assert looks_like_card("41111111-1111-1111-a000-000000000001: 4111111111111111")


@unhurried
@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    looks_like_card(text)


@pytest.mark.parametrize(
    "send",
    [
        {"data": {"note": "4111 1111 1111 1111"}},
        {"data": {"4111111111111111": "as a name"}},
        {"query_string": {"q": "4111-1111-1111-1111"}},
        {"json": {"a": [{"b": "4111111111111111"}]}},
        {"json": {"number": 4111111111111111}},
        {"json": {"number": 4111111111111111.0}},
        {"json": ["\uff14\uff11\uff11\uff11" + "1" * 12]},
        {"data": "4111111111111111", "content_type": "text/plain"},
    ],
)
def test_a_card_number_anywhere_in_a_request_is_refused_unread(echo_app: Flask, send: dict[str, Any]) -> None:
    answer = echo_app.test_client().post("/echo", **send)
    assert answer.status_code == 422
    assert echo_app.extensions["seen"] == []
    assert "card number" in answer.text
    assert "1111" not in answer.text


def test_a_script_gets_the_refusal_as_json(echo_app: Flask) -> None:
    answer = echo_app.test_client().post("/echo", json={"pan": "4111111111111111"})
    assert json.loads(answer.text)["error"]["code"] == "CARD_NUMBER_REFUSED"


def test_a_card_number_in_the_path_is_refused(echo_app: Flask) -> None:
    assert echo_app.test_client().get("/clients/4111111111111111").status_code == 422


def test_an_ordinary_request_passes(echo_app: Flask) -> None:
    answer = echo_app.test_client().post("/echo", data={"note": "Supplier called, ref 8812"})
    assert answer.text == "reached"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(number=card_numbers, as_json=st.booleans())
def test_a_refused_number_is_in_no_log(
    echo_app: Flask, caplog: pytest.LogCaptureFixture, number: str, as_json: bool
) -> None:
    with structlog.testing.capture_logs() as entries, caplog.at_level(logging.DEBUG):
        send: dict[str, Any] = {"json": {"n": number}} if as_json else {"data": {"n": number}}
        assert echo_app.test_client().post("/echo", **send).status_code == 422
    assert number not in repr(entries)
    assert number not in caplog.text


def test_json_nested_without_end_is_answered_politely(echo_app: Flask) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    answer = echo_app.test_client().post("/echo", data=deep, content_type="application/json")
    assert answer.status_code == 400


def test_broken_json_is_answered_politely(echo_app: Flask) -> None:
    answer = echo_app.test_client().post("/echo", data="{", content_type="application/json")
    assert answer.status_code == 400
