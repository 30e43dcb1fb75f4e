"""gunicorn's threads behind a waiting room: a slow client holds a socket and some memory, never a thread.

One loop takes requests in as their bytes arrive (chassis.web.arriving) and gives a request to the pool when it is
whole; answers leave by the same loop at the client's speed (chassis.web.outbox). Streams get threads beyond the pool's.
Why not gevent or a process of our own in front: docs/decisions/0009-slow-clients.md.
"""

import contextlib
import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

from chassis.web.arriving import Arriving, Unacceptable
from chassis.web.outbox import Outbox

STREAM_TYPE: Final = "text/event-stream"

# From the first byte of a request to its last header, and to the last byte of its body.
_HEAD_SECONDS: Final = 20.0
_REQUEST_SECONDS: Final = 120.0
# How long an answer may take to leave; how long a client may take to see that the connection closes.
_LEAVING_SECONDS: Final = 120.0
_GOODBYE_SECONDS: Final = 2.0
_TIDY_EVERY_SECONDS: Final = 0.5
_READ_AT_ONCE: Final = 256 * 1024
# All requests that are not whole yet may take so much memory together; only large ones make it worth counting.
_MOST_ARRIVING: Final = 192 * 1024 * 1024
_LARGE: Final = 1024 * 1024
_OPEN_FILES: Final = 8192

_Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]  # Any: WSGI's environment and start_response


class _Client(TConn):  # type: ignore[misc]  # gunicorn has no types
    """One connection. `until` is when its patience ends; 0 while a thread has it."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, Outbox(sock), client, server)
        sock.settimeout(0)
        self.data_ready = True
        self.arriving = Arriving()
        self.began = 0.0
        self.answer = memoryview(b"")
        self.keeps_alive = False
        self.until = 0.0

    @property
    def real(self) -> socket.socket:
        found: socket.socket = self.sock.real
        return found


class BufferingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """See the module. `streams` is how many threads there are beyond the pool's `threads`."""

    streams = 0
    sockets: list[Any]  # gunicorn's own listening sockets

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[_Client, None] = {}  # in the order in which they began to wait
        self._tidied = 0.0
        self._places = threading.BoundedSemaphore(self.cfg.threads)

    def init_process(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < _OPEN_FILES:
            most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=self.cfg.threads + self.streams, thread_name_prefix="web")

    def is_parent_alive(self) -> bool:
        """gunicorn asks once a second. When the parent was killed, this worker only finishes what it has begun.

        gunicorn itself would keep the listening socket to the end of that: nobody would accept, and whoever starts
        anew could not listen, for as long as streams and slow readers stay.
        """
        if super().is_parent_alive():
            return True
        self.set_accept_enabled(False)
        while self.sockets:
            self.sockets.pop().close()
        self.alive = False
        return False

    def load_wsgi(self) -> None:
        self.wsgi: _Wsgi = self._in_a_place(self.app.wsgi())

    def _in_a_place(self, app: _Wsgi) -> _Wsgi:
        """At most `threads` requests are worked on at a time; a stream that has begun is none of them."""

        def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            content_type = ""

            def note(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                nonlocal content_type
                content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
                return start_response(status, headers, *more)

            self._places.acquire()
            try:
                answer = app(environ, note)
            except BaseException:
                self._places.release()
                raise
            if not content_type.startswith(STREAM_TYPE):
                return _InAPlace(answer, self._places.release)
            self._places.release()
            environ["gunicorn.socket"].let_through()
            return answer

        return run

    # ---- arriving

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(self.cfg, sock, address, listener.getsockname())
        self._await_request(client)
        if self.nr_conns >= self.worker_connections:
            self._send_the_oldest_away()

    def _await_request(self, client: _Client) -> None:
        if len(client.arriving):
            client.began = time.monotonic()
            self._go_on(client)
            return
        patience = self.cfg.keepalive if self.alive else _GOODBYE_SECONDS
        self._wait(client, selectors.EVENT_READ, self._read, patience)

    def _wait(self, client: _Client, event: int, then: Callable[["_Client"], None], patience: float) -> None:
        client.until = time.monotonic() + patience
        self._waiting[client] = None
        self.poller.register(client.real, event, lambda _socket: then(client))

    def _stop_waiting(self, client: _Client) -> None:
        if client in self._waiting:
            del self._waiting[client]
            self.poller.unregister(client.real)

    def _read(self, client: _Client) -> None:
        if not len(client.arriving):
            client.began = time.monotonic()
        try:
            data = client.real.recv(_READ_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        try:
            client.arriving.add(data)
        except Unacceptable as refusal:
            self._refuse(client, refusal)
            return
        self._go_on(client)

    def _go_on(self, client: _Client) -> None:
        """What follows from what has arrived: to the pool, or wait on."""
        arriving = client.arriving
        if arriving.whole:
            self._stop_waiting(client)
            self.enqueue_req(client)
            return
        patience = _REQUEST_SECONDS if arriving.has_its_head else _HEAD_SECONDS
        if client not in self._waiting:
            self._wait(client, selectors.EVENT_READ, self._read, patience)
        client.until = client.began + patience
        if arriving.asks_to_continue():
            with contextlib.suppress(OSError):
                client.real.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(arriving) > _LARGE and sum(len(other.arriving) for other in self._waiting) > _MOST_ARRIVING:
            self._drop(max(self._waiting, key=lambda other: len(other.arriving)))

    # ---- in the pool

    def handle(self, conn: _Client) -> Any:
        conn.init()
        conn.parser.unreader.unread(conn.arriving.take())
        return super().handle(conn)

    def finish_request(self, conn: _Client, fs: "Future[Any]") -> None:
        """In the loop again: the answer leaves."""
        conn.keeps_alive = not fs.cancelled() and fs.exception() is None and bool(fs.result()) and self.alive
        try:
            conn.real.settimeout(0)
            conn.answer = memoryview(conn.sock.take())
        except OSError:
            self._drop(conn)
            return
        self._leave(conn)

    # ---- leaving

    def _leave(self, client: _Client) -> None:
        try:
            while client.answer:
                client.answer = client.answer[client.real.send(client.answer) :]
        except (BlockingIOError, InterruptedError):
            if client not in self._waiting:
                self._wait(client, selectors.EVENT_WRITE, self._leave, _LEAVING_SECONDS)
            return
        except OSError:
            self._drop(client)
            return
        self._stop_waiting(client)
        if not client.keeps_alive:
            self._say_goodbye(client)
            return
        try:
            client.arriving.add(client.parser.unreader.take_buffered())
        except Unacceptable as refusal:
            self._refuse(client, refusal)
            return
        self._await_request(client)

    def _refuse(self, client: _Client, refusal: Unacceptable) -> None:
        self._stop_waiting(client)
        client.arriving.take()
        client.keeps_alive = False
        client.answer = memoryview(_plain_answer(refusal.status, str(refusal)))
        self._leave(client)

    def _say_goodbye(self, client: _Client) -> None:
        """Closes our side and lets the client take its time to read (RFC 9112 9.6)."""
        try:
            client.real.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(client)
            return
        self._wait(client, selectors.EVENT_READ, self._hear_out, _GOODBYE_SECONDS)

    def _hear_out(self, client: _Client) -> None:
        try:
            if client.real.recv(_READ_AT_ONCE):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._drop(client)

    def _drop(self, client: _Client) -> None:
        self._stop_waiting(client)
        client.real.close()
        self.nr_conns -= 1

    def _send_the_oldest_away(self) -> None:
        """With every place for a connection taken, who has waited longest without a whole request goes."""
        if self._waiting:
            self._drop(next(iter(self._waiting)))

    # ---- the loop's housekeeping, in gunicorn's words

    def murder_keepalived(self, force: bool = False) -> None:
        now = time.monotonic()
        if now - self._tidied < _TIDY_EVERY_SECONDS and not force:
            return
        self._tidied = now
        for client in [waiting for waiting in self._waiting if force or waiting.until <= now]:
            if len(client.arriving) and not force:
                self._refuse(client, Unacceptable(408, "The request took too long to arrive. Please try again."))
            else:
                self._drop(client)

    def murder_pending(self) -> None:
        """There are none: see murder_keepalived."""

    def _cap_keepalive(self, deadline: float) -> None:
        for client in self._waiting:
            client.until = min(client.until, deadline)


class _InAPlace:
    """An answer that is no stream keeps its place until it is made: a generator works while it is read."""

    def __init__(self, answer: Iterable[bytes], release: Callable[[], None]) -> None:
        self._answer = answer
        self._release = release

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            self._release()


def _plain_answer(status: int, message: str) -> bytes:
    body = f"{message}\n".encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def with_streams(streams: int) -> type[BufferingWorker]:
    """The worker with so many threads for streams."""
    return type("BufferingWorker", (BufferingWorker,), {"streams": streams})
