"""The CRM's matrix: role × object × endpoint, from its URL map (docs/security.md, 8.2.2). A foreign id is 404."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from services.crm.app import create_app
from tests.integration.access.crm_entries import ENTRIES
from tests.integration.access.crm_house import HERE, FurnishedHouse
from tests.integration.access.entry import Call, Door, Entry, calls_of, missing_and_stale

_FILE = "tests/integration/access/crm_entries.py"
_HIDDEN = (404,)
# An admin who may look at an object but not act on it may be told so, on the page itself too.
_NOT_YOURS = (403, 404, 422)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FurnishedHouse]:
    made = FurnishedHouse(tmp_path_factory.mktemp("crm"))
    yield made
    made.deps.core.database.dispose()


@pytest.fixture(scope="module")
def app(house: FurnishedHouse) -> Flask:
    return create_app(house.deps)


@pytest.fixture(autouse=True)
def as_it_was(house: FurnishedHouse) -> Iterator[None]:
    yield
    house.file.restore()


def _calls(house: FurnishedHouse, app: Flask, endpoint: str) -> list[Call]:
    return calls_of(app, endpoint, _entry(endpoint), house.objects, HERE)


def _entry(endpoint: str) -> Entry:
    return ENTRIES[endpoint]


def _ask(house: FurnishedHouse, role: str, method: str, path: str) -> int:
    browser = house.browsers[role]
    return _status(browser.get(path) if method == "GET" else browser.post(path))


def _try(house: FurnishedHouse, role: str, call: Call, *, unknown: bool = False) -> int:
    """As _ask, with a form that leaves nothing to complain of but who sends it."""
    entry, browser = _entry(call.endpoint), house.browsers[role]
    path = (call.unknown or call.path) if unknown else call.path
    if call.method == "GET":
        return _status(browser.get(path))
    return _status(browser.send(path, entry.json) if entry.json else browser.post(path, dict(entry.form)))


def _status(answer: TestResponse) -> int:
    # A stream of alerts has no end: its head says all.
    answer.close()
    return answer.status_code


def _of(door: Door) -> list[str]:
    return sorted(endpoint for endpoint, entry in ENTRIES.items() if entry.door is door)


def _not_of(*doors: Door) -> list[str]:
    return sorted(endpoint for endpoint, entry in ENTRIES.items() if entry.door not in doors)


def test_every_endpoint_has_its_entry(tmp_path: Path, app: Flask) -> None:
    mend = missing_and_stale(app, ENTRIES, _FILE)
    assert mend == [], "\n".join(mend)


@pytest.mark.parametrize("endpoint", _not_of(Door.ANYBODY))
def test_who_is_not_signed_in_is_sent_to_sign_in(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    for call in _calls(house, app, endpoint):
        browser = app.test_client()
        answer = browser.get(call.path) if call.method == "GET" else _post_with_token(app, call.path)
        assert answer.status_code in (303, 401), f"{call}: {answer.status_code}"
        if answer.status_code == 303:
            assert answer.location.startswith("/sign-in"), f"{call}: {answer.location}"


def _post_with_token(app: Flask, path: str) -> TestResponse:
    browser = app.test_client()
    token = browser.get("/sign-in").text.partition('name="csrf-token" content="')[2].partition('"')[0]
    return browser.post(path, data={"csrf_token": token})


@pytest.mark.parametrize("endpoint", _of(Door.ANYBODY))
def test_what_is_for_anybody_opens_without_a_session(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    for call in _calls(house, app, endpoint):
        if call.method == "GET":
            assert _status(app.test_client().get(call.path)) in (200, 303), str(call)


@pytest.mark.parametrize("endpoint", sorted(ENTRIES))
def test_a_form_without_its_token_is_refused(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    for call in _calls(house, app, endpoint):
        if call.method == "POST":
            assert app.test_client().post(call.path).status_code == 400, str(call)


@pytest.mark.parametrize("endpoint", _not_of(Door.ANYBODY))
def test_who_has_the_right_is_let_in(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    entry = _entry(endpoint)
    roles = {
        Door.AGENTS: ("owner", "other agent", "admin", "other agency's admin"),
        Door.AGENCY: ("owner", "other agent", "admin"),
        Door.ADMINS: ("admin",),
        Door.OWNER: ("owner",),
        Door.OWNER_ALONE: ("owner",),
        Door.OWNER_AND_ADMIN: ("owner", "admin"),
    }[entry.door]
    for call in _calls(house, app, endpoint):
        for role in roles:
            status = _ask(house, role, call.method, call.path)
            fine = status < 400 if call.method == "GET" else status not in (401, 403, 404, 405) and status < 500
            assert fine or status in entry.also, f"{role}: {call}: {status}"
            if call.method == "POST":
                house.file.restore()


@pytest.mark.parametrize("endpoint", _of(Door.ADMINS))
def test_for_agents_the_admins_pages_do_not_exist(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    for call in _calls(house, app, endpoint):
        for role in ("owner", "other agent"):
            assert _try(house, role, call) in _HIDDEN, f"{role}: {call}"


@pytest.mark.parametrize("endpoint", _of(Door.OWNER) + _of(Door.OWNER_ALONE) + _of(Door.OWNER_AND_ADMIN))
def test_another_agents_object_is_no_page(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    for call in _calls(house, app, endpoint):
        assert _try(house, "other agent", call) in _HIDDEN, str(call)


@pytest.mark.parametrize("endpoint", _not_of(Door.ANYBODY, Door.AGENTS))
def test_another_agencys_object_is_no_page_for_its_admin(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    for call in _calls(house, app, endpoint):
        if call.unknown is not None:
            assert _try(house, "other agency's admin", call) in _HIDDEN, str(call)


@pytest.mark.parametrize("endpoint", _of(Door.OWNER) + _of(Door.OWNER_ALONE))
def test_an_admin_looks_where_she_may_and_acts_on_nothing_that_is_anothers(
    house: FurnishedHouse, app: Flask, endpoint: str
) -> None:
    for call in _calls(house, app, endpoint):
        before = house.contents()
        status = _try(house, "admin", call)
        assert house.contents() == before, str(call)
        if call.method == "GET" and _entry(endpoint).door is Door.OWNER:
            assert status < 400, f"{call}: {status}"
        else:
            assert status in _NOT_YOURS, f"{call}: {status}"


@pytest.mark.parametrize("endpoint", _not_of(Door.ANYBODY))
def test_what_never_was_is_no_page(house: FurnishedHouse, app: Flask, endpoint: str) -> None:
    role = "admin" if _entry(endpoint).door is Door.ADMINS else "owner"
    for call in _calls(house, app, endpoint):
        if call.unknown is not None:
            assert _try(house, role, call, unknown=True) in _HIDDEN, call.unknown
