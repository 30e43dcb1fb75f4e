"""The inbox: each event acted upon once, in the order in which their producer published them.

Every step holds the lock of the event's row in `seen` (PostgreSQL: the row; SQLite: the one write lock), so that
several consumers of one service agree on whose turn it is. What can't be acted upon yet is parked in the database,
which makes the bus's copy dispensable: the consumer may acknowledge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.bus.tables import EventTables
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from protos.wayvault.events.v1.envelope_pb2 import Envelope

_SWEEP_BATCH = 50


class Turn(StrEnum):
    """Where an event stands in its aggregate's sequence."""

    READY = auto()
    # Acted upon before.
    DUPLICATE = auto()
    # Older than what was acted upon, and never acted upon itself: it came after its gap was given up.
    LATE = auto()
    # Events before it are still missing.
    GAP = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A parked event that was claimed for an attempt."""

    envelope: Envelope
    replayed: bool
    attempts: int
    postponed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An event to act upon, and what is to be done; no effect for one that only advances the sequence."""

    envelope: Envelope
    replayed: bool
    effect: Callable[[Session], None] | None


class Inbox:
    """The database side of a consumer."""

    def __init__(
        self,
        database: Database,
        tables: EventTables,
        *,
        consumer: str,
        clock: Clock,
        gap_limit: timedelta,
        claim_lease: timedelta,
    ) -> None:
        self._database = database
        self._seen = tables.seen
        self._inbox = tables.inbox
        self._parked = tables.parked
        self._consumer = consumer
        self._clock = clock
        self._gap_limit = gap_limit
        self._claim_lease = claim_lease
        self._sql = _Statements(tables, database.dialect)
        self.may_have_parked = True
        """False when nothing was parked at the last count and this process has parked nothing since."""

    def act(self, envelope: Envelope, *, replayed: bool, effect: Callable[[Session], None] | None) -> Turn:
        """In one transaction: checks the event's turn, does the effect, notes it. A gap is parked instead.

        Whatever `effect` raises rolls everything back and is raised on.
        """
        with self._database.transaction() as session:
            return self._act(session, Act(envelope=envelope, replayed=replayed, effect=effect), unpark=True)

    def act_together(self, acts: Sequence[Act]) -> list[Turn]:
        """As `act` for each, in their order, all in one transaction: a commit costs more than most effects.

        Whatever one of the effects raises rolls all of them back and is raised on. Should an event be parked, too, by
        another process, that row is found out of turn and removed when it is due.
        """
        with self._database.transaction() as session:
            turns = []
            for act in acts:
                turns.append(self._act(session, act, unpark=self.may_have_parked))
                # Each effect finds the session as it would find its own.
                session.flush()
                session.expunge_all()
            return turns

    def _act(self, session: Session, act: Act, *, unpark: bool) -> Turn:
        envelope = act.envelope
        last = self._lock_last(session, envelope)
        turn = self._turn(session, envelope, last, act.replayed)
        if turn is Turn.READY:
            if act.effect is not None:
                self._note(session, envelope)
                act.effect(session)
            self._advance(session, envelope, envelope.sequence)
        if turn is Turn.GAP:
            self._park(session, envelope, reason="gap", pause=self._gap_limit, replayed=act.replayed)
        elif unpark:
            self._unpark(session, envelope)
        return turn

    def look(self, envelope: Envelope, *, replayed: bool) -> Turn:
        """Whether it seems to be the event's turn, without a lock: decides whether work before `act` is worth it."""
        with self._database.read() as session:
            last = session.execute(select(self._seen.c.last).where(*self._same_aggregate(self._seen, envelope)))
            return self._turn(session, envelope, last.scalar() or 0, replayed)

    def park_for_retry(
        self, envelope: Envelope, *, replayed: bool, attempts: int, postponed: int, pause: timedelta
    ) -> None:
        """Keeps the event for another attempt after `pause`."""
        with self._database.transaction() as session:
            self._park(
                session,
                envelope,
                reason="retry",
                pause=pause,
                replayed=replayed,
                attempts=attempts,
                postponed=postponed,
            )

    def give_up(self, envelope: Envelope) -> None:
        """The event lies in the dead letters now: those behind it may go on."""
        with self._database.transaction() as session:
            self._lock_last(session, envelope)
            self._advance(session, envelope, envelope.sequence)
            self._unpark(session, envelope)

    def claim_next(self, after: Envelope) -> Parked | None:
        """Claims the parked event that directly follows `after`, if there is one."""
        table = self._parked.c
        return self._claim(
            select(self._parked).where(
                *self._same_aggregate(self._parked, after),
                table.sequence == after.sequence + 1,
                table.reason == "gap",
            )
        )

    def claim_due(self) -> Parked | None:
        """Claims a parked event whose pause is over, or whose gap has closed by now."""
        table, seen = self._parked.c, self._seen.c
        same = and_(
            seen.consumer == table.consumer,
            seen.producer == table.producer,
            seen.aggregate_type == table.aggregate_type,
            seen.aggregate_id == table.aggregate_id,
        )
        due = and_(table.reason == "retry", table.due_at <= self._clock.now())
        closed = and_(table.reason == "gap", table.sequence <= func.coalesce(seen.last, 0) + 1)
        return self._claim(
            select(self._parked)
            .select_from(self._parked.outerjoin(self._seen, same))
            .where(table.consumer == self._consumer, or_(due, closed))
            .order_by(table.due_at)
            .limit(1)
        )

    def _claim(self, query: Select[Any]) -> Parked | None:
        """Takes the row for `claim_lease` and counts the attempt before it is made, in case it kills the process."""
        with self._database.read() as session:
            row = session.execute(query).first()
        if row is None:
            return None
        with self._database.transaction() as session:
            claimed = session.execute(
                update(self._parked)
                .where(
                    self._parked.c.consumer == self._consumer,
                    self._parked.c.event_id == row.event_id,
                    self._parked.c.due_at == row.due_at,
                    self._parked.c.attempts == row.attempts,
                )
                .values(reason="retry", attempts=row.attempts + 1, due_at=self._clock.now() + self._claim_lease)
                .returning(self._parked.c.event_id)
            ).first()
        return _parked(row) if claimed else None

    def abandon_gaps(self) -> list[Envelope]:
        """Gives up the gaps that did not close within the limit; returns the events that may go on.

        A gap whose missing event waits here for its own next attempt is no lost one and is left alone: it is never
        the first parked event of its aggregate.
        """
        table = self._parked.c
        earlier = self._parked.alias("earlier")
        has_earlier = (
            select(earlier.c.event_id)
            .where(
                earlier.c.consumer == table.consumer,
                earlier.c.producer == table.producer,
                earlier.c.aggregate_type == table.aggregate_type,
                earlier.c.aggregate_id == table.aggregate_id,
                earlier.c.sequence < table.sequence,
            )
            .exists()
        )
        overdue = and_(table.consumer == self._consumer, table.reason == "gap", table.due_at <= self._clock.now())
        with self._database.read() as session:
            rows = session.execute(select(self._parked).where(overdue, ~has_earlier).limit(_SWEEP_BATCH)).all()
        envelopes = [_parked(row).envelope for row in rows]
        for envelope in envelopes:
            with self._database.transaction() as session:
                self._lock_last(session, envelope)
                self._advance(session, envelope, envelope.sequence - 1)
        return envelopes

    def parked_count(self) -> int:
        """How many events of this consumer wait."""
        with self._database.read() as session:
            count = int(session.connection().execute(self._sql.count, {"k_consumer": self._consumer}).scalar_one())
        self.may_have_parked = count > 0
        return count

    def forget(self, older_than: timedelta) -> None:
        """Removes inbox rows of events handled longer ago; the sequences go on refusing those events."""
        limit = self._clock.now() - older_than
        with self._database.transaction() as session:
            session.execute(
                delete(self._inbox).where(self._inbox.c.consumer == self._consumer, self._inbox.c.handled_at < limit)
            )

    def _turn(self, session: Session, envelope: Envelope, last: int, replayed: bool) -> Turn:
        if replayed or envelope.sequence <= last:
            key = {"k_consumer": self._consumer, "k_event_id": envelope.event_id}
            if session.connection().execute(self._sql.handled, key).first() is not None:
                return Turn.DUPLICATE
            return Turn.READY if replayed else Turn.LATE
        return Turn.READY if envelope.sequence == last + 1 else Turn.GAP

    def _lock_last(self, session: Session, envelope: Envelope) -> int:
        """The last sequence number acted upon; holds the aggregate's lock until the transaction ends."""
        first = {**self._key(envelope), "last": 0}
        return int(session.connection().execute(self._sql.lock, first).scalar_one())

    def _advance(self, session: Session, envelope: Envelope, to: int) -> None:
        key = {f"k_{name}": value for name, value in self._key(envelope).items()}
        session.connection().execute(self._sql.advance, {**key, "to": to})

    def _note(self, session: Session, envelope: Envelope) -> None:
        row = {"consumer": self._consumer, "event_id": envelope.event_id, "handled_at": self._clock.now()}
        session.connection().execute(self._sql.note, row)

    def _park(
        self,
        session: Session,
        envelope: Envelope,
        *,
        reason: str,
        pause: timedelta,
        replayed: bool,
        attempts: int = 0,
        postponed: int = 0,
    ) -> None:
        self.may_have_parked = True
        now = self._clock.now()
        state = {"reason": reason, "due_at": now + pause, "attempts": attempts, "postponed": postponed}
        fixed = {
            **self._key(envelope),
            "event_id": envelope.event_id,
            "sequence": envelope.sequence,
            "envelope": envelope.SerializeToString(),
            "replayed": int(replayed),
            "parked_at": now,
        }
        if insert_if_absent(session, self._parked, {**fixed, **state}):
            return
        row = session.execute(select(self._parked.c.reason).where(*self._same_event(envelope))).scalar_one()
        if (row, reason) != ("gap", "gap"):  # a gap's time limit runs from when it was first noticed
            session.execute(update(self._parked).where(*self._same_event(envelope)).values(**state))

    def _unpark(self, session: Session, envelope: Envelope) -> None:
        session.connection().execute(self._sql.unpark, {"k_consumer": self._consumer, "k_event_id": envelope.event_id})

    def _key(self, envelope: Envelope) -> dict[str, object]:
        return {
            "consumer": self._consumer,
            "producer": envelope.producer,
            "aggregate_type": envelope.aggregate_type,
            "aggregate_id": envelope.aggregate_id,
        }

    def _same_aggregate(self, table: Any, envelope: Envelope) -> list[Any]:  # Any: columns and conditions
        return [table.c[column] == value for column, value in self._key(envelope).items()]

    def _same_event(self, envelope: Envelope) -> list[Any]:
        return [self._parked.c.consumer == self._consumer, self._parked.c.event_id == envelope.event_id]


class _Statements:
    """What is said for every event, written and compiled once: writing it anew cost more than the database's work."""

    def __init__(self, tables: EventTables, dialect: str) -> None:
        seen, inbox, parked = tables.seen, tables.inbox, tables.parked
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        key = ("consumer", "producer", "aggregate_type", "aggregate_id")
        same = [seen.c[name] == bindparam(f"k_{name}") for name in key]
        mine = parked.c.consumer == bindparam("k_consumer")
        # Makes the row, or locks it as it is.
        self.lock = (
            make(seen)
            .on_conflict_do_update(index_elements=list(key), set_={"last": seen.c.last})
            .returning(seen.c.last)
        )
        self.advance = update(seen).where(*same, seen.c.last < bindparam("to")).values(last=bindparam("to"))
        self.note = insert(inbox)
        self.handled = select(inbox.c.event_id).where(
            inbox.c.consumer == bindparam("k_consumer"), inbox.c.event_id == bindparam("k_event_id")
        )
        self.unpark = delete(parked).where(mine, parked.c.event_id == bindparam("k_event_id"))
        self.count = select(func.count()).select_from(parked).where(mine)


def _parked(row: Row[Any]) -> Parked:
    return Parked(
        envelope=Envelope.FromString(row.envelope),
        replayed=bool(row.replayed),
        attempts=row.attempts + 1,
        postponed=row.postponed,
    )
