"""How a relay learns at once that there is something in the outbox.

Same process: a commit hook sets an event. Another process: LISTEN/NOTIFY on PostgreSQL; on SQLite
`PRAGMA data_version`, which costs microseconds and changes when another connection commits.
"""

import sqlite3
import threading
import time
import weakref
from typing import Protocol

import psycopg
import structlog
from sqlalchemy import URL

from chassis.db import Database

log = structlog.get_logger(__name__)

CHANNEL = "wayvault_outbox"
_POLL_SECONDS = 0.05
_LISTEN_SECONDS = 0.1
_RELISTEN_SECONDS = 2.0

_sleepers: "weakref.WeakSet[_Bell]" = weakref.WeakSet()
_lock = threading.Lock()


class _Bell:
    """Rings at the commits of this process to one database."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.rung = threading.Event()
        with _lock:
            _sleepers.add(self)


def wake(url: URL) -> None:
    """Tells the relays of this database that run in this process."""
    with _lock:
        bells = list(_sleepers)
    for bell in bells:
        if bell.url == url:
            bell.rung.set()


class Waker(Protocol):
    """Waits for news in an outbox."""

    def wait(self, seconds: float) -> bool:
        """Returns True as soon as something may have been committed, False after `seconds` without news."""
        ...

    def close(self) -> None: ...


def waker_for(database: Database) -> Waker:
    """The waker that suits the database."""
    return PostgresWaker(database) if database.dialect == "postgresql" else SqliteWaker(database)


class SqliteWaker:
    """Commits of this process ring at once; those of other processes are noticed within 50 ms."""

    def __init__(self, database: Database) -> None:
        self._bell = _Bell(database.url)
        self._path = str(database.url.database)
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def wait(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not (changed := self._changed()) and time.monotonic() < until:
            if self._bell.rung.wait(min(_POLL_SECONDS, max(0.0, until - time.monotonic()))):
                changed = True
                break
        self._bell.rung.clear()
        return changed

    def _changed(self) -> bool:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        changed = version != self._version
        self._version = version
        return bool(changed)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresWaker:
    """LISTENs on a connection of its own; while that is down it just waits a tenth of a second."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self._connection: psycopg.Connection | None = None
        self._not_before = 0.0

    def wait(self, seconds: float) -> bool:
        connection = self._listening()
        if connection is None:
            time.sleep(min(seconds, _LISTEN_SECONDS))
            return True
        try:
            return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error:
            self.close()
            return True

    def _listening(self) -> psycopg.Connection | None:
        if self._connection is None and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + _RELISTEN_SECONDS
            plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
            try:
                self._connection = psycopg.connect(plain, autocommit=True, connect_timeout=3)
                self._connection.execute(f"LISTEN {CHANNEL}")
            except psycopg.Error as error:
                self.close()
                log.warning("relay.listen_failed", error=type(error).__name__)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
