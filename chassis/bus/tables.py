"""The bus's tables in each service's own database."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

from chassis.db import UtcDateTime

# SQLite numbers rows by itself only in columns declared INTEGER.
_RowNumber = BigInteger().with_variant(Integer(), "sqlite")
_Name = String(64)
_Id = String(200)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTables:
    """Outbox, inbox, sequences in both directions, and what waits for its turn."""

    # What this service has to tell; `sent_at` is set once the bus has confirmed it.
    outbox: Table
    # The last sequence number given out, per aggregate.
    sequences: Table
    # What this service has acted upon: one row per consumer and event, in the transaction of the effect.
    inbox: Table
    # The last sequence number acted upon (or given up), per consumer, producer and aggregate.
    seen: Table
    # What can't be acted upon yet: a gap before it, or an attempt that failed.
    parked: Table

    @classmethod
    def attach(cls, metadata: MetaData) -> Self:
        """Adds the tables to a service's metadata, so that its migrations make them."""
        return cls(
            outbox=_outbox(metadata),
            sequences=_sequences(metadata),
            inbox=_inbox(metadata),
            seen=_seen(metadata),
            parked=_parked(metadata),
        )


def _outbox(metadata: MetaData) -> Table:
    unsent = text("sent_at IS NULL")
    return Table(
        "bus_outbox",
        metadata,
        Column("id", _RowNumber, primary_key=True, autoincrement=True),
        Column("event_id", String(36), nullable=False, unique=True),
        Column("type", _Name, nullable=False),
        Column("aggregate_type", _Name, nullable=False),
        Column("aggregate_id", _Id, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("envelope", LargeBinary, nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("sent_at", UtcDateTime),
        Column("refusals", Integer, nullable=False, server_default="0"),
        Column("not_before", UtcDateTime),
        Index(
            "ix_bus_outbox_unsent",
            "aggregate_type",
            "aggregate_id",
            "sequence",
            unique=True,
            sqlite_where=unsent,
            postgresql_where=unsent,
        ),
        Index("ix_bus_outbox_sent_at", "sent_at"),
    )


def _sequences(metadata: MetaData) -> Table:
    return Table(
        "bus_sequences",
        metadata,
        Column("aggregate_type", _Name, primary_key=True),
        Column("aggregate_id", _Id, primary_key=True),
        Column("last", BigInteger, nullable=False),
    )


def _inbox(metadata: MetaData) -> Table:
    return Table(
        "bus_inbox",
        metadata,
        Column("consumer", _Name, primary_key=True),
        Column("event_id", String(36), primary_key=True),
        Column("handled_at", UtcDateTime, nullable=False, index=True),
    )


def _seen(metadata: MetaData) -> Table:
    return Table(
        "bus_seen",
        metadata,
        Column("consumer", _Name, primary_key=True),
        Column("producer", _Name, primary_key=True),
        Column("aggregate_type", _Name, primary_key=True),
        Column("aggregate_id", _Id, primary_key=True),
        Column("last", BigInteger, nullable=False),
    )


def _parked(metadata: MetaData) -> Table:
    return Table(
        "bus_parked",
        metadata,
        Column("consumer", _Name, primary_key=True),
        Column("event_id", String(36), primary_key=True),
        Column("producer", _Name, nullable=False),
        Column("aggregate_type", _Name, nullable=False),
        Column("aggregate_id", _Id, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("envelope", LargeBinary, nullable=False),
        Column("replayed", Integer, nullable=False, server_default="0"),
        # "gap": waits for the events before it. "retry": is due again at due_at.
        Column("reason", String(8), nullable=False),
        Column("parked_at", UtcDateTime, nullable=False),
        Column("due_at", UtcDateTime, nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("postponed", Integer, nullable=False, server_default="0"),
        Index("ix_bus_parked_order", "consumer", "producer", "aggregate_type", "aggregate_id", "sequence"),
        Index("ix_bus_parked_due", "consumer", "reason", "due_at"),
    )
