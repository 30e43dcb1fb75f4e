"""What an attacker tries at every endpoint of either site, driven by the URL maps and the forms that pages hold."""

import time
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.access.entry import Call
from tests.integration.access.portal_entries import FRAMED
from tests.integration.access.site import Site, furnished
from tests.support.thorough import a_third

T = TypeVar("T")

HERE: Final = "http://localhost/"
# Where a page might be made to send a person who trusts its address.
ELSEWHERE: Final = (
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "/\t/evil.example",
    "/%09/evil.example",
    "/%5Cevil.example",
    "http://localhost@evil.example/",
    "javascript:alert(1)",
    "/x\r\nLocation: //evil.example",
)
_RETURNS: Final = ("next", "back", "return_to", "return_url", "url", "redirect", "to")
# Texts that patterns with a doubled repetition take minutes for.
LONG: Final = (
    "4" * 80_000,
    "4 " * 40_000,
    "1," * 40_000,
    "a@" * 40_000,
    "e\u0301" * 40_000,
    "(" * 80_000,
    " " * 80_000,
)
# On a machine that is busy with other things; a quadratic pattern takes 20 s for such a text on a quiet one.
_SECONDS_EACH: Final = 8.0
_PART: Final = b'Content-Disposition: form-data; name="'
MULTIPART: Final = {
    "no boundary": ("multipart/form-data", b"--edge\r\n\r\n"),
    "a boundary of nothing": ("multipart/form-data; boundary=", b"----\r\n"),
    "no end": ("multipart/form-data; boundary=edge", b"--edge\r\n" + _PART + b'a"\r\n\r\nb'),
    "no name": ("multipart/form-data; boundary=edge", b"--edge\r\nContent-Disposition: form-data\r\n\r\nb\r\n--edge--"),
    "a part within a part": (
        "multipart/form-data; boundary=edge",
        b"--edge\r\n" + _PART + b'a"\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n'
        b'--in\r\nContent-Disposition: file; filename="x"\r\n\r\nz\r\n--in--\r\n--edge--',
    ),
    "ten thousand parts": (
        "multipart/form-data; boundary=edge",
        b"".join(b"--edge\r\n" + _PART + b'a%d"\r\n\r\nb\r\n' % number for number in range(10_000)) + b"--edge--",
    ),
    "a name without end": (
        "multipart/form-data; boundary=edge",
        b"--edge\r\n" + _PART + b"a" * 100_000 + b'"\r\n\r\nb\r\n--edge--',
    ),
    "headers without end": (
        "multipart/form-data; boundary=edge",
        b"--edge\r\n" + _PART + b'a"\r\n' + b"X-A: b\r\n" * 20_000 + b"\r\nb\r\n--edge--",
    ),
    "a hundred thousand fields": (
        "application/x-www-form-urlencoded",
        b"&".join(b"a%d=1" % number for number in range(100_000)),
    ),
    "an entity": (
        "application/xml",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    ),
}


@pytest.fixture(scope="module", params=["crm", "portal"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = furnished(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.close()


def _stays_here(answer: TestResponse) -> bool:
    where = answer.headers.get("Location", "")
    return urlsplit(urljoin(HERE, where.replace("\\", "/"))).hostname != "evil.example" and "javascript:" not in where


def _turn(things: Sequence[T], number: int) -> T:
    """The next of them with each call: trying all of them everywhere would take minutes and find no more."""
    return things[number % len(things)]


def test_no_page_sends_anybody_to_another_site(site: Site) -> None:
    for number, call in enumerate(_calls(site, "GET")):
        target = _turn(ELSEWHERE, number)
        answer = _browser(site, call).get(call.path, query_string=dict.fromkeys(_RETURNS, target))
        answer.close()
        assert answer.status_code < 500, (call, target)
        assert _stays_here(answer), (call, target, answer.headers["Location"])


def test_no_form_sends_anybody_to_another_site(site: Site) -> None:
    for number, call in enumerate(_calls(site, "POST")):
        target = _turn(ELSEWHERE, number)
        fields = {**site.form(call), **dict.fromkeys(_RETURNS, target)}
        answer = _browser(site, call).post(call.path, data=fields)
        answer.close()
        assert _stays_here(answer), (call, target, answer.headers["Location"])
    site.restore()


def test_every_page_stays_in_its_own_tab_and_in_no_cache(site: Site) -> None:
    """But logos, whose addresses hold the hash of what they show, and what other calendars subscribe to: they keep it
    themselves, and ask for it anew each time."""
    for call in _calls(site, "GET"):
        answer = _browser(site, call).get(call.path, headers={"Origin": "https://evil.example"})
        answer.close()
        headers = answer.headers
        kept = "private, no-cache" if call.endpoint.endswith(".feed") else "no-store"
        assert call.endpoint.endswith((".logo", ".theme")) or headers["Cache-Control"] == kept, call
        assert headers["X-Content-Type-Options"] == "nosniff", call
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", call
        assert not [name for name, _ in headers if name.startswith("Access-Control-")], call
        policy = headers["Content-Security-Policy"]
        framed = call.endpoint in FRAMED
        assert framed or headers["X-Frame-Options"] == "DENY", call
        assert framed or call.endpoint.endswith(".logo") or "frame-ancestors 'none'" in policy, (call, policy)
        assert not framed or ("script-src" not in policy and not headers.getlist("Set-Cookie")), (call, policy)
        for cookie in headers.getlist("Set-Cookie"):
            assert "HttpOnly" in cookie, (call, cookie)
            assert "SameSite=" in cookie, (call, cookie)


def test_no_method_stands_for_another_and_none_tells_what_it_was_sent(site: Site) -> None:
    for number, call in enumerate(_calls(site, "GET")):
        method = _turn(("TRACE", "PUT", "DELETE", "PATCH"), number)
        headers = {"X-HTTP-Method-Override": "GET", "X-Canary": "canary-4711"}
        answer = _browser(site, call).open(call.path, method=method, headers=headers)
        assert answer.status_code in (404, 405), (call, method, answer.status_code)
        assert b"canary-4711" not in answer.get_data(), (call, method)


def test_no_long_text_holds_a_form_up(site: Site) -> None:
    for number, call in enumerate(a_third(list(_calls(site, "POST")), 0)):
        text = _turn(LONG, number)
        began = time.monotonic()
        answer = _browser(site, call).post(call.path, data=dict.fromkeys(site.form(call) or ["anything"], text))
        answer.close()
        assert answer.status_code < 500, call
        assert time.monotonic() - began < _SECONDS_EACH, (call, text[:4])
    site.restore()


def test_no_odd_body_is_a_fault_or_holds_a_form_up(site: Site) -> None:
    for number, call in enumerate(a_third(list(_calls(site, "POST")), 1)):
        content_type, body = _turn(tuple(MULTIPART.values()), number)
        began = time.monotonic()
        answer = _browser(site, call).post(call.path, data=body, content_type=content_type)
        assert answer.status_code < 500, (call, content_type)
        assert b"root:" not in answer.get_data(), call
        assert time.monotonic() - began < _SECONDS_EACH, (call, body[:40])
    site.restore()


def _calls(site: Site, method: str) -> Iterator[Call]:
    for endpoint in site.endpoints():
        yield from site.calls(endpoint, method)


def _browser(site: Site, call: Call) -> FlaskClient:
    return site.browser(site.entries[call.endpoint])
