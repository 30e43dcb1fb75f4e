"""Who has payments pending, watched by one thread per process for all its streams (M3)."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

_log = structlog.get_logger(__name__)

Counts = Mapping[str, int]


class TooManyStreams(Exception):
    """Every place for a stream is taken; the page asks now and then instead."""


class PendingWatcher:
    """Reads the pending counts of all agents while anybody listens, and wakes those whose count changed.

    `read` is asked every `interval` seconds by one thread, however many listen; with no listeners the thread ends.
    """

    def __init__(self, read: Callable[[], Counts], *, interval: float = 0.25, max_streams: int = 4) -> None:
        self._read = read
        self._interval = interval
        self._max_streams = max_streams
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._counts: Counts = {}
        self._known = False
        self._listeners = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def listening(self) -> Iterator["PendingWatcher"]:
        """A place among the listeners. Raises TooManyStreams."""
        if self._pid != os.getpid():
            self._reset()  # threads don't survive a fork
        with self._changed:
            if self._listeners >= self._max_streams:
                raise TooManyStreams
            self._listeners += 1
            if self._thread is None:
                self._known = False
                self._thread = threading.Thread(target=self._watch, name="pending-watcher", daemon=True)
                self._thread.start()
        try:
            yield self
        finally:
            with self._changed:
                self._listeners -= 1
                self._changed.notify_all()

    def wait(self, agent_id: str, seen: int | None, *, timeout: float) -> int | None:
        """The agent's count as soon as it differs from `seen`; None when it did not within `timeout` seconds."""

        def differs() -> bool:
            return self._known and self._counts.get(agent_id, 0) != seen

        with self._changed:
            if self._changed.wait_for(differs, timeout):
                return self._counts.get(agent_id, 0)
            return None

    def _watch(self) -> None:
        while True:
            counts = self._read_safely()
            with self._changed:
                if counts is not None and (counts != self._counts or not self._known):
                    self._counts, self._known = counts, True
                    self._changed.notify_all()
                self._changed.wait_for(lambda: self._listeners == 0, self._interval)
                if self._listeners == 0:
                    self._thread = None
                    return

    def _read_safely(self) -> Counts | None:
        try:
            return self._read()
        except SQLAlchemyError:
            _log.warning("alerts.read_failed")  # asked again in a moment; the streams stay
            return None
