"""Whatever a stranger or a person sends to any endpoint of either site: an answer in words, never a fault.

Driven by the URL maps and by the forms that pages hold, so a new form is tried without a line here.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from chassis.web.link_repair import link_token
from tests.integration.access.site import Site, furnished
from tests.support.thorough import THOROUGH, a_third
from tests.support.typed import typed_values

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
_ODD_HEADERS = {
    "X-Forwarded-For": "\x01",
    "Accept-Language": "\xff" * 10,
    "User-Agent": "\xff\xfe",
    "Referer": "http://[::1",
    "If-None-Match": '"',
    "Range": "bytes=9-1",
}
# Each example goes through every endpoint; the first is the simplest there is.
FEW = settings(max_examples=2 if THOROUGH else 1, deadline=None, suppress_health_check=list(HealthCheck))

_TOKEN = "aB3-_" + "x" * 38
# What gateways, trackers and mail programs make of a link: its page's address, its query or "", its token.
_MANGLED: dict[str, Callable[[str, str, str], str]] = {
    "as it is": lambda page, query, token: f"{page}{query}#{token}",
    "Safe Links": lambda page, query, token: f"{page}{query}%23{token}",
    "Safe Links twice": lambda page, query, token: f"{page}{query}%2523{token}",
    "encoded whole": lambda page, query, token: f"/{quote(page[1:] + query + '#' + token, safe='')}",
    "encoded with its site": lambda page, query, token: f"/{quote(f'https://localhost{page}{query}#{token}', safe='')}",
    "Proofpoint v3": lambda page, query, token: f"{page}{query}*{token}__;Iw!!AbC$" if not query else f"{page}#{token}",
    "a tracker before the mark": lambda page, query, token: f"{page}{query or '?'}&utm_source=mc&mc_cid=1a#{token}",
    "a tracker, then Safe Links": lambda page, query, token: f"{page}{query or '?'}&utm_source=mc&mc_eid=2b%23{token}",
    "a tracker behind": lambda page, query, token: f"{page}{query}#{token}?utm_source=sendgrid&utm_medium=email",
    "Safe Links with a tracker behind": lambda page, query, token: f"{page}{query}%23{token}%3Futm_source%3Dx",
    "another mail program": lambda page, query, token: f"{page}{query}%23{token}&recipient=a@b.c",
    "the end of a sentence": lambda page, query, token: f"{page}{query}#{token}).,%3E",
    "a soft line end": lambda page, query, token: f"{page}{query}#{token[:20]}=%0D%0A{token[20:]}",
    "a soft line end in what was encoded": lambda page, query, token: (
        f"{page}{query}%23{token[:20]}%3D%0D%0A{token[20:]}"
    ),
    "blanks": lambda page, query, token: f"{page}{query}#%20{token[:9]}%20{token[9:]}",
    "HTML's references": lambda page, query, token: f"{page}{query}&amp;#{token.replace('_', '&#95;')}",
    "capitals": lambda page, query, token: f"{page.upper()}{query}#{token}",
    "capitals and Safe Links": lambda page, query, token: f"{page.upper()}{query}%23{token}",
    "a slash": lambda page, query, token: f"{page}/{query}#{token}",
    "a full-width mark": lambda page, query, token: f"{page}{query}%EF%BC%83{token}",
}


@pytest.fixture(scope="module", params=["crm", "portal"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = furnished(request.param, tmp_path_factory.mktemp(request.param))
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
    turns = count()
    for endpoint in site.endpoints():
        browser = site.browser(site.entries[endpoint])
        for call in site.calls(endpoint, "GET"):
            asked: list[tuple[str, Mapping[str, str]]] = [(f"{call.path}?{query}", {}) for query in _QUERIES]
            asked += [(call.path, _ODD_HEADERS), *((path, {}) for path in site.odd_paths(call))]
            for path, headers in a_third(asked, next(turns)):
                _no_fault(browser.get(path, headers=headers), (call, path, headers))


def _one_time_links(site: Site) -> list[tuple[str, str]]:
    """The pages that links with a token lead to, with the query that stands before the token."""
    pages = {call.path.removesuffix("/open"): "" for name in site.endpoints() for call in site.calls(name, "POST")
             if call.path.endswith("/open")}  # fmt: skip
    asked = dict.fromkeys(("/password", "/registration"), "?agency=agency_1")
    own = asked if pages else {"/invitation": "", "/cvv": ""}
    return [*pages.items(), *own.items()]


def test_a_link_of_any_kind_leads_to_its_page_with_its_token_whatever_was_made_of_it(site: Site) -> None:
    for page, query in _one_time_links(site):
        browser = site.browser(site.entries["links.new"]) if page == "/cvv" else site.app.test_client()
        answer = browser.get(f"{page}{query}")
        assert answer.status_code == 200, page
        for how, mangled in _MANGLED.items():
            # A browser keeps what stands behind "#" to itself, and keeps it over redirects that have no other.
            address, _, fragment = mangled(page, query, _TOKEN).partition("#")
            for _ in range(3):
                if address.partition("?")[0] == page and link_token(fragment) == _TOKEN:
                    break
                answer = browser.get(address)
                assert answer.status_code in (303, 308), (how, page, address)
                address, _, told = answer.headers["Location"].removeprefix("http://localhost").partition("#")
                fragment = told or fragment
            assert address.partition("?")[0] == page, (how, address)
            assert link_token(fragment) == _TOKEN, (how, address, fragment)
            assert query.removeprefix("?") in address or how == "Proofpoint v3", (how, address)


def test_no_body_of_any_kind_breaks_an_endpoint(site: Site) -> None:
    turns = count()
    for endpoint in site.endpoints():
        browser = site.browser(site.entries[endpoint])
        for call in site.calls(endpoint, "POST"):
            for body, kind in a_third([*_BODIES, *_bodies_of(site.form(call))], next(turns)):
                _no_fault(browser.post(call.path, data=body, content_type=kind), (call, kind, body[:20]))
    site.restore()


def _bodies_of(fields: Mapping[str, str]) -> list[tuple[bytes, str]]:
    """Its fields, but as numbers, as files, and each three times."""
    as_numbers = json.dumps({key: [1, {"a": 10**40}] for key in fields}).encode()
    twice = urlencode([(name, value) for name in fields for value in ("a", "b", "c")]).encode()
    return [
        (as_numbers, "application/json"),
        _as_files(dict.fromkeys(fields, (b"\x00", "x\x00.png"))),
        (twice, "application/x-www-form-urlencoded"),
    ]


def _as_files(files: Mapping[str, tuple[bytes, str]]) -> tuple[bytes, str]:
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n'
        % (name.encode(), file_name.encode(), content)
        for name, (content, file_name) in files.items()
    ]
    return b"".join(parts) + b"--edge--\r\n", "multipart/form-data; boundary=edge"


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
