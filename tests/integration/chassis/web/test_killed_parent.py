"""A site whose first process was killed, with pages still open: whoever is started in its place may listen at once."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]

LONGEST_SECONDS = 10.0
A_STREAM = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
A_PAGE = b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n"


def _site(port: int, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.slow_site", str(port), "4"], stdout=output, stderr=output
        )


def _until_it_answers(port: int, log: Path, site: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with suppress(OSError, http.client.HTTPException), closing(_connection(port)) as connection:
            connection.request("GET", "/page")
            assert connection.getresponse().read() == b"here"
            return site
        time.sleep(0.05)  # nothing tells when another process listens
    raise AssertionError(log.read_text("utf-8")[-2000:])


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=1)


def test_open_pages_do_not_keep_a_successor_from_listening(tmp_path: Path) -> None:
    log = tmp_path / "site.log"
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    first = _until_it_answers(port, log, _site(port, log))
    with ExitStack() as held:
        for sent in (A_STREAM, A_STREAM, A_PAGE):
            page = held.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=10)))
            page.sendall(sent)
            assert page.recv(12) == b"HTTP/1.1 200"
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
        began = time.monotonic()
        _until_it_can_be_listened_on(port)
        waited = time.monotonic() - began
    assert waited < LONGEST_SECONDS


def _until_it_can_be_listened_on(port: int) -> None:
    """As whoever starts anew does it (gunicorn.sock)."""
    while True:
        with closing(socket.socket()) as own, suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            own.bind(("127.0.0.1", port))
            own.listen()
            return
        time.sleep(0.05)  # nothing tells when another process lets go of a port
