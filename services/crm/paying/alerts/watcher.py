"""What agents' open pages watch, read by one thread per process for all its streams (M3)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.crm.paying.alerts.service import DeskSign

_log = structlog.get_logger(__name__)

Signs = Mapping[str, DeskSign]
_NONE = DeskSign()


class TooManyStreams(Exception):
    """Every place for a stream is taken, and nobody holds more of them than this agent; the page polls instead."""


class Listening:
    """A place among the listeners, of one agent's stream."""

    def __init__(self, watcher: "DeskWatcher", agent_id: str) -> None:
        self._watcher = watcher
        self.agent_id = agent_id
        self.displaced = False

    def wait(self, seen: DeskSign | None, *, timeout: float) -> DeskSign | None:
        """The agent's sign as soon as it differs from `seen`; None when it did not within `timeout` seconds, or when
        the place went to somebody else (`displaced`)."""
        return self._watcher.wait(self, seen, timeout)


class DeskWatcher:
    """Reads the signs of all agents while anybody listens, and wakes those whose sign changed.

    `read` is asked every `interval` seconds by one thread, however many listen; with no listeners the thread ends.
    With all places taken a new stream gets the oldest of whoever has most, so that nobody's many windows push others
    to asking.
    """

    def __init__(self, read: Callable[[], Signs], *, interval: float = 0.25, max_streams: int = 4) -> None:
        self._read = read
        self._interval = interval
        self._max_streams = max_streams
        self._changed = threading.Condition()
        self._signs: Signs = {}
        self._known = False
        self._listeners: dict[Listening, None] = {}  # oldest first
        self._thread: threading.Thread | None = None

    @contextmanager
    def listening(self, agent_id: str) -> Iterator[Listening]:
        """A place among the listeners. Raises TooManyStreams."""
        place = Listening(self, agent_id)
        with self._changed:
            if len(self._listeners) >= self._max_streams:
                self._make_room(agent_id)
            self._listeners[place] = None
            if self._thread is None:
                self._known = False
                self._thread = threading.Thread(target=self._watch, name="desk-watcher", daemon=True)
                self._thread.start()
        try:
            yield place
        finally:
            with self._changed:
                self._listeners.pop(place, None)
                self._changed.notify_all()

    def _make_room(self, for_agent: str) -> None:
        held = Counter(listener.agent_id for listener in self._listeners)
        greediest, most = held.most_common(1)[0] if held else ("", 0)
        if most <= held[for_agent] + 1:
            raise TooManyStreams
        oldest = next(listener for listener in self._listeners if listener.agent_id == greediest)
        oldest.displaced = True
        del self._listeners[oldest]
        self._changed.notify_all()

    def wait(self, place: Listening, seen: DeskSign | None, timeout: float) -> DeskSign | None:
        """See Listening.wait."""

        def differs() -> bool:
            return place.displaced or (self._known and self._signs.get(place.agent_id, _NONE) != seen)

        with self._changed:
            if self._changed.wait_for(differs, timeout) and not place.displaced:
                return self._signs.get(place.agent_id, _NONE)
            return None

    def _watch(self) -> None:
        while True:
            signs = self._read_safely()
            with self._changed:
                if signs is not None and (signs != self._signs or not self._known):
                    self._signs, self._known = signs, True
                    self._changed.notify_all()
                self._changed.wait_for(lambda: not self._listeners, self._interval)
                if not self._listeners:
                    self._thread = None
                    return

    def _read_safely(self) -> Signs | None:
        try:
            return self._read()
        except SQLAlchemyError:
            _log.warning("alerts.read_failed")  # asked again in a moment; the streams stay
            return None
