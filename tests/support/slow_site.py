"""A small site served as every service serves its own: `python -m tests.support.slow_site PORT THREADS`."""

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request, url_for

from chassis.web.proxies import install_proxies
from chassis.web.server import is_ending, serve

STREAMS = 220


@dataclass(frozen=True)
class OneProxy:
    """As behind one proxy of our own."""

    trusted_proxies: int = 1
    proxy_header: str = "x-forwarded-for"


def make_site() -> Flask:
    site = Flask(__name__)

    @site.get("/page")
    def page() -> str:
        return "here"

    @site.get("/caller")
    def caller() -> str:
        return f"{request.remote_addr} {request.scheme} {request.host} {url_for('page')}"

    @site.post("/echo")
    def echo() -> bytes:
        return request.get_data()

    @site.get("/large")
    def large() -> bytes:
        return b"x" * 8_000_000

    @site.get("/stream")
    def stream() -> Response:
        def events() -> Iterator[str]:
            yield "data: begun\n\n"
            never = threading.Event()
            while not is_ending():
                never.wait(0.5)
                yield ": still here\n\n"

        return Response(events(), mimetype="text/event-stream")

    install_proxies(site, OneProxy(), https=False)
    return site


@contextmanager
def running(log: Path, threads: int) -> Iterator[int]:
    """The site in a process of its own, for the length of a block: its port."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tests.support.slow_site", str(port), str(threads)]
        site = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _until_it_listens(port, site)
        yield port
    finally:
        site.terminate()
        site.wait(30)


def _until_it_listens(port: int, site: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and site.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
                connection.request("GET", "/page")
                assert connection.getresponse().read() == b"here"
            return
        time.sleep(0.05)  # nothing tells when another process listens
    raise AssertionError("the site did not start")


if __name__ == "__main__":
    serve(make_site, f"127.0.0.1:{sys.argv[1]}", threads=int(sys.argv[2]), streams=STREAMS)
