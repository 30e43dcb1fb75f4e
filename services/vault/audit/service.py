"""The audit room's door.

A room writes with `audit.record(session, AuditEntry(…))` inside its own transaction; the act and its row commit
together or not at all. `close` and `write_heads` sign where the chains stand; `verify` proves that nothing is missing.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import structlog
from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database, Write
from chassis.sealing import OpeningKey
from services.vault.audit.heads import HeadFile
from services.vault.audit.keyring import AuditKeys, key_context
from services.vault.audit.models import GUARDS, AuditChain, AuditKey, grants_for
from services.vault.audit.ocsf import ocsf_line
from services.vault.audit.pages import ChainsState, CheckedRow, TrailPage, chains_state, read_page, rows_where
from services.vault.audit.rules import AuditEntry, AuditRecord, Finding, Head, Result, VerifyReport
from services.vault.audit.trail import AuditTrail
from services.vault.audit.verify import export_rows, rows_of_card, verify
from services.vault.transit.service import KeyName, WrappedColumn, Wrapper

__all__ = [
    "GUARDS",
    "Audit",
    "AuditEntry",
    "AuditRecord",
    "ChainsState",
    "CheckedRow",
    "Finding",
    "Result",
    "TrailPage",
    "VerifyReport",
    "exported",
    "grants_for",
    "rows_where",
    "wrapped_column",
]

_log = structlog.get_logger(__name__)


def wrapped_column() -> WrappedColumn:
    """Where this room keeps ciphertexts, for key management."""
    return WrappedColumn(
        key=KeyName.SEALING,
        table=cast("Table", AuditKey.__table__),
        row_id="key_id",
        cipher="wrapped",
        version="key_version",
        context_columns=("key_id",),
        context_of_row=key_context,
    )


class Audit:
    """The trail of one vault. Thread-safe; made after a fork; `prepare` at the start, `close` at the end.

    `other_heads`: files in which other programs with the same key sign heads, which `verify` compares too.
    """

    def __init__(
        self,
        database: Database,
        wrapper: Wrapper,
        *,
        heads_file: Path,
        signing_key: OpeningKey,
        clock: Clock,
        other_heads: Sequence[Path] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = AuditKeys(database, wrapper, clock=clock)
        self._trail = AuditTrail(self._keys, clock=clock)
        self._heads = HeadFile(heads_file, signing_key)
        self._other_heads = [HeadFile(file, signing_key) for file in other_heads]
        self._signed: dict[str, int] | None = None

    def prepare(self) -> None:
        """Loads the HMAC key (makes it in a new vault). Call at the start; never inside a transaction.

        Without it the first `record` unwraps the key. Raises TransitUnavailable.
        """
        self._trail.prepare()

    def record(self, session: Session, entry: AuditEntry) -> AuditRecord:
        """Writes a row in the caller's transaction. Raises TransitUnavailable when the HMAC key was never loaded."""
        return self._trail.record(session, entry)

    def recording(self, session: Session, entries: Sequence[AuditEntry]) -> list[Write]:
        """As `record`, for several entries, to be written together with the act (see AuditTrail)."""
        return self._trail.recording(session, entries)

    def of_card(self, session: Session, card_token: str) -> list[AuditRecord]:
        """What happened to a card, oldest first (M14)."""
        return rows_of_card(session, card_token)

    def page(self, session: Session, conditions: Sequence[ColumnElement[bool]], *, limit: int, after: str) -> TrailPage:
        """Rows by conditions of `rows_where`, newest first, each checked. Call `prepare` before."""
        return read_page(session, self._keys, conditions, limit=limit, after=after)

    def chains_state(self, session: Session) -> ChainsState:
        """Whether each chain ends where its sealed head says; cheap, where `verify` reads everything."""
        return chains_state(session, self._keys)

    def write_heads(self) -> int:
        """Signs the head of every chain that moved since the last time, in the second place; returns how many.

        For the worker, every few minutes. Raises OSError.
        """
        if self._signed is None:
            self._signed = self._heads.last()
        with self._database.read() as session:
            query = select(AuditChain.chain_id, AuditChain.head_sequence, AuditChain.head_mac)
            heads = [Head(chain_id=row[0], sequence=row[1], mac=row[2]) for row in session.execute(query)]
        moved = [head for head in heads if self._signed.get(head.chain_id, -1) < head.sequence]
        self._heads.append(moved, self._clock.now())
        self._signed.update({head.chain_id: head.sequence for head in moved})
        return len(moved)

    def close(self) -> None:
        """Signs the heads and gives this process's chains up. Logs, but does not raise, what goes wrong: a process
        that ends must end."""
        try:
            with self._database.transaction() as session:
                self._trail.release(session)
            self.write_heads()
        except Exception as error:  # see above
            _log.error("audit.close_failed", error=type(error).__name__)

    def verify(self) -> VerifyReport:
        """Recomputes the whole trail. Raises TransitUnavailable."""
        self.prepare()
        heads = [head for file in (self._heads, *self._other_heads) for head in file.read()]
        with self._database.read() as session:
            return verify(session, self._keys, heads)

    def export(self) -> Iterator[str]:
        """The whole trail as JSON lines, with the MACs, for keeping elsewhere."""
        with self._database.read() as session:
            yield from exported(session)


def exported(session: Session, *, ocsf: bool = False) -> Iterator[str]:
    """The whole trail as JSON lines, ours or OCSF's, without the keys that would prove it."""
    return (ocsf_line(record) if ocsf else _json_line(record) for record in export_rows(session))


def _json_line(record: AuditRecord) -> str:
    entry = record.entry
    return json.dumps(
        {
            "chain_id": record.chain_id,
            "sequence": record.sequence,
            "at": record.at.isoformat(),
            **{name: getattr(entry, name) for name in AuditEntry.__slots__},
            "key_id": record.key_id,
            "prev_mac": record.prev_mac,
            "mac": record.mac,
        }
    )
