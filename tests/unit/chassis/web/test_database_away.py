"""A database that is held or lost: 503 in words, soon, and what was typed stays."""

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chassis.db import Database, open_database
from chassis.web import make_app
from chassis.web.typed_values import typed_values
from tests.support.gallery import GallerySettings

PATIENCE = 0.4
# A loaded machine may need its time to draw the page.
BOUND = PATIENCE + 2.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/notes.db", name="notes", patience=PATIENCE)
    with opened.transaction() as session:
        session.execute(text("CREATE TABLE notes (words TEXT)"))
    yield opened
    opened.dispose()


@pytest.fixture
def app(database: Database) -> Flask:
    app = make_app(
        import_name="tests.support.gallery",
        service="gallery",
        title="Wayvault",
        settings=GallerySettings(),
        database=database,
        layout="bare",
    )
    app.config["WTF_CSRF_ENABLED"] = False

    @app.post("/notes")
    def keep() -> str:
        with database.transaction() as session:
            session.execute(text("INSERT INTO notes VALUES (:words)"), {"words": request.values["words"]})
        return "kept"

    return app


@contextmanager
def held(database: Database) -> Iterator[None]:
    with closing(sqlite3.connect(str(database.url.database))) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.rollback()


def test_a_held_database_is_503_in_words_soon_and_the_typed_text_can_be_sent_again(
    app: Flask, database: Database
) -> None:
    typed = {"words": "Dear <Elena>,\nthe ship leaves at nine.", "password": "secret words", "postal_code": "10115"}
    client = app.test_client()
    with held(database):
        began = time.monotonic()
        refused = client.post("/notes?from=here", data=typed)
        assert time.monotonic() - began < BOUND
        assert refused.status_code == 503
        assert "Nothing was saved" in refused.text
        assert "secret words" not in refused.text
        as_script = client.post("/notes", data={"words": "x"}, headers={"Accept": "application/json"})
        assert as_script.get_json()["error"]["code"] == "UNAVAILABLE"
    fields = re.findall(r'<textarea name="(\w+)" hidden>\n(.*?)</textarea>', refused.text, re.DOTALL)
    assert {name: unescape(value) for name, value in fields} == {
        "words": typed["words"],
        "postal_code": "10115",
    }
    assert 'action="/notes?from=here"' in refused.text
    assert client.post("/notes", data={name: unescape(value) for name, value in fields}).text == "kept"


def test_however_many_wait_for_it_each_is_told_in_time(app: Flask, database: Database) -> None:
    waits: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        assert app.test_client().post("/notes", data={"words": "x"}).status_code == 503
        waits.append(time.monotonic() - began)

    with held(database):
        askers = [threading.Thread(target=ask) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
    assert len(waits) == 8
    assert max(waits) < BOUND


def test_what_is_not_worth_a_wait_waits_shortly_and_the_next_transaction_as_ever(database: Database) -> None:
    with held(database):
        for patience, least, most in ((0.05, 0.0, 0.3), (None, PATIENCE * 0.9, BOUND)):
            began = time.monotonic()
            with pytest.raises(OperationalError), database.transaction(patience=patience) as session:
                session.execute(text("SELECT 1"))
            assert least <= time.monotonic() - began < most


@pytest.mark.parametrize(
    "error",
    [OperationalError("select", {}, Exception("server closed the connection")), TimeoutError()],
    ids=["lost", "something else"],
)
def test_a_lost_database_is_503_and_a_fault_of_ours_is_not(app: Flask, error: Exception) -> None:
    @app.get("/lost")
    def lost() -> str:
        raise error

    assert app.test_client().get("/lost").status_code == (503 if isinstance(error, OperationalError) else 500)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=50)), max_size=20))
def test_whatever_is_typed_is_kept_in_its_order_but_secrets(fields: list[tuple[str, str]]) -> None:
    secret = [("password", "never"), ("code", "12345678"), ("sealed_card", "eyJ"), ("note", "4111 1111 1111 1111")]
    with Flask(__name__).test_request_context("/", method="POST", data=_multi([*fields, *secret])):
        kept = typed_values()
    assert not {"never", "12345678", "eyJ", "4111 1111 1111 1111"} & {value for _, value in kept}
    assert [pair for pair in kept if pair not in fields] == []


def _multi(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in fields:
        grouped.setdefault(name, []).append(value)
    return grouped
