"""Writing the trail: one row per act, in the act's own transaction, on a chain that this writer alone holds.

A process keeps a pool of chains. The first row of a transaction takes one out of the pool (or claims one in the
database, or starts one); the commit or rollback puts it back, its head moved on or not. So writers never wait for
each other's chain. Were two processes ever to believe they hold the same chain, the conditional UPDATE of its head
lets one through, and the other takes another chain: a chain can't fork.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Table, bindparam, event, insert, or_, select, update
from sqlalchemy.orm import Session, SessionTransaction

from chassis.clock import Clock
from chassis.db import Write
from chassis.ids import new_id
from chassis.logging import redact_card_numbers
from services.vault.audit.keyring import AuditKeys
from services.vault.audit.models import AuditChain, AuditRow
from services.vault.audit.rules import (
    GENESIS,
    MAX_NAME,
    MAX_REASON,
    MAX_USER_AGENT,
    AuditEntry,
    AuditRecord,
    Head,
    head_mac,
    row_mac,
)

_CLAIM = timedelta(minutes=15)
"""How long a chain stays claimed after its last row: a crashed writer's chains are taken over after that."""
_IN_SESSION = "wayvault_audit_chain"
_WATCHED = "wayvault_audit_watched"

_chains: Final = cast("Table", AuditChain.__table__)
_rows: Final = cast("Table", AuditRow.__table__)

# Built once: building a statement costs several times what executing it does.
_APPEND: Final = insert(_rows)
_ADVANCE: Final = (
    update(_chains)
    .where(
        _chains.c.chain_id == bindparam("chain"),
        _chains.c.head_sequence == bindparam("old_sequence"),
        _chains.c.head_mac == bindparam("old_mac"),
        _chains.c.claimed_by == bindparam("writer"),
    )
    .values(
        head_sequence=bindparam("new_sequence"),
        head_mac=bindparam("new_mac"),
        head_seal=bindparam("new_seal"),
        key_id=bindparam("new_key"),
        claimed_until=bindparam("until"),
    )
)


@dataclass(slots=True)
class _Held:
    """A chain taken out of the pool, with its head as this transaction has moved it."""

    head: Head
    before: Head | None
    """The head to fall back to on rollback; None for a chain that this transaction claimed."""


class AuditTrail:
    """The one way to write audit rows. Thread-safe; make it after a fork."""

    def __init__(self, keys: AuditKeys, *, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._writer = new_id("writer")
        self._lock = threading.Lock()
        self._free: list[Head] = []

    def prepare(self) -> None:
        """Loads the HMAC key, and makes it in a new vault, so that no row waits for transit inside its transaction.

        Call it at the start of a process; the worker repeats it. Raises TransitUnavailable.
        """
        self._keys.prepare()

    def record(self, session: Session, entry: AuditEntry) -> AuditRecord:
        """Writes the entry in the session's transaction: it commits with the act, or neither does.

        Texts that look like a PAN are redacted, long ones cut. Raises what the database raises.
        """
        entry = _clean(entry)
        held = self._held(session)
        record = self._next(held.head, entry)
        while not self._advance(session, held.head, record):
            held = self._recover(session, held)
            record = self._next(held.head, entry)
        session.execute(_APPEND, _columns(record))
        held.head = _head_at(record)
        return record

    def recording(self, session: Session, entries: Sequence[AuditEntry]) -> list[Write]:
        """As `record`, for several entries in order (at least one): the chain's head moves once.

        The caller writes what it gets in the same transaction (`write_together`), once. Overtaken, or an
        IntegrityError, when the chain went to another writer: then the transaction is undone, and `record` finds out.
        """
        held = self._held(session)
        records = self._chained(held.head, [_clean(entry) for entry in entries])
        advance = Write(statement=_ADVANCE, rows=[self._move(held.head, records[-1])], touches=1)
        held.head = _head_at(records[-1])
        return [advance, Write(statement=_APPEND, rows=[_columns(record) for record in records])]

    def release(self, session: Session) -> None:
        """Gives this writer's chains up, for another process to take; at the end of a process."""
        with self._lock:
            self._free.clear()
        session.execute(
            update(_chains).where(_chains.c.claimed_by == self._writer).values(claimed_by=None, claimed_until=None)
        )

    # ---- rows

    def _chained(self, head: Head, entries: Sequence[AuditEntry]) -> list[AuditRecord]:
        records: list[AuditRecord] = []
        for entry in entries:
            records.append(self._next(head, entry))
            head = _head_at(records[-1])
        return records

    def _next(self, head: Head, entry: AuditEntry) -> AuditRecord:
        key_id, key = self._keys.current()
        record = AuditRecord(
            entry=entry,
            chain_id=head.chain_id,
            sequence=head.sequence + 1,
            at=self._clock.now(),
            key_id=key_id,
            prev_mac=head.mac,
            mac="",
        )
        return replace(record, mac=row_mac(key, record))

    def _advance(self, session: Session, old: Head, last: AuditRecord) -> bool:
        """Moves the chain's head, if it stands where this writer believes it does."""
        return cast("CursorResult[Any]", session.execute(_ADVANCE, self._move(old, last))).rowcount == 1

    def _move(self, old: Head, last: AuditRecord) -> dict[str, Any]:  # Any: values of _ADVANCE
        key_id, key = self._keys.current()
        return {
            "chain": old.chain_id,
            "old_sequence": old.sequence,
            "old_mac": old.mac,
            "writer": self._writer,
            "new_sequence": last.sequence,
            "new_mac": last.mac,
            "new_seal": head_mac(key, _head_at(last), key_id),
            "new_key": key_id,
            "until": last.at + _CLAIM,
        }

    # ---- chains

    def _held(self, session: Session) -> _Held:
        held: _Held | None = session.info.get(_IN_SESSION)
        if held is not None:
            return held
        with self._lock:
            pooled = self._free.pop() if self._free else None
        held = _Held(pooled, pooled) if pooled is not None else _Held(self._claim(session), None)
        session.info[_IN_SESSION] = held
        self._watch(session)
        return held

    def _watch(self, session: Session) -> None:
        """Gives the chain back when the session's outermost transaction ends, whichever way."""
        if session.info.get(_WATCHED) is self:
            return
        session.info[_WATCHED] = self
        event.listen(session, "after_commit", lambda ended: self._give_back(ended, committed=True))
        event.listen(session, "after_transaction_end", self._on_end)

    def _on_end(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            self._give_back(session, committed=False)

    def _recover(self, session: Session, held: _Held) -> _Held:
        """The head is not where it was: a savepoint was rolled back, or another writer took the chain over."""
        row = session.execute(
            select(_chains.c.head_sequence, _chains.c.head_mac).where(
                _chains.c.chain_id == held.head.chain_id, _chains.c.claimed_by == self._writer
            )
        ).first()
        if row is not None and row.head_sequence <= held.head.sequence:
            held.head = Head(chain_id=held.head.chain_id, sequence=row.head_sequence, mac=row.head_mac)
        else:
            held.head, held.before = self._claim(session), None
        return held

    def _claim(self, session: Session) -> Head:
        """A chain nobody holds, or a new one. In the caller's transaction: undone with it."""
        now = self._clock.now()
        free = session.execute(
            select(_chains.c.chain_id, _chains.c.head_sequence, _chains.c.head_mac)
            .where(or_(_chains.c.claimed_by.is_(None), _chains.c.claimed_until < now))
            .order_by(_chains.c.chain_id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if free is None:
            return self._start(session, now)
        session.execute(
            update(_chains)
            .where(_chains.c.chain_id == free.chain_id)
            .values(claimed_by=self._writer, claimed_until=now + _CLAIM)
        )
        return Head(chain_id=free.chain_id, sequence=free.head_sequence, mac=free.head_mac)

    def _start(self, session: Session, now: datetime) -> Head:
        key_id, key = self._keys.current()
        head = Head(chain_id=new_id("chain"), sequence=0, mac=GENESIS)
        session.execute(
            insert(_chains),
            {
                "chain_id": head.chain_id,
                "head_sequence": head.sequence,
                "head_mac": head.mac,
                "head_seal": head_mac(key, head, key_id),
                "key_id": key_id,
                "claimed_by": self._writer,
                "claimed_until": now + _CLAIM,
            },
        )
        return head

    def _give_back(self, session: Session, *, committed: bool) -> None:
        held: _Held | None = session.info.pop(_IN_SESSION, None)
        head = None if held is None else held.head if committed else held.before
        if head is not None:
            with self._lock:
                self._free.append(head)


def _head_at(record: AuditRecord) -> Head:
    return Head(chain_id=record.chain_id, sequence=record.sequence, mac=record.mac)


def _clean(entry: AuditEntry) -> AuditEntry:
    """Nothing that a person typed or a browser sent may carry a PAN into the trail."""
    return replace(
        entry,
        resource=redact_card_numbers(entry.resource)[:MAX_NAME],
        reason=redact_card_numbers(entry.reason)[:MAX_REASON],
        user_agent=redact_card_numbers(entry.user_agent)[:MAX_USER_AGENT],
        ip=redact_card_numbers(entry.ip)[:64],
        actor=entry.actor[:MAX_NAME],
        agent_id=entry.agent_id[:MAX_NAME],
    )


def _columns(record: AuditRecord) -> dict[str, Any]:  # Any: column values
    entry = record.entry
    return {
        "chain_id": record.chain_id,
        "sequence": record.sequence,
        "at": record.at,
        "action": entry.action,
        "result": entry.result,
        "actor": entry.actor,
        "agent_id": entry.agent_id,
        "resource": entry.resource,
        "card_token": entry.card_token,
        "reason": entry.reason,
        "ip": entry.ip,
        "user_agent": entry.user_agent,
        "key_id": record.key_id,
        "prev_mac": record.prev_mac,
        "mac": record.mac,
    }
