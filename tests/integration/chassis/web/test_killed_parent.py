"""A site whose first process was killed, with pages still open: whoever is started in its place serves at once."""

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
    """As a supervisor does it: what ends is started again."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if site.poll() is not None:
            site = _site(port, log)
        with suppress(OSError, http.client.HTTPException), closing(_connection(port)) as connection:
            connection.request("GET", "/page")
            assert connection.getresponse().read() == b"here"
            return site
        time.sleep(0.05)  # nothing tells when another process listens
    raise AssertionError(log.read_text("utf-8")[-2000:])


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=1)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def test_open_pages_do_not_keep_a_successor_from_listening(tmp_path: Path) -> None:
    log = tmp_path / "site.log"
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    first = _until_it_answers(port, log, _site(port, log))
    worker = _children(first.pid)[0]
    with ExitStack() as held:
        for sent in (A_STREAM, A_STREAM, A_PAGE):
            page = held.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=10)))
            page.sendall(sent)
            assert page.recv(12) == b"HTTP/1.1 200"
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
        began = time.monotonic()
        second = _until_successor(port, log, worker)
        waited = time.monotonic() - began
    second.terminate()
    second.wait(30)
    assert waited < LONGEST_SECONDS


def _until_successor(port: int, log: Path, worker: int) -> "subprocess.Popen[bytes]":
    """The second site, once it has a worker of its own that answers."""
    second = _site(port, log)
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if second.poll() is not None:
            second = _site(port, log)
        if _children(second.pid) and worker not in _children(second.pid):
            return _until_it_answers(port, log, second)
        time.sleep(0.05)  # nothing tells when another process has a child
    raise AssertionError(log.read_text("utf-8")[-2000:])
