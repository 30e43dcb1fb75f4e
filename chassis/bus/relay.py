"""The relay carries events from the outbox to the bus.

PostgreSQL: any number of relays; each locks the oldest unsent event of some aggregates (FOR UPDATE SKIP LOCKED), and
who holds an aggregate's oldest event sends that aggregate's next ones too, in order. SQLite (where SQLAlchemy silently
drops SKIP LOCKED): one relay, by a lock on a file that the kernel drops with the process; it publishes outside of any
transaction, so that a slow bus never holds the database's one write lock, and marks in BEGIN IMMEDIATE.

A crash between the bus's confirmation and the mark sends an event twice; the inbox of its readers sees to that.
"""

import fcntl
import os
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Row, Select, Table, bindparam, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis.backoff import grown, spread
from chassis.bus import metrics
from chassis.bus.port import Bus, BusUnavailable, Unroutable
from chassis.bus.tables import EventTables
from chassis.bus.wake import waker_for
from chassis.clock import Clock, SystemClock
from chassis.db import Database
from protos.wayvault.events.v1.envelope_pb2 import Envelope

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 0.5
# Between two batches that come right after each other, so that what is told meanwhile leaves together; an event that
# comes alone never waits.
_GATHER_SECONDS = 0.015
_STANDBY_SECONDS = 0.1
_HOUSEKEEPING = timedelta(seconds=5)
_PRUNE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPolicy:
    """How a relay behaves; the defaults suit production."""

    batch: int = 200
    # After the bus failed: doubled each time, with jitter.
    first_pause: float = 0.2
    longest_pause: float = 5.0
    # Between two tries of an event that no queue is bound to: doubled each time.
    unroutable_pause: timedelta = timedelta(seconds=1)
    unroutable_longest: timedelta = timedelta(seconds=30)
    # Sent events stay for a look back.
    keep_sent: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: int
    refusals: int
    envelope: Envelope


class Relay:
    """See the module's text. `run` is a loop for chassis.lifecycle."""

    def __init__(
        self,
        database: Database,
        tables: EventTables,
        bus: Bus,
        *,
        clock: Clock | None = None,
        policy: RelayPolicy | None = None,
    ) -> None:
        self._database = database
        self._outbox = tables.outbox
        self._bus = bus
        self._clock = clock or SystemClock()
        self._policy = policy or RelayPolicy()
        self._name = database.name
        self._sql = _Statements(tables.outbox, self._policy.batch)
        self._housekeeping_due = self._prune_due = datetime.min.replace(tzinfo=self._clock.now().tzinfo)

    def run(self, stop: threading.Event) -> None:
        """Relays until `stop` is set. Faults of bus or database are logged and waited out, never raised."""
        waker = waker_for(self._database)
        turn = _turn_for(self._database)
        failures = 0
        try:
            while not stop.is_set():
                if not turn.mine():
                    stop.wait(_STANDBY_SECONDS)
                    continue
                try:
                    sent = self.pump()
                    failures = 0
                    self._keep_house()
                except (BusUnavailable, SQLAlchemyError) as error:
                    failures += 1
                    log.warning("relay.failed", database=self._name, error=type(error).__name__, failures=failures)
                    stop.wait(self._pause(failures))
                    continue
                if not sent:
                    waker.wait(_IDLE_SECONDS)
                elif sent < self._policy.batch:
                    stop.wait(_GATHER_SECONDS)
        finally:
            waker.close()
            turn.release()

    def pump(self) -> int:
        """Sends one batch; returns how many events the bus confirmed. Raises BusUnavailable."""
        if self._database.dialect == "postgresql":
            with self._database.transaction() as session:
                rows = self._claim(session)
                refused = self._publish(rows)
                self._mark(session, rows, refused)
        else:
            with self._database.read() as session:
                rows = _rows(session.connection().execute(self._sql.due, {"now": self._clock.now()}).all())
            refused = self._publish(rows)
            if rows:
                # Should a power cut undo the marks, the events are sent twice, as after a crash.
                with self._database.transaction(durable=False) as session:
                    self._mark(session, rows, refused)
        metrics.PUBLISHED.labels(self._name).inc(len(rows) - len(refused))
        return len(rows) - len(refused)

    def _claim(self, session: Session) -> list[_Row]:
        """PostgreSQL: some aggregates' unsent events, in order, led by the oldest of each."""
        heads = session.execute(self._heads()).all()
        if not heads:
            return []
        table = self._outbox.c
        aggregates = [(head.aggregate_type, head.aggregate_id) for head in heads]
        found = session.execute(
            select(table.id, table.refusals, table.envelope)
            .where(table.sent_at.is_(None), tuple_(table.aggregate_type, table.aggregate_id).in_(aggregates))
            .order_by(table.id)
            .limit(self._policy.batch)
        )
        return _rows(found.all())

    def _heads(self) -> Select[tuple[str, str]]:
        table = self._outbox.c
        older = self._outbox.alias("older")
        has_older = exists().where(
            older.c.sent_at.is_(None),
            older.c.aggregate_type == table.aggregate_type,
            older.c.aggregate_id == table.aggregate_id,
            older.c.sequence < table.sequence,
        )
        due = or_(table.not_before.is_(None), table.not_before <= self._clock.now())
        return (
            select(table.aggregate_type, table.aggregate_id)
            .where(table.sent_at.is_(None), due, ~has_older)
            .order_by(table.id)
            .limit(self._policy.batch)
            .with_for_update(skip_locked=True, of=self._outbox)
        )

    def _publish(self, rows: Sequence[_Row]) -> frozenset[str]:
        """Publishes; returns the ids of the events that no queue takes."""
        if not rows:
            return frozenset()
        try:
            self._bus.publish([row.envelope for row in rows])
        except Unroutable as error:
            metrics.UNROUTABLE.labels(self._name).inc(len(error.event_ids))
            types = sorted({row.envelope.type for row in rows if row.envelope.event_id in error.event_ids})
            log.warning("relay.unroutable", types=types, events=len(error.event_ids))
            return error.event_ids
        return frozenset()

    def _mark(self, session: Session, rows: Sequence[_Row], refused: Collection[str]) -> None:
        now = self._clock.now()
        sent = [row.id for row in rows if row.envelope.event_id not in refused]
        if sent:
            session.connection().execute(self._sql.mark, {"sent": sent, "now": now})
        for row in rows:
            if row.envelope.event_id in refused:
                pause = grown(self._policy.unroutable_pause, row.refusals, self._policy.unroutable_longest)
                session.execute(
                    update(self._outbox)
                    .where(self._outbox.c.id == row.id)
                    .values(refusals=row.refusals + 1, not_before=now + pause)
                )

    def _pause(self, failures: int) -> float:
        return spread(grown(self._policy.first_pause, failures - 1, self._policy.longest_pause))

    def _keep_house(self) -> None:
        """Measures depth and lag, and forgets what was sent long ago."""
        now = self._clock.now()
        if now < self._housekeeping_due:
            return
        self._housekeeping_due = now + _HOUSEKEEPING
        measure_outbox(self._database, self._outbox, now)
        if now >= self._prune_due:
            self._prune_due = now + _PRUNE
            with self._database.transaction() as session:
                session.execute(delete(self._outbox).where(self._outbox.c.sent_at < now - self._policy.keep_sent))


class _Statements:
    """What is said for every batch, written and compiled once."""

    def __init__(self, outbox: Table, batch: int) -> None:
        table, before = outbox.c, outbox.alias("before")
        waits = exists().where(
            before.c.sent_at.is_(None),
            before.c.aggregate_type == table.aggregate_type,
            before.c.aggregate_id == table.aggregate_id,
            before.c.sequence <= table.sequence,
            before.c.not_before > bindparam("now"),
        )
        # SQLite: what is unsent, but nothing behind an event that no queue took lately.
        self.due = (
            select(table.id, table.refusals, table.envelope)
            .where(table.sent_at.is_(None), ~waits)
            .order_by(table.id)
            .limit(batch)
        )
        self.mark = (
            update(outbox)
            .where(table.id.in_(bindparam("sent", expanding=True)))
            .values(sent_at=bindparam("now", type_=table.sent_at.type))
        )


def _rows(found: Sequence[Row[int, int, bytes]]) -> list[_Row]:
    return [_Row(id=row.id, refusals=row.refusals, envelope=Envelope.FromString(row.envelope)) for row in found]


def measure_outbox(database: Database, outbox: Table, now: datetime) -> None:
    """Sets the gauges of depth and lag from one query."""
    query = select(func.count(outbox.c.id), func.min(outbox.c.created_at)).where(outbox.c.sent_at.is_(None))
    with database.read() as session:
        depth, oldest = session.execute(query).one()
    metrics.OUTBOX_DEPTH.labels(database.name).set(depth)
    metrics.OUTBOX_LAG.labels(database.name).set((now - oldest).total_seconds() if oldest else 0.0)


class _Turn(Protocol):
    def mine(self) -> bool: ...
    def release(self) -> None: ...


class _Everybodys:
    """PostgreSQL: row locks share the work out."""

    def mine(self) -> bool:
        return True

    def release(self) -> None:
        return None


class _FileTurn:
    """SQLite: one relay per database file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle: int | None = None

    def mine(self) -> bool:
        if self._handle is not None:
            return True
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _turn_for(database: Database) -> _Turn:
    return _Everybodys() if database.dialect == "postgresql" else _FileTurn(f"{database.url.database}.relay.lock")
