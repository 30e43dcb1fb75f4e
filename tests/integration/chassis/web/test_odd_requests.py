"""Requests as only attackers and broken programs send them, over real sockets: each gets one answer and no fault.

Whoever stands before the site reads a request by other rules, perhaps. What could be two requests to one of them and
one to the other (RFC 9112 11.2) is refused, or the connection ends with it.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import pytest

from tests.support.slow_site import running

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]

_PATIENCE: Final = 5.0
_HEAD: Final = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
# What a smuggler hides behind a request; the site must not answer it as one of the same connection's client.
_HIDDEN: Final = b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
# Refused before it is worked upon, by a 4xx (or 501 and 505, which say what the site does not speak) and nothing else.
REFUSED: Final = {
    "both lengths": _HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "both lengths, the other way": _HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + _HIDDEN,
    "chunked": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": _HEAD + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + _HIDDEN,
    "a space before the colon": _HEAD + b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n" + _HIDDEN,
    "a tab": _HEAD + b"Transfer-Encoding:\tchunked\r\nContent-Length: 0\r\n\r\n" + _HIDDEN,
    "two codings": _HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "a control character": _HEAD + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 0\r\n\r\n" + _HIDDEN,
    "two lengths": _HEAD + b"Content-Length: 0\r\nContent-Length: 54\r\n\r\n" + _HIDDEN,
    "a list of lengths": _HEAD + b"Content-Length: 0, 54\r\n\r\n" + _HIDDEN,
    "a length with a sign": _HEAD + b"Content-Length: +0\r\n\r\n" + _HIDDEN,
    "a negative length": _HEAD + b"Content-Length: -1\r\n\r\n" + _HIDDEN,
    "a length with an underscore": _HEAD + b"Content-Length: 1_0\r\n\r\n" + _HIDDEN,
    "a length in other digits": _HEAD + b"Content-Length: \xb2\r\n\r\n" + _HIDDEN,
    "a folded header": _HEAD + b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + _HIDDEN,
    "a header after a bare line feed": _HEAD + b"X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "a header after a bare return": _HEAD + b"X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "a header with a nought": b"GET /page HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
    "a header with a space in its name": b"GET /page HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n",
    "a nought in the address": b"GET /page\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a version that is none": b"GET /page HTTP/9.9\r\nHost: x\r\n\r\n",
    "the next version": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method that is none": b"G<b>ET /page HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address without end": b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "too many headers": b"GET /page HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
    "a cookie without end": b"GET /page HTTP/1.1\r\nHost: x\r\nCookie: a=" + b"b" * 40_000 + b"\r\n\r\n",
}
# No protocol but this one is spoken, whatever is offered.
KEPT: Final = {
    "a web socket": b"Upgrade: websocket\r\nSec-WebSocket-Key: dGVzdA==\r\nSec-WebSocket-Version: 13\r\n",
    "HTTP/2 in the clear": b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "another method in its place": b"X-HTTP-Method-Override: DELETE\r\n",
    "a broken cookie": b'Cookie: \xff\xfe=;;;="\\;a=\x80;==;\r\n',
    "nine hundred cookies": b"Cookie: " + b"; ".join(b"c%d=1" % number for number in range(900)) + b"\r\n",
}


# What other programs believe; ours believes the one header that its proxy writes.
CLAIMED: Final = {
    "an underscore in place of a hyphen": b"X_Forwarded_For: 198.51.100.9\r\n",
    "one more, as a client sends it first": b"X-Forwarded-For: 198.51.100.9, 203.0.113.7\r\n",
    "the other header": b"Forwarded: for=198.51.100.9;proto=https;host=evil.example\r\n",
    "https": b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-Protocol: ssl\r\n",
    "another host and port": b"X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 8443\r\nX-Host: evil.example\r\n",
    "another place": b"SCRIPT_NAME: /evil\r\nX-Forwarded-Prefix: /evil\r\nX-Script-Name: /evil\r\n",
    "other proxies' headers": b"X-Real-IP: 198.51.100.9\r\nCF-Connecting-IP: 198.51.100.9\r\n"
    b"True-Client-IP: 198.51.100.9\r\nClient-IP: 198.51.100.9\r\nX-Client-IP: 198.51.100.9\r\n",
    "a certificate": b"X-SSL-Client-Cert: x\r\nX-SSL-Client-S-DN: CN=vault\r\nX-Forwarded-Client-Cert: x\r\n",
    "a user": b"REMOTE_USER: ada\r\nREMOTE_ADDR: 198.51.100.9\r\nX-Remote-User: ada\r\n",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running(tmp_path_factory.mktemp("site") / "site.log", 4) as number:
        yield number


def answer(port: int, sent: bytes) -> bytes:
    """All that comes back until the site closes the connection, or falls silent."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as client, suppress(TimeoutError, OSError):
        client.sendall(sent)
        while found := client.recv(65536):
            said += found
    return said


def answers(port: int, sent: bytes) -> list[int]:
    """The statuses of what comes back."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", answer(port, sent))]


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED.keys())
def test_what_can_be_read_in_two_ways_or_in_none_is_refused_and_ends_the_connection(port: int, sent: bytes) -> None:
    (status,) = answers(port, sent)
    assert 400 <= status < 500 or status in (501, 505)


@pytest.mark.parametrize("headers", KEPT.values(), ids=KEPT.keys())
def test_the_page_answers_as_itself_whatever_else_is_asked_for(port: int, headers: bytes) -> None:
    request = b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + b"\r\n"
    assert answers(port, request) == [200]


@pytest.mark.parametrize("headers", CLAIMED.values(), ids=CLAIMED.keys())
def test_nobody_says_by_another_header_who_or_where_they_are(port: int, headers: bytes) -> None:
    seen = b"X-Forwarded-For: 203.0.113.7\r\n"
    for sent in (seen + headers, headers + seen):
        request = b"GET /caller HTTP/1.1\r\nHost: crm.example\r\nConnection: close\r\n" + sent + b"\r\n"
        assert answer(port, request).endswith(b"\r\n\r\n203.0.113.7 http crm.example /page")


def test_a_line_of_the_proxy_protocol_is_no_request(port: int) -> None:
    line = b"PROXY TCP4 198.51.100.9 10.0.0.1 1 80\r\n"
    (status,) = answers(port, line + b"GET /caller HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 400


def test_a_request_in_the_body_of_another_is_its_body(port: int) -> None:
    length = str(len(_HIDDEN)).encode()
    sent = _HEAD + b"Content-Length: " + length + b"\r\nConnection: close\r\n\r\n" + _HIDDEN
    assert answers(port, sent) == [200]


def test_two_requests_one_after_the_other_get_two_answers_in_their_order(port: int) -> None:
    assert answers(port, b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n" + _HIDDEN) == [404, 200]
