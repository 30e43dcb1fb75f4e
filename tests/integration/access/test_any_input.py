"""Whatever a stranger or a person sends to any endpoint of either site: an answer in words, never a fault.

Driven by the URL maps and by the forms that pages hold, so a new form is tried without a line here.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.integration.access import crm_entries, crm_house, portal_entries, portal_house
from tests.integration.access.entry import Call, Door, Entry, calls_of
from tests.integration.access.forms_on_pages import forms_on
from tests.support.typed import typed_values

# What ends the session that the rest needs, and what never ends by itself.
_LEFT_OUT = ("sign_out", "end_session", "stream")
_BODIES: tuple[tuple[bytes, str], ...] = (
    (b"{bad", "application/json"),
    (b"[1]", "application/json"),
    (b'{"a": ' * 5000, "application/json"),
    (b"--x\r\nfoo", "multipart/form-data; boundary=x"),
    (b"a=%ff%00%&%ed%a0%80=1", "application/x-www-form-urlencoded; charset=utf-16"),
    (b"\xff\xfe", ""),
)
_QUERIES = (
    "page=" + "9" * 30 + "&next=%00&next=//evil.example&q=" + "a" * 3000,
    "page=-1&month=99999999999&year=0&since=0000-00-00&from=2026-02-30&x=%ff%fe&q=%ED%A0%80",
)
_ODD_IDS = ("%00%ff", "9" * 300, "%F0%9F%99%82%ED%A0%80")
_ODD_HEADERS = {
    "X-Forwarded-For": "\x01",
    "Accept-Language": "\xff" * 10,
    "User-Agent": "\xff\xfe",
    "Referer": "http://[::1",
    "If-None-Match": '"',
    "Range": "bytes=9-1",
}
# Each example goes through every endpoint; the first is the simplest there is.
FEW = settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))


class Site:
    """One site with one of everything, and who may do what there."""

    def __init__(self, house: crm_house.FurnishedHouse | portal_house.FurnishedPortal) -> None:
        self._house = house
        self._here = f"{type(house).__name__}"
        if isinstance(house, portal_house.FurnishedPortal):
            self.app, self.entries = house.wsgi, portal_entries.ENTRIES
            self._database = house.database
            self._browsers = {Door.ANYBODY: house.client()}
            self._browsers |= dict.fromkeys((Door.CLIENTS, Door.OWN_CLIENT), house.browsers["client"])
            self._browsers |= dict.fromkeys((Door.LINK, Door.PAYER), house.browsers["holder"])
        else:
            self.app, self.entries = house.browsers["owner"].app, crm_entries.ENTRIES
            self._database = house.deps.core.database
            self._browsers = dict.fromkeys(Door, house.browsers["owner"].plain)
            self._browsers |= {Door.ADMINS: house.browsers["admin"].plain, Door.ANYBODY: self.app.test_client()}
        self.app.config["WTF_CSRF_ENABLED"] = False
        self._forms: dict[Door, dict[str, dict[str, str]]] = {}

    def endpoints(self) -> list[str]:
        return [name for name in sorted(self.entries) if not any(part in name for part in _LEFT_OUT)]

    def browser(self, entry: Entry) -> FlaskClient:
        return self._browsers[entry.door]

    def calls(self, endpoint: str, method: str) -> list[Call]:
        entry = self.entries[endpoint]
        return [
            call
            for call in calls_of(self.app, endpoint, entry, self._house.objects, self._here)
            if call.method == method
        ]

    def odd_paths(self, call: Call) -> list[str]:
        """The call's address with something odd in place of its objects."""
        ids = set(self._house.objects.values())
        parts = call.path.split("/")
        if not ids & set(parts):
            return []
        return ["/".join(odd if part in ids else part for part in parts) for odd in _ODD_IDS]

    def form(self, call: Call) -> dict[str, str]:
        """What stands in the form that is sent there."""
        entry = self.entries[call.endpoint]
        if entry.door not in self._forms:
            pages = [
                page.path
                for name in self.endpoints()
                if self.entries[name].door is entry.door
                for page in self.calls(name, "GET")
            ]
            self._forms[entry.door] = forms_on(pages, lambda path: self._html(entry, path))
        return {**self._forms[entry.door].get(call.path, {}), **entry.form}

    def _html(self, entry: Entry, path: str) -> str:
        answer = self.browser(entry).get(path)
        html = answer.get_data() if answer.mimetype == "text/html" else b""
        answer.close()
        return html.decode("utf-8", "replace")

    def restore(self) -> None:
        self._house.file.restore()

    def close(self) -> None:
        self._database.dispose()


@pytest.fixture(scope="module", params=["crm", "portal"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    made = Site(crm_house.FurnishedHouse(folder) if request.param == "crm" else portal_house.FurnishedPortal(folder))
    yield made
    made.close()


def _sent(browser: FlaskClient, path: str, fields: Mapping[str, str]) -> TestResponse:
    """Posts a form, lone surrogates included, which no browser but any program can send."""
    body = "&".join(
        f"{quote(name, errors='surrogatepass')}={quote(value, errors='surrogatepass')}"
        for name, value in fields.items()
    )
    return browser.post(path, data=body, content_type="application/x-www-form-urlencoded")


def _no_fault(answer: TestResponse, what: object) -> None:
    answer.close()
    assert answer.status_code < 500 or answer.status_code == 503, f"{what}: {answer.status_code}"


def test_no_address_query_or_header_breaks_a_page(site: Site) -> None:
    for endpoint in site.endpoints():
        browser = site.browser(site.entries[endpoint])
        for call in site.calls(endpoint, "GET"):
            for query in _QUERIES:
                _no_fault(browser.get(f"{call.path}?{query}"), (call, query))
            for path in site.odd_paths(call):
                _no_fault(browser.get(path), path)
            _no_fault(browser.get(call.path, headers=_ODD_HEADERS), (call, "headers"))


def test_no_body_of_any_kind_breaks_an_endpoint(site: Site) -> None:
    for endpoint in site.endpoints():
        browser = site.browser(site.entries[endpoint])
        for call in site.calls(endpoint, "POST"):
            fields = site.form(call)
            for body, kind in _BODIES:
                _no_fault(browser.post(call.path, data=body, content_type=kind), (call, kind, body[:20]))
            as_files = dict.fromkeys(fields, (b"\x00", "x\x00.png"))
            twice = urlencode([(name, value) for name in fields for value in ("a", "b", "c")])
            _no_fault(browser.post(call.path, json={key: [1, {"a": 10**40}] for key in fields}), (call, "JSON"))
            _no_fault(_with_files(browser, call.path, as_files), (call, "files"))
            _no_fault(
                browser.post(call.path, data=twice, content_type="application/x-www-form-urlencoded"), (call, "twice")
            )
    site.restore()


def _with_files(browser: FlaskClient, path: str, files: Mapping[str, tuple[bytes, str]]) -> TestResponse:
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n'
        % (name.encode(), file_name.encode(), content)
        for name, (content, file_name) in files.items()
    ]
    return browser.post(path, data=b"".join(parts) + b"--edge--\r\n", content_type="multipart/form-data; boundary=edge")


# Every form of a site, more than once: on a busy machine longer than a test usually may take.
@pytest.mark.timeout(400)
@FEW
@given(data=st.data())
def test_no_text_in_any_form_is_a_fault(site: Site, data: st.DataObject) -> None:
    for endpoint in site.endpoints():
        entry = site.entries[endpoint]
        for call in site.calls(endpoint, "POST"):
            if not (fields := site.form(call)):
                continue
            chosen = data.draw(st.sets(st.sampled_from(sorted(fields)), min_size=1, max_size=3))
            typed = {name: data.draw(typed_values()) for name in chosen}
            _no_fault(_sent(site.browser(entry), call.path, {**fields, **typed}), (call, typed))
    site.restore()
