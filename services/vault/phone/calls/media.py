"""The media thread: sockets in, sockets out, a beat every 10 ms, and work that other threads post."""

import contextlib
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.ng import NgServer
from services.vault.phone.calls.ports import Address
from services.vault.phone.signal.g711 import RATE
from services.vault.phone.signal.line import BEAT

_log = structlog.get_logger("phone.media")

_BEAT: Final = BEAT / RATE
_TICK_BEATS: Final = 5
_SWEEP_BEATS: Final = 1000
_LARGEST: Final = 4096
# How much before others of the machine's programs the media thread runs, where it may.
_AHEAD: Final = -10
# Three of Kamailio's pings.
_SILENT_SECONDS: Final = 1.5
_MOST_SOURCES: Final = 16
_RECEIVE_BUFFER: Final = 256 * 1024


class Sockets:
    """Pairs of UDP ports out of a range, each on one address of this machine. The masker's network.

    `behind_nat`: nothing is sent to an address before something came from there to the same port. What a telephone
    sends would else find its way through the NAT taken by what was sent to it, and arrive at another port.
    """

    def __init__(
        self, address: str, first: int, last: int, selector: selectors.BaseSelector, *, behind_nat: bool = False
    ) -> None:
        self._address = address
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._free = deque(range(first + first % 2, last, 2))
        self._open: dict[int, socket.socket] = {}
        self._selector = selector
        self._behind_nat = behind_nat
        self._heard: dict[int, set[Address]] = {}

    def heard(self, port: int, source: Address) -> None:
        """Something came from there."""
        if not self._behind_nat:
            return
        known = self._heard.setdefault(port, set())
        if len(known) >= _MOST_SOURCES:
            # Strangers; who belongs to the call is heard again within 20 ms.
            known.clear()
        known.add(source)

    def open_pair(self) -> int:
        for _ in range(len(self._free)):
            port = self._free.popleft()
            made: list[socket.socket] = []
            try:
                made.append(self._bound(port))
                made.append(self._bound(port + 1))
            except OSError:
                # Another program has it; it may be free again later.
                self._free.append(port)
                for opened in made:
                    opened.close()
                continue
            for number, opened in zip((port, port + 1), made, strict=True):
                self._open[number] = opened
                self._selector.register(opened, selectors.EVENT_READ, number)
            return port
        raise OSError("no ports are free")

    def _bound(self, port: int) -> socket.socket:
        opened = socket.socket(self._family, socket.SOCK_DGRAM)
        opened.settimeout(0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        try:
            opened.bind((self._address, port))
        except OSError:
            opened.close()
            raise
        return opened

    def close_pair(self, port: int) -> None:
        for number in (port, port + 1):
            self._heard.pop(number, None)
            opened = self._open.pop(number, None)
            if opened is not None:
                self._selector.unregister(opened)
                opened.close()
        self._free.append(port)

    def send(self, port: int, data: bytes, address: Address) -> None:
        opened = self._open.get(port)
        if opened is not None and (not self._behind_nat or address in self._heard.get(port, ())):
            with contextlib.suppress(OSError):
                opened.sendto(data, address)


class Lateness:
    """How late the last of a beat's sound left, in seconds: the last few thousand beats."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=6000)

    def note(self, seconds: float) -> None:
        self._recent.append(seconds)

    def clear(self) -> None:
        """Begins anew."""
        self._recent.clear()

    def percentile(self, part: float) -> float:
        """0 without any."""
        ordered = sorted(self._recent)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


class Media:
    """Owns the masker. `run` is the thread; `post` is for all others.

    `address` is what calls are told; `bound`, where it isn't the same, is where their sound arrives (behind a NAT).
    """

    def __init__(self, *, ng_listen: str, address: str, first_port: int, last_port: int, bound: str = "") -> None:
        self._selector = selectors.DefaultSelector()
        behind_nat = bool(bound) and bound != address
        self.network = Sockets(bound or address, first_port, last_port, self._selector, behind_nat=behind_nat)
        self.lateness = Lateness()
        self.kamailio_at: float | None = None
        self._pinged_at: float | None = None
        self._address = address
        self._due, self._beats = 0.0, 0
        self._posted: deque[Callable[[Masker, float], None]] = deque()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        host, _, port = ng_listen.rpartition(":")
        self._ng_socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._ng_socket.settimeout(0)
        self._ng_socket.bind((host.strip("[]"), int(port)))
        self._selector.register(self._ng_socket, selectors.EVENT_READ, -1)

    def kamailio_answers(self) -> bool:
        """False when Kamailio has asked twice a second whether we are there, and does so no more."""
        pinged = self._pinged_at
        return pinged is None or time.monotonic() - pinged < _SILENT_SECONDS

    def post(self, work: Callable[[Masker, float], None]) -> None:
        """Does the work on the media thread, soon; never within what is under way there."""
        self._posted.append(work)
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    def run(self, masker: Masker, tick: Callable[[float], None], stop: threading.Event) -> None:
        """Until `stop` is set. `tick` is called every 50 ms with the time."""
        _go_ahead()
        ng = NgServer(masker, self._address)
        self._due = time.monotonic() + _BEAT
        while not stop.is_set():
            self._beat(masker, tick)
            self._work(masker)
            for key, _ in self._selector.select(max(0.0, self._due - time.monotonic())):
                self._read(masker, ng, key)
                # Of many calls' packets that come at once none may keep a beat waiting.
                self._beat(masker, tick)
        self._close()

    def _beat(self, masker: Masker, tick: Callable[[float], None]) -> None:
        """Plays what is due, if it is time."""
        now = time.monotonic()
        if now < self._due:
            return
        masker.beat(now)
        self.lateness.note(time.monotonic() - self._due)
        self._beats += 1
        # What was missed is not made up for: each beat plays all that is due.
        self._due = max(self._due + _BEAT, now)
        if self._beats % _TICK_BEATS == 0:
            tick(now)
        if self._beats % _SWEEP_BEATS == 0:
            masker.sweep(now)

    def _read(self, masker: Masker, ng: NgServer, key: selectors.SelectorKey) -> None:
        if key.data is None:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 512)
            return
        opened: socket.socket = key.fileobj  # type: ignore[assignment]  # what is registered with a number is a socket
        # One datagram each time: what else came is told of again, and no socket keeps the others waiting.
        try:
            data, source = opened.recvfrom(_LARGEST)
        except OSError:
            return
        now = time.monotonic()
        if key.data >= 0:
            self.network.heard(key.data, source[:2])
        if key.data < 0:
            self.kamailio_at = now
            reply = ng.datagram(data, now)
            self._pinged_at = ng.pinged_at
            if reply:
                with contextlib.suppress(OSError):
                    opened.sendto(reply, source)
        elif key.data % 2:
            masker.control(key.data, data, now)
        else:
            masker.packet(key.data, data, source[:2], now)

    def _work(self, masker: Masker) -> None:
        while self._posted:
            work = self._posted.popleft()
            try:
                work(masker, time.monotonic())
            except Exception:
                _log.exception("media.work_failed")

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)


def _go_ahead() -> None:
    """Sound can't wait. Where the operator's settings don't allow it, the thread runs as any other."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _AHEAD)
    with contextlib.suppress(OSError):
        # Above nice values; 0 in sched_setscheduler(2) is the thread that asks.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
