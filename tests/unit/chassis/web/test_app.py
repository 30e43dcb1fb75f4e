import json
import re

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from prometheus_client import generate_latest

from chassis import errors
from chassis.web import make_app
from chassis.web.errors import code_name, http_status
from chassis.web.security import content_security_policy
from tests.support.gallery import GallerySettings, make_gallery


@pytest.fixture
def app() -> Flask:
    return make_gallery(GallerySettings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _policy(header: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


def test_the_policy_allows_our_own_scripts_and_the_secure_frame_and_nothing_else(client: FlaskClient) -> None:
    policy = _policy(client.get("/desk").headers["Content-Security-Policy"])
    nonce = policy["script-src"].rpartition("'nonce-")[2].rstrip("'")
    assert len(nonce) >= 22
    assert policy == {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce}'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "frame-src": "http://card.localhost:8103",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }


def test_without_a_frame_origin_nothing_may_be_framed() -> None:
    assert "frame-src 'none'" in content_security_policy("n", None)


def test_each_answer_has_a_nonce_of_its_own(client: FlaskClient) -> None:
    seen = {client.get("/sign-in").headers["Content-Security-Policy"] for _ in range(5)}
    assert len(seen) == 5


@pytest.mark.parametrize("path", ["/desk", "/list", "/guest", "/sign-in", "/nope"])
def test_no_page_has_inline_style_or_script(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert "<style" not in page
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*\bnonce=)", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)


@pytest.mark.parametrize("path", ["/desk", "/nope", "/broken", "/vault-down", "/healthz", "/list?q=4111111111111111"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_over_https_browsers_are_told_to_stay_there() -> None:
    client = make_gallery(GallerySettings(public_url="https://crm.example")).test_client()
    assert "max-age" in client.get("/healthz").headers["Strict-Transport-Security"]


def test_assets_may_be_cached(client: FlaskClient) -> None:
    with client.get("/static/chassis/app.css") as answer:
        assert answer.headers["Cache-Control"] != "no-store"
    assert "max-age" in client.get("/theme/0f6b6b.css").headers["Cache-Control"]


@pytest.mark.parametrize("accent", ["red", "12345", "0f6b6b;x", "%7B%7D"])
def test_a_theme_that_is_no_colour_is_not_found(client: FlaskClient, accent: str) -> None:
    assert client.get(f"/theme/{accent}.css").status_code == 404


def test_a_post_without_a_form_token_is_refused_kindly(client: FlaskClient) -> None:
    answer = client.post("/desk", data={"purpose": "x"})
    assert answer.status_code == 400
    assert "open for too long" in answer.text


def test_a_post_with_the_pages_token_passes(client: FlaskClient) -> None:
    page = client.get("/desk").text
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None
    assert client.post("/desk", data={"csrf_token": found.group(1)}).status_code == 200
    assert client.post("/desk", json={}, headers={"X-CSRFToken": found.group(1)}).status_code == 200


def test_a_token_of_another_browser_is_refused(app: Flask) -> None:
    found = re.search(r'name="csrf-token" content="([^"]+)"', app.test_client().get("/desk").text)
    assert found is not None
    assert app.test_client().post("/desk", data={"csrf_token": found.group(1)}).status_code == 400


def test_a_fault_shows_no_cause(client: FlaskClient) -> None:
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "must not show" not in answer.text
    assert "Traceback" not in answer.text
    assert "Something went wrong on our side" in answer.text


def test_a_refusal_shows_its_message(client: FlaskClient) -> None:
    answer = client.get("/vault-down")
    assert answer.status_code == 503
    assert "Nothing was used up" in answer.text


def test_a_script_gets_a_refusal_as_json(app: Flask) -> None:
    def wrong() -> str:
        raise errors.CodeWrong("That code is not right.", field="code", attempts_left=3)

    app.add_url_rule("/wrong", view_func=wrong)
    answer = app.test_client().get("/wrong", headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert json.loads(answer.text) == {
        "error": {
            "code": "CODE_WRONG",
            "message": "That code is not right.",
            "field": "code",
            "attempts_left": 3,
        }
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503, 418])
def test_every_status_has_a_page_with_a_way_on(app: Flask, status: int) -> None:
    app.add_url_rule("/fail", view_func=lambda: abort(status))
    answer = app.test_client().get("/fail")
    assert answer.status_code == status
    assert "Go to the start page" in answer.text


@pytest.mark.parametrize("kind", sorted(errors.WayvaultError.__subclasses__(), key=str))
def test_every_refusal_has_a_status_and_a_name(kind: type[errors.WayvaultError]) -> None:
    assert 400 <= http_status(kind()) <= 503
    assert not code_name(kind()).startswith("ERROR_CODE")


def test_when_the_layout_itself_fails_the_message_still_comes(app: Flask) -> None:
    def broken_context() -> dict[str, object]:
        raise errors.Unavailable("The database is away.")

    app.context_processor(broken_context)
    answer = app.test_client().get("/vault-down")
    assert answer.status_code == 503
    assert "Nothing was used up" in answer.text


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    assert "GET" in client.put("/list", headers={"X-CSRFToken": "x"}).headers.get("Allow", "GET")
    assert client.delete("/healthz").status_code in (400, 405)


def test_a_body_too_large_is_refused_with_a_page(client: FlaskClient) -> None:
    answer = client.post("/desk", data={"note": "x" * (3 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_health_is_ok_without_a_database_and_503_when_the_database_is_away() -> None:
    assert make_gallery().test_client().get("/healthz").text == "ok"

    class Away:
        def read(self) -> object:
            raise errors.Unavailable

    app = make_app(
        import_name="tests.support.gallery",
        service="gallery",
        title="Wayvault",
        settings=GallerySettings(),
        database=Away(),  # type: ignore[arg-type]
        layout="bare",
    )
    assert app.test_client().get("/healthz").status_code == 503


def test_metrics_name_routes_and_no_paths(client: FlaskClient) -> None:
    client.get("/clients/elena-petrova")
    client.get("/list?q=elena")
    text = generate_latest().decode()
    assert 'route="/list"' in text
    assert "elena" not in text
