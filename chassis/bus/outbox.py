"""The outbox: an event is written in the transaction that makes it true."""

from typing import Any

from google.protobuf.message import Message
from sqlalchemy import Table, event, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.bus.catalogue import SERVICES, event_type_of
from chassis.bus.tables import EventTables
from chassis.bus.wake import CHANNEL, wake
from chassis.clock import Clock
from chassis.ids import new_event_id
from chassis.telemetry import traceparent
from protos.wayvault.events.v1.envelope_pb2 import Envelope

LARGEST_PAYLOAD = 8 * 1024 * 1024
_WAKES = "wayvault_outbox_wakes"
_NOTIFY = text(f"NOTIFY {CHANNEL}")


class OutboxError(ValueError):
    """An event that this service must not or can't publish."""


class Outbox:
    """Writes a service's events. Sequence numbers run 1, 2, 3 … per producer and aggregate, without gaps: the number
    is given out in the same transaction, so a rolled-back event takes its number back with it."""

    def __init__(self, tables: EventTables, *, producer: str, clock: Clock) -> None:
        if producer not in SERVICES:
            raise OutboxError(f"no service is called {producer!r}")
        self._producer = producer
        self._clock = clock
        # Written and compiled once: every fact passes here.
        self._number = {
            "postgresql": _upsert(tables.sequences, postgresql),
            "sqlite": _upsert(tables.sequences, sqlite),
        }
        self._insert = insert(tables.outbox)

    def add(self, session: Session, message: Message, *, aggregate_id: str, agency_id: str) -> str:
        """Tells the others, once `session` commits, what `message` says about the aggregate. Returns the event's id.

        From the first `add` until the commit, other transactions that tell something about the same aggregate wait.
        Raises OutboxError for another service's event, an empty aggregate id or a payload over 8 MiB.
        """
        declared = event_type_of(message)
        if declared.producer != self._producer:
            raise OutboxError(f"{declared.type} is published by {declared.producer}, not by {self._producer}")
        if not aggregate_id:
            raise OutboxError(f"{declared.type} needs the id of its {declared.aggregate}")
        payload = message.SerializeToString()
        if len(payload) > LARGEST_PAYLOAD:
            raise OutboxError(f"{declared.type} of {len(payload)} bytes is too large to publish")
        now = self._clock.now()
        envelope = Envelope(
            event_id=new_event_id(),
            type=declared.type,
            aggregate_type=declared.aggregate,
            aggregate_id=aggregate_id,
            sequence=self._next_sequence(session, declared.aggregate, aggregate_id),
            producer=self._producer,
            agency_id=agency_id,
            traceparent=traceparent(),
            payload=payload,
        )
        envelope.occurred_at.FromDatetime(now)
        row = {
            "event_id": envelope.event_id,
            "type": envelope.type,
            "aggregate_type": envelope.aggregate_type,
            "aggregate_id": aggregate_id,
            "sequence": envelope.sequence,
            "envelope": envelope.SerializeToString(),
            "created_at": now,
        }
        session.connection().execute(self._insert, row)
        wake_at_commit(session)
        return envelope.event_id

    def _next_sequence(self, session: Session, aggregate_type: str, aggregate_id: str) -> int:
        connection = session.connection()
        row = {"aggregate_type": aggregate_type, "aggregate_id": aggregate_id, "last": 1}
        return int(connection.execute(self._number[connection.dialect.name], row).scalar_one())


def _upsert(sequences: Table, dialect: Any) -> Any:  # Any: either dialect's module and its insert
    """One conditional upsert: it locks the aggregate's row until the transaction ends, so numbers commit in order."""
    return (
        dialect.insert(sequences)
        .on_conflict_do_update(index_elements=["aggregate_type", "aggregate_id"], set_={"last": sequences.c.last + 1})
        .returning(sequences.c.last)
    )


def wake_at_commit(session: Session) -> None:
    """Wakes, at commit, whoever waits by `waker_for`, the relay above all: threads of this process directly, other
    processes by PostgreSQL's NOTIFY (which is delivered when the transaction commits, and only then)."""
    if session.info.get(_WAKES) is session.get_transaction():
        return
    session.info[_WAKES] = session.get_transaction()
    bind = session.get_bind()
    if bind.dialect.name == "postgresql":
        session.execute(_NOTIFY)
    url = bind.engine.url
    event.listen(session, "after_commit", lambda _: wake(url), once=True)
