"""A small site served as every service serves its own: `python -m tests.support.slow_site PORT THREADS`."""

import sys
import threading
from collections.abc import Iterator

from flask import Flask, Response, request

from chassis.web.server import is_ending, serve

STREAMS = 220


def make_site() -> Flask:
    site = Flask(__name__)

    @site.get("/page")
    def page() -> str:
        return "here"

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

    return site


if __name__ == "__main__":
    serve(make_site, f"127.0.0.1:{sys.argv[1]}", threads=int(sys.argv[2]), streams=STREAMS)
