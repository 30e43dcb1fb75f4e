import io
import json
import logging
import time
from typing import Any

import pytest
import structlog
from flask import Flask, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse
from wtforms import FileField, StringField

from chassis.cards import Brand
from chassis.web.forms import Form
from chassis.web.tripwire import NAME_REFUSED, says_of_file_names
from tests.support.cards import cards
from tests.support.gallery import GallerySettings, make_gallery

# The machine is shared; how long one example takes says nothing.
unhurried = settings(deadline=None)


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


def test_the_refusal_says_how_another_long_number_is_written_and_names_the_field(echo_app: Flask) -> None:
    client = echo_app.test_client()
    page = client.post("/echo", data={"notes": "fine", "phone": "4111111111111111"})
    assert "put brackets around its first three digits" in page.text
    answer = client.post("/echo", data={"phone": "4111111111111111"}, headers={"Accept": "application/json"})
    assert answer.get_json()["error"]["field"] == "phone"
    assert client.post("/echo", data={"phone": "(411) 1111111111111"}).text == "reached"


def test_more_text_than_anyone_types_is_refused_before_it_is_looked_through(echo_app: Flask) -> None:
    started = time.process_time()
    assert echo_app.test_client().post("/echo", data={"note": "4111 " * 200_000}).status_code == 413
    assert time.process_time() - started < 1


def test_a_script_gets_the_refusal_as_json(echo_app: Flask) -> None:
    answer = echo_app.test_client().post("/echo", json={"pan": "4111111111111111"})
    assert json.loads(answer.text)["error"]["code"] == "CARD_NUMBER_REFUSED"


def test_a_number_in_a_files_name_is_told_with_what_to_do(echo_app: Flask) -> None:
    data = {"title": "fine", "file": (io.BytesIO(b"x"), "4111-1111-1111-1111.pdf")}
    page = echo_app.test_client().post("/echo", data=data, content_type="multipart/form-data")
    assert page.status_code == 422
    assert "give the file another name" in page.text


class Paper(Form):
    title = StringField("Title")
    paper = FileField("Paper")


@pytest.fixture
def paper_app(echo_app: Flask) -> Flask:
    """With a form that takes a file and says what became of it."""

    @says_of_file_names
    def take() -> str:
        form, files = Paper(), request.files
        said = "taken" if form.validate_on_submit() else " ".join(form.paper.errors)
        return f"{said}; {form.title.data}; {[file.filename for file in files.values()]}"

    @says_of_file_names
    def other() -> str:
        return "reached" if Form().validate() else "refused"

    echo_app.add_url_rule("/take", view_func=take, methods=["POST"])
    echo_app.add_url_rule("/other", view_func=other, methods=["POST"])
    return echo_app


def given_a_paper(app: Flask, name: str, address: str = "/take", **fields: str) -> TestResponse:
    data: dict[str, object] = {"title": "Passes", **fields, "paper": (io.BytesIO(b"x"), name)}
    return app.test_client().post(address, data=data, content_type="multipart/form-data")


def test_a_form_that_takes_files_says_beside_its_field_that_a_name_looks_like_a_card(paper_app: Flask) -> None:
    assert given_a_paper(paper_app, "passes.pdf").text == "taken; Passes; ['passes.pdf']"
    with structlog.testing.capture_logs() as entries:
        answer = given_a_paper(paper_app, "4111-1111-1111-1111.pdf")
    assert answer.text == f"{NAME_REFUSED}; Passes; []"
    assert entries[0]["event"] == "tripwire.card_number_refused"
    assert "1111" not in str(entries)


def test_a_card_number_elsewhere_is_refused_unread_in_spite_of_a_form_that_takes_files(paper_app: Flask) -> None:
    card = "4111 1111 1111 1111"
    assert given_a_paper(paper_app, card, title=card).status_code == 422
    # A text under the file's own field is none of a file's name.
    both = {"paper": [card, (io.BytesIO(b"x"), card)]}
    answer = paper_app.test_client().post("/take", data=both, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert given_a_paper(paper_app, card, address=f"/take?{card}=1").status_code == 422
    assert given_a_paper(paper_app, card, address="/other").status_code == 422


@pytest.mark.parametrize("file_name", [b"", b'; filename="a.txt"'], ids=["a field", "a file"])
def test_a_part_of_a_form_without_a_name_is_refused_and_breaks_nothing(echo_app: Flask, file_name: bytes) -> None:
    part = b"--edge\r\nContent-Disposition: form-data" + file_name + b"\r\n\r\n4111111111111111\r\n--edge--\r\n"
    answer = echo_app.test_client().post("/echo", data=part, content_type="multipart/form-data; boundary=edge")
    assert answer.status_code == 400
    assert echo_app.extensions["seen"] == []


def test_a_card_number_in_the_path_is_refused(echo_app: Flask) -> None:
    assert echo_app.test_client().get("/clients/4111111111111111").status_code == 422


def test_an_ordinary_request_passes(echo_app: Flask) -> None:
    answer = echo_app.test_client().post("/echo", data={"note": "Supplier called, ref 8812"})
    assert answer.text == "reached"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(card=cards(), as_json=st.booleans())
def test_a_refused_number_is_in_no_log(
    echo_app: Flask, caplog: pytest.LogCaptureFixture, card: tuple[Brand, str], as_json: bool
) -> None:
    number = card[1]
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
