"""When a request is whole, whatever pieces it comes in, and what is not read at all."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.arriving import MOST_BODY, MOST_HEAD, Arriving, Unacceptable


def post(body: bytes, *more: bytes) -> bytes:
    fields = [b"POST /x HTTP/1.1", b"Host: crm.example", b"cOnTent-length: %d" % len(body), *more]
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=20), after=st.binary(max_size=20))
def test_it_is_whole_with_its_last_byte_and_not_before(body: bytes, cuts: list[int], after: bytes) -> None:
    request = post(body)
    arriving = Arriving()
    edges = sorted({0, *(cut for cut in cuts if cut < len(request)), len(request)})
    for start, end in pairwise(edges):
        assert not arriving.whole
        arriving.add(request[start:end])
    assert arriving.whole
    arriving.add(after)
    assert arriving.take() == request + after
    assert not arriving.whole


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nCookie: " + b"c" * MOST_HEAD, 431),
        (b"GET / HTTP/1.1\r\nCookie: " + b"c" * MOST_HEAD + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 1), 413),
        (b"POST / HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"9" * 4000), 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    ],
)
def test_what_is_too_large_or_unclear_is_refused_before_its_body_is_read(request_bytes: bytes, status: int) -> None:
    with pytest.raises(Unacceptable) as refused:
        Arriving().add(request_bytes)
    assert refused.value.status == status


def test_a_client_that_waits_for_its_welcome_is_told_once() -> None:
    arriving = Arriving()
    arriving.add(post(b"12345", b"Expect: 100-continue")[:-5])
    assert arriving.asks_to_continue()
    assert not arriving.asks_to_continue()
