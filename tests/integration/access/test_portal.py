"""The portal's matrix: role × object × endpoint, from its URL map (docs/security.md, 8.2.2). A foreign id is 404."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.integration.access.entry import Call, Door, calls_of, missing_and_stale
from tests.integration.access.portal_entries import ENTRIES, FRAMED
from tests.integration.access.portal_house import HERE, FurnishedPortal

_FILE = "tests/integration/access/portal_entries.py"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FurnishedPortal]:
    made = FurnishedPortal(tmp_path_factory.mktemp("portal"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(portal: FurnishedPortal) -> Flask:
    return portal.wsgi


@pytest.fixture(autouse=True)
def as_it_was(portal: FurnishedPortal) -> Iterator[None]:
    yield
    portal.file.restore()


def _of(*doors: Door) -> list[str]:
    return sorted(endpoint for endpoint, entry in ENTRIES.items() if entry.door in doors)


def _calls(portal: FurnishedPortal, endpoint: str) -> list[Call]:
    return calls_of(portal.wsgi, endpoint, ENTRIES[endpoint], portal.objects, HERE)


def _ask(portal: FurnishedPortal, role: str, call: Call, *, unknown: bool = False, good: bool = False) -> TestResponse:
    """A request; `good` sends the form that leaves nothing to complain of but who sends it."""
    entry, browser = ENTRIES[call.endpoint], portal.browsers[role]
    path = (call.unknown or call.path) if unknown else call.path
    if call.method == "GET":
        return browser.get(path)
    if good and entry.json:
        return browser.post(path, json=entry.json)
    return browser.post(path, data=dict(entry.form) if good else {})


def test_every_endpoint_has_its_entry(app: Flask) -> None:
    mend = missing_and_stale(app, ENTRIES, _FILE)
    assert mend == [], "\n".join(mend)


# A script that learns of the session's end says so itself; a page to sign in would be no answer to it.
_ASKED_BY_SCRIPT = frozenset({"session_watch.left", "session_watch.stay"})


@pytest.mark.parametrize("endpoint", _of(Door.CLIENTS, Door.OWN_CLIENT))
def test_who_is_not_signed_in_is_sent_to_sign_in(portal: FurnishedPortal, endpoint: str) -> None:
    """An opened payment link is no sign-in."""
    for call in _calls(portal, endpoint):
        for role in ("visitor", "holder"):
            answer = _ask(portal, role, call)
            if endpoint in _ASKED_BY_SCRIPT:
                # An opened link has a session of its own, which may be kept open.
                expected = 401 if role == "visitor" else 200
                assert answer.status_code == expected, f"{role}: {call}: {answer.status_code}"
                continue
            assert answer.status_code == 303, f"{role}: {call}: {answer.status_code}"
            assert answer.location.startswith("/sign-in"), f"{role}: {call}: {answer.location}"


@pytest.mark.parametrize("endpoint", _of(Door.ANYBODY))
def test_what_is_for_anybody_opens_without_a_session(portal: FurnishedPortal, endpoint: str) -> None:
    for call in _calls(portal, endpoint):
        if call.method == "GET":
            assert _ask(portal, "visitor", call).status_code in (200, 303), str(call)


@pytest.mark.parametrize("endpoint", sorted(ENTRIES))
def test_a_form_without_its_token_is_refused(portal: FurnishedPortal, endpoint: str) -> None:
    browser = portal.strict_client()
    try:
        for call in _calls(portal, endpoint):
            if call.method == "POST":
                answer = browser.post(call.path)
                # In a frame on another site no cookie comes along: its form is shown anew with a token of its own.
                assert answer.status_code == (422 if endpoint in FRAMED else 400), str(call)
    finally:
        portal.client()  # the other browsers bring no tokens


@pytest.mark.parametrize("endpoint", _of(Door.CLIENTS, Door.OWN_CLIENT, Door.LINK, Door.PAYER))
def test_who_has_the_right_is_let_in(portal: FurnishedPortal, endpoint: str) -> None:
    roles = {
        Door.CLIENTS: ("client", "other client"),
        Door.OWN_CLIENT: ("client",),
        Door.LINK: ("holder",),
        Door.PAYER: ("holder", "client"),
    }[ENTRIES[endpoint].door]
    for call in _calls(portal, endpoint):
        for role in roles:
            answer = _ask(portal, role, call)
            fine = answer.status_code < 400 or (call.method == "POST" and answer.status_code in (409, 422, 503))
            assert fine, f"{role}: {call}: {answer.status_code}"
            assert not _sent_away(call, answer), f"{role}: {call}: {answer.location}"
            if call.method == "POST":
                portal.file.restore()


@pytest.mark.parametrize("endpoint", _of(Door.OWN_CLIENT))
def test_another_clients_object_is_no_page(portal: FurnishedPortal, endpoint: str) -> None:
    for call in _calls(portal, endpoint):
        assert _ask(portal, "other client", call, good=True).status_code == 404, str(call)


@pytest.mark.parametrize("endpoint", _of(Door.LINK, Door.PAYER))
def test_a_link_is_for_the_browser_that_opened_it(portal: FurnishedPortal, endpoint: str) -> None:
    """Neither another link's session nor a signed-in client gets further than the link's own page, but for the client
    who is to pay."""
    strangers = ["visitor", "other holder", "other client"]
    if ENTRIES[endpoint].door is Door.LINK:
        strangers.append("client")
    for call in _calls(portal, endpoint):
        for role in strangers:
            answer = _ask(portal, role, call, good=True)
            refused = answer.status_code in (403, 404) or _sent_away(call, answer)
            assert refused, f"{role}: {call}: {answer.status_code}"


@pytest.mark.parametrize("endpoint", _of(Door.OWN_CLIENT, Door.LINK, Door.PAYER))
def test_what_never_was_is_no_page(portal: FurnishedPortal, endpoint: str) -> None:
    role = "client" if ENTRIES[endpoint].door is Door.OWN_CLIENT else "holder"
    for call in _calls(portal, endpoint):
        if call.unknown is None:
            continue
        answer = _ask(portal, role, call, unknown=True, good=True)
        assert answer.status_code == 404 or _leads_to_404(portal, role, answer), f"{call}: {answer.status_code}"


def _leads_to_404(portal: FurnishedPortal, role: str, answer: TestResponse) -> bool:
    """A page of a link sends to the link's own page, which says that there is no such link."""
    return answer.status_code == 303 and portal.browsers[role].get(answer.location).status_code == 404


def _sent_away(call: Call, answer: TestResponse) -> bool:
    """Whether the answer leads back to the link's own page or to sign-in, away from what was asked for."""
    if answer.status_code != 303:
        return False
    return answer.location.startswith("/sign-in") or answer.location == "/".join(call.path.split("/")[:3])
