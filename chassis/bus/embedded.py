"""The embedded bus: the same port over one SQLite file, for services that share one machine.

Durable (every commit reaches the disk), at least once, with dead letters. A queue has one reader at a time: the holder
of a lock on a file beside the database. The kernel drops that lock when the process dies, however it dies, and the
next reader takes over with everything that was not acknowledged. Other readers of the same queue stand by.
"""

import fcntl
import os
import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog
from google.protobuf.message import DecodeError

from chassis.bus.catalogue import routing_key
from chassis.bus.port import DELIVERY_LIMIT, BusUnavailable, DeadLetter, Unroutable, facts_of
from protos.wayvault.events.v1.envelope_pb2 import Envelope

log = structlog.get_logger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bindings (service TEXT NOT NULL, pattern TEXT NOT NULL, PRIMARY KEY (service, pattern));
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, body BLOB NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0, replayed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS messages_by_service ON messages (service, id);
CREATE TABLE IF NOT EXISTS dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL,
    reason TEXT NOT NULL, body BLOB NOT NULL);
"""
_BUSY_SECONDS = 10.0
_POLL_SECONDS = 0.05
_PREFETCH = 50
_LISTED = 1000


class EmbeddedBus:
    """See chassis.bus.port.Bus. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _connect(self._path)
                with _transaction(self._connection):
                    yield self._connection
            except (sqlite3.Error, OSError) as error:
                raise BusUnavailable(f"the embedded bus failed: {type(error).__name__}") from error

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        unroutable = []
        with self._transaction() as connection:
            bindings = connection.execute("SELECT service, pattern FROM bindings").fetchall()
            for envelope in envelopes:
                key = routing_key(envelope.type)
                services = sorted({service for service, pattern in bindings if matches(pattern, key)})
                body = envelope.SerializeToString()
                connection.executemany(
                    "INSERT INTO messages (service, body) VALUES (?, ?)", [(service, body) for service in services]
                )
                if not services:
                    unroutable.append(envelope.event_id)
        if unroutable:
            raise Unroutable(unroutable)

    def bind(self, service: str, patterns: Collection[str]) -> None:
        with self._transaction() as connection:
            _bind(connection, service, patterns)

    def subscribe(self, service: str, patterns: Collection[str]) -> "EmbeddedSubscription":
        return EmbeddedSubscription(self._path, service, patterns)

    def waiting(self, service: str) -> int:
        with self._transaction() as connection:
            return int(connection.execute("SELECT count(*) FROM messages WHERE service = ?", (service,)).fetchone()[0])

    def bury(self, envelope: Envelope, *, service: str, reason: str) -> None:
        with self._transaction() as connection:
            _bury(connection, service, envelope.SerializeToString(), reason)

    def dead_letters(self) -> Sequence[DeadLetter]:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT service, event_id, type, reason, body FROM dead ORDER BY id LIMIT ?", (_LISTED,)
            ).fetchall()
        return [
            DeadLetter(
                service=row[0], event_id=row[1], type=row[2], reason=row[3], size=len(row[4]), facts=facts_of(row[4])
            )
            for row in rows
        ]

    def dead_letter_count(self) -> int:
        with self._transaction() as connection:
            return int(connection.execute("SELECT count(*) FROM dead").fetchone()[0])

    def replay(self, service: str, event_ids: Collection[str] | None = None) -> int:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT id, event_id, body FROM dead WHERE service = ? ORDER BY id", (service,)
            ).fetchall()
            chosen = [row for row in rows if event_ids is None or row[1] in event_ids]
            connection.executemany(
                "INSERT INTO messages (service, body, replayed) VALUES (?, ?, 1)",
                [(service, body) for _, _, body in chosen],
            )
            connection.executemany("DELETE FROM dead WHERE id = ?", [(row[0],) for row in chosen])
        return len(chosen)

    def drop(self, service: str, event_ids: Collection[str] | None = None) -> int:
        with self._transaction() as connection:
            rows = connection.execute("SELECT id, event_id FROM dead WHERE service = ?", (service,)).fetchall()
            chosen = [(row[0],) for row in rows if event_ids is None or row[1] in event_ids]
            connection.executemany("DELETE FROM dead WHERE id = ?", chosen)
        return len(chosen)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


def _bind(connection: sqlite3.Connection, service: str, patterns: Collection[str]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO bindings (service, pattern) VALUES (?, ?)",
        [(service, pattern) for pattern in sorted(patterns)],
    )


class EmbeddedDelivery:
    """See chassis.bus.port.Delivery."""

    def __init__(
        self, subscription: "EmbeddedSubscription", row_id: int, body: bytes, *, deliveries: int, replayed: bool
    ) -> None:
        self._subscription = subscription
        self.row_id = row_id
        self.body = body
        self.replayed = replayed
        self.handed_out_before = deliveries > 0

    def ack(self) -> None:
        self._subscription.settle(self.row_id, None)

    def reject(self, reason: str) -> None:
        self._subscription.settle(self.row_id, reason)


class EmbeddedSubscription:
    """See chassis.bus.port.Subscription. Opens its file and takes its queue's lock when first asked to receive."""

    def __init__(self, path: Path, service: str, patterns: Collection[str]) -> None:
        self._path = path
        self._service = service
        self._patterns = sorted(patterns)
        self._connection: sqlite3.Connection | None = None
        self._lock_file: int | None = None
        self._ready: deque[EmbeddedDelivery] = deque()
        # Handed out and not settled; and acknowledged, to be removed together once nothing is in hand.
        self._in_hand: set[int] = set()
        self._settled: list[int] = []
        self._last_id = 0
        self._version = -1
        self._bind()

    def _bind(self) -> None:
        """Makes the queue before the first receive, so that nothing published from now on is unroutable."""
        try:
            if self._connection is None:
                self._connection = _connect(self._path)
            with _transaction(self._connection) as connection:
                _bind(connection, self._service, self._patterns)
            self._connection.execute("PRAGMA synchronous=NORMAL")  # a lost ack only means that it comes again
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def receive(self, timeout: float) -> EmbeddedDelivery | None:
        self._remove_settled()
        until = time.monotonic() + timeout
        while True:
            while self._ready or self._fetch():
                delivery = self._ready.popleft()
                if self._count([delivery]):
                    return delivery
            left = until - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(_POLL_SECONDS, left))

    def receive_fresh(self, most: int) -> list[EmbeddedDelivery]:
        found: list[EmbeddedDelivery] = []
        while len(found) < most and (self._ready or self._fetch()) and not self._ready[0].handed_out_before:
            found.append(self._ready.popleft())
        return found if found and self._count(found) else []

    def _fetch(self) -> bool:
        """Reads the next few messages; those past the delivery limit become dead letters."""
        try:
            if self._connection is None:
                self._bind()
            if self._connection is None or not self._is_reader() or not self._changed():
                return False
            rows = self._connection.execute(
                "SELECT id, body, deliveries, replayed FROM messages WHERE service = ? AND id > ? ORDER BY id LIMIT ?",
                (self._service, self._last_id, _PREFETCH),
            ).fetchall()
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return False
        for row_id, body, deliveries, replayed in rows:
            self._last_id = row_id
            self._version = -1  # there may be more than one batch
            if deliveries > DELIVERY_LIMIT:
                if not self.settle(row_id, "delivery_limit"):
                    return False  # all of these are read anew: nothing behind it counts as handed out
            else:
                delivery = EmbeddedDelivery(self, row_id, body, deliveries=deliveries, replayed=bool(replayed))
                self._ready.append(delivery)
        return bool(self._ready)

    def _count(self, handed_out: Sequence[EmbeddedDelivery]) -> bool:
        """Notes that the messages are handed out now, in case they kill the process."""
        ids = [delivery.row_id for delivery in handed_out]
        try:
            if self._connection is not None:
                with _transaction(self._connection) as connection:
                    connection.executemany(
                        "UPDATE messages SET deliveries = deliveries + 1 WHERE id = ?", [(row_id,) for row_id in ids]
                    )
                self._in_hand.update(ids)
                return True
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
        return False

    def _is_reader(self) -> bool:
        if self._lock_file is not None:
            return True
        handle = os.open(f"{self._path}.{self._service}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock_file = handle
        return True

    def _changed(self) -> bool:
        """Whether another connection has committed since the last look: microseconds, so that idling costs little."""
        assert self._connection is not None
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        changed = version != self._version
        self._version = version
        return bool(changed)

    def settle(self, row_id: int, rejected: str | None) -> bool:
        """Removes a message from the queue; with a reason, into the dead letters. False when it will come again.

        Those that are handed out together are removed together, when the last of them is settled.
        """
        if self._connection is None:
            return False
        self._in_hand.discard(row_id)
        if rejected is None:
            self._settled.append(row_id)
            return bool(self._in_hand) or self._remove_settled()
        try:
            with _transaction(self._connection) as connection:
                row = connection.execute("SELECT body FROM messages WHERE id = ?", (row_id,)).fetchone()
                if row:
                    _bury(connection, self._service, row[0], rejected)
                connection.execute("DELETE FROM messages WHERE id = ?", (row_id,))
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return False
        return True

    def _remove_settled(self) -> bool:
        settled, self._settled = self._settled, []
        if not settled:
            return True
        try:
            if self._connection is not None:
                with _transaction(self._connection) as connection:
                    connection.executemany("DELETE FROM messages WHERE id = ?", [(row_id,) for row_id in settled])
                return True
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
        return False

    def _fail(self, error: Exception) -> None:
        log.warning("bus.embedded_failed", bus_service=self._service, error=type(error).__name__)
        self._settled.clear()
        self.close()

    def close(self) -> None:
        self._remove_settled()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None
        self._ready.clear()
        self._in_hand.clear()
        self._last_id, self._version = 0, -1


def matches(pattern: str, key: str) -> bool:
    """Topic rules of AMQP 0-9-1 (3.1.3.3): words between dots, `*` is one word, `#` any number of them."""
    words = [{"*": r"[^.]+", "#": r".*"}.get(word, re.escape(word)) for word in pattern.split(".")]
    return re.fullmatch(r"\.".join(words), key) is not None


def _bury(connection: sqlite3.Connection, service: str, body: bytes, reason: str) -> None:
    try:
        envelope = Envelope.FromString(body)
        event_id, event_type = envelope.event_id, envelope.type
    except DecodeError:
        event_id, event_type = "", ""
    connection.execute(
        "INSERT INTO dead (service, event_id, type, reason, body) VALUES (?, ?, ?, ?, ?)",
        (service, event_id, event_type, reason, body),
    )


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    path.chmod(0o600)
    with _one_at_a_time(path.parent):
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_SCHEMA)
    return connection


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Whoever opens a new file while another turns it to WAL is told that it is locked, without the usual wait (SQLite,
    "Sometimes Queries Return SQLITE_BUSY In WAL Mode"): so they wait for each other here."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
