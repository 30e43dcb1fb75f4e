"""Clients that send, read or do nothing at all hold up nobody else: real sockets, the server of every service."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.support.slow_site import running

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]

THREADS = 4
LONGEST_SECONDS = 2.0
HALF_A_HEAD = b"GET /page HTTP/1.1\r\nHost: x\r\nCookie: "
HALF_A_BODY = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf"
A_LARGE_ANSWER = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
A_STREAM = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running(tmp_path_factory.mktemp("site") / "site.log", THREADS) as number:
        yield number


def get(port: int, path: str = "/page") -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def open_with(held: ExitStack, port: int, count: int, sent: bytes) -> list[socket.socket]:
    clients = [
        held.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=10))) for _ in range(count)
    ]
    for client in clients:
        client.sendall(sent)
    return clients


def test_every_page_answers_beside_half_sent_requests_idle_connections_slow_readers_and_200_streams(port: int) -> None:
    with ExitStack() as held:
        streams = open_with(held, port, 200, A_STREAM)
        for stream in streams:
            assert b"begun" in _read_until(stream, b"begun")
        open_with(held, port, 50, HALF_A_HEAD)
        open_with(held, port, 50, HALF_A_BODY)
        open_with(held, port, 50, b"")
        open_with(held, port, 20, A_LARGE_ANSWER)
        for _ in range(20):
            began = time.monotonic()
            assert get(port) == (200, b"here")
            assert time.monotonic() - began < LONGEST_SECONDS
        assert b"still here" in _read_until(streams[0], b"still here")


def test_a_request_in_pieces_is_answered_and_the_connection_kept(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as client:
        for _ in range(2):
            for piece in (b"POST /echo HT", b"TP/1.1\r\nHost: x\r\nContent-Len", b"gth: 9\r\n\r\nslow ", b"but"):
                client.sendall(piece)
            client.sendall(b"!")
            assert _read_until(client, b"slow but!").startswith(b"HTTP/1.1 200")


def test_two_requests_sent_at_once_are_both_answered(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as client:
        one = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
        client.sendall(one + b"one" + one + b"two")
        assert _read_until(client, b"two").count(b"HTTP/1.1 200") == 2


def test_what_is_too_large_is_refused_in_words_before_it_is_sent(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n")
        answer = _read_until(client, b"shorter text.")
        assert answer.startswith(b"HTTP/1.1 413")


def test_an_upload_that_waits_for_its_welcome_is_welcomed(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert _read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"file")
        assert _read_until(client, b"file").startswith(b"HTTP/1.1 200")


def test_a_large_answer_arrives_whole_however_slowly_it_is_read(port: int) -> None:
    status, body = get(port, "/large")
    assert (status, len(body)) == (200, 8_000_000)


def _read_until(client: socket.socket, end: bytes) -> bytes:
    """What arrives up to `end`, or all there was."""
    read = b""
    while end not in read and (more := client.recv(65536)):
        read += more
    return read
