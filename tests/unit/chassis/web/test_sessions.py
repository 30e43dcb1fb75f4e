from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from chassis.db import Database, make_metadata, open_database
from chassis.web.sessions import ServerSessions, SessionTables, passive
from tests.support.clock import FakeClock
from tests.support.gallery import GallerySettings, make_gallery

COOKIE = "wv_crm_session"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tables_and_database(tmp_path: Path) -> Iterator[tuple[SessionTables, Database]]:
    metadata = make_metadata()
    tables = SessionTables.attach(metadata)
    database = open_database(f"sqlite:///{tmp_path}/web.db", name="web")
    metadata.create_all(database.engine)
    yield tables, database
    database.dispose()


@pytest.fixture
def sessions(tables_and_database: tuple[SessionTables, Database], clock: FakeClock) -> ServerSessions:
    tables, database = tables_and_database
    return ServerSessions(database, tables, clock, service="crm", https=False)


@pytest.fixture
def app(sessions: ServerSessions) -> Flask:
    app = make_gallery(GallerySettings())
    app.config["WTF_CSRF_ENABLED"] = False
    sessions.init_app(app)

    def sign_in() -> str:
        return sessions.start("agt_maya", {"role": "agent"}).id

    def who() -> str:
        found = sessions.current()
        return f"{found.subject} {dict(found.data)}" if found else f"nobody timed_out={sessions.timed_out()}"

    @passive
    def poll() -> str:
        return who()

    def rotate() -> str:
        sessions.rotate()
        return "rotated"

    def sign_out() -> str:
        sessions.end()
        return "out"

    def remember() -> str:
        sessions.replace_data({"role": "admin"})
        return who()

    def token() -> str:
        generate_csrf()
        return str(session.get("csrf_token"))

    for view in (sign_in, who, poll, rotate, sign_out, remember, token):
        app.add_url_rule(f"/{view.__name__}", endpoint=f"test.{view.__name__}", view_func=view)
    return app


def test_a_browser_without_a_cookie_is_nobody(app: Flask) -> None:
    assert app.test_client().get("/who").text == "nobody timed_out=False"


def test_signing_in_starts_a_session_that_the_next_request_has(app: Flask) -> None:
    client = app.test_client()
    client.get("/sign_in")
    assert client.get("/who").text == "agt_maya {'role': 'agent'}"


@pytest.mark.parametrize("way", ["/sign_in", "/rotate", "/sign_out"])
def test_two_requests_at_once_after_a_change_of_session_get_the_same_form_token(app: Flask, way: str) -> None:
    client, beside = app.test_client(), app.test_client()
    client.get("/sign_in")
    before = client.get("/token").text
    client.get(way)
    for name in (COOKIE, app.config["SESSION_COOKIE_NAME"]):
        if cookie := client.get_cookie(name):
            beside.set_cookie(name, cookie.value)
    tokens = {client.get("/token").text, beside.get("/token").text}
    assert len(tokens) == 1
    assert before not in tokens


def test_the_cookie_is_http_only_lax_and_for_the_whole_host(app: Flask) -> None:
    header = app.test_client().get("/sign_in").headers["Set-Cookie"]
    assert header.startswith(f"{COOKIE}=")
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header
    assert "Domain" not in header


def test_over_https_the_cookie_is_bound_to_the_host_and_secure(
    tables_and_database: tuple[SessionTables, Database], clock: FakeClock
) -> None:
    tables, database = tables_and_database
    secure = ServerSessions(database, tables, clock, service="crm", https=True)
    app = make_gallery(GallerySettings(public_url="https://crm.example"))
    secure.init_app(app)
    app.add_url_rule("/in", view_func=lambda: secure.start("a").id)
    cookies = app.test_client().get("/in", base_url="https://crm.example").headers.getlist("Set-Cookie")
    mine = next(cookie for cookie in cookies if cookie.startswith("__Host-wv_crm_session="))
    assert "Secure" in mine


def test_the_database_holds_a_hash_and_never_the_token(
    app: Flask, tables_and_database: tuple[SessionTables, Database]
) -> None:
    client = app.test_client()
    client.get("/sign_in")
    token = client.get_cookie(COOKIE)
    assert token is not None
    tables, database = tables_and_database
    with database.read() as db:
        row = db.execute(select(tables.sessions)).mappings().one()
    assert token.value not in repr(dict(row))
    assert len(row["token_sha256"]) == 64


def test_rotation_makes_the_old_token_worthless_and_keeps_the_session(app: Flask) -> None:
    client = app.test_client()
    session_id = client.get("/sign_in").text
    old = client.get_cookie(COOKIE)
    client.get("/rotate")
    new = client.get_cookie(COOKIE)
    assert old is not None
    assert new is not None
    assert old.value != new.value
    assert client.get("/who").text.startswith("agt_maya")
    thief = app.test_client()
    thief.set_cookie(COOKIE, old.value)
    assert thief.get("/who").text.startswith("nobody")
    assert session_id.startswith("ses_")


def test_signing_in_again_gives_another_token_and_ends_the_old_session(app: Flask, sessions: ServerSessions) -> None:
    client = app.test_client()
    first = client.get("/sign_in").text
    second = client.get("/sign_in").text
    with app.app_context():
        assert [found.id for found in sessions.list_for("agt_maya")] == [second]
    assert first != second


def test_a_session_ends_after_fifteen_idle_minutes(app: Flask, clock: FakeClock) -> None:
    client = app.test_client()
    client.get("/sign_in")
    clock.advance(timedelta(minutes=14, seconds=59))
    assert client.get("/who").text.startswith("agt_maya")
    clock.advance(timedelta(minutes=15))
    assert client.get("/who").text == "nobody timed_out=True"


def test_a_timed_out_session_does_not_come_back(app: Flask, clock: FakeClock) -> None:
    client = app.test_client()
    client.get("/sign_in")
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    clock.advance(timedelta(minutes=15))
    client.get("/who")
    client.set_cookie(COOKIE, kept.value)
    assert client.get("/who").text.startswith("nobody")


def test_polling_does_not_keep_a_session_awake(app: Flask, clock: FakeClock) -> None:
    client = app.test_client()
    client.get("/sign_in")
    for _ in range(14):
        clock.advance(timedelta(minutes=1))
        assert client.get("/poll").text.startswith("agt_maya")
        assert client.get("/who", headers={"X-Wayvault-Passive": "1"}).text.startswith("agt_maya")
    clock.advance(timedelta(minutes=1))
    assert client.get("/poll").text.startswith("nobody")


def test_use_keeps_a_session_awake_until_its_absolute_end(app: Flask, clock: FakeClock) -> None:
    client = app.test_client()
    client.get("/sign_in")
    for _ in range(71):
        clock.advance(timedelta(minutes=10))
        assert client.get("/who").text.startswith("agt_maya")
    clock.advance(timedelta(minutes=10))
    assert client.get("/who").text == "nobody timed_out=True"


def test_signing_out_ends_the_session_on_the_server(app: Flask) -> None:
    client = app.test_client()
    client.get("/sign_in")
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    client.get("/sign_out")
    assert client.get_cookie(COOKIE) is None
    client.set_cookie(COOKIE, kept.value)
    assert client.get("/who").text == "nobody timed_out=False"


def test_a_person_lists_and_ends_her_own_sessions_only(app: Flask, sessions: ServerSessions) -> None:
    phone, desk = app.test_client(), app.test_client()
    phone_id = phone.get("/sign_in", headers={"User-Agent": "Phone"}).text
    desk.get("/sign_in", headers={"User-Agent": "Desk"})
    assert {found.user_agent for found in sessions.list_for("agt_maya")} == {"Phone", "Desk"}
    assert not sessions.end_one(phone_id, subject="agt_jonas")
    assert sessions.end_one(phone_id, subject="agt_maya")
    assert not sessions.end_one(phone_id, subject="agt_maya")
    assert phone.get("/who").text.startswith("nobody")
    assert desk.get("/who").text.startswith("agt_maya")


def test_all_sessions_but_one_can_be_ended(app: Flask, sessions: ServerSessions) -> None:
    clients = [app.test_client() for _ in range(3)]
    ids = [client.get("/sign_in").text for client in clients]
    assert sessions.end_all("agt_maya", but=ids[0]) == 2
    assert [found.id for found in sessions.list_for("agt_maya")] == [ids[0]]


def test_data_can_be_replaced(app: Flask) -> None:
    client = app.test_client()
    client.get("/sign_in")
    client.get("/remember")
    assert client.get("/who").text == "agt_maya {'role': 'admin'}"


def test_a_form_token_from_before_sign_in_is_forgotten(app: Flask) -> None:
    client = app.test_client()
    before = client.get("/token").text
    assert client.get("/token").text == before
    client.get("/sign_in")
    assert client.get("/token").text != before


def test_old_rows_are_swept(app: Flask, sessions: ServerSessions, clock: FakeClock) -> None:
    app.test_client().get("/sign_in")
    assert sessions.sweep() == 0
    clock.advance(timedelta(days=31))
    assert sessions.sweep() == 1
