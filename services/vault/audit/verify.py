"""Proves that the trail is whole: recomputes every MAC and compares every signed head."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from sqlalchemy import Row, Table, select
from sqlalchemy.orm import Session

from services.vault.audit.heads import BrokenHead
from services.vault.audit.keyring import AuditKeys
from services.vault.audit.models import AuditChain, AuditRow
from services.vault.audit.rules import (
    GENESIS,
    AuditEntry,
    AuditRecord,
    Finding,
    Head,
    VerifyReport,
    head_mac,
    row_mac,
    same_mac,
)

_chains: Final = cast("Table", AuditChain.__table__)
_rows: Final = cast("Table", AuditRow.__table__)
_MAX_FINDINGS = 1000
_FETCH = 1000


def verify(session: Session, keys: AuditKeys, heads: Iterable[Head | BrokenHead]) -> VerifyReport:
    """Reads the whole trail on one snapshot. Stops collecting (not counting) at 1,000 findings.

    `heads` must have been read before the session's snapshot was taken: a head written later would seem ahead of its
    chain.
    """
    return _Verification(keys).run(session, heads)


class _Verification:
    def __init__(self, keys: AuditKeys) -> None:
        self._keys = keys
        self._report = VerifyReport()
        self._signed: dict[tuple[str, int], str] = {}

    def run(self, session: Session, heads: Iterable[Head | BrokenHead]) -> VerifyReport:
        self._read_heads(heads)
        chains = {row.chain_id: row for row in session.execute(select(_chains))}
        ends = self._walk_rows(session)
        for chain_id, chain in chains.items():
            self._check_chain(chain, ends.pop(chain_id, Head(chain_id=chain_id, sequence=0, mac=GENESIS)))
        for chain_id, end in ends.items():
            self._find(chain_id, end.sequence, "the chain's head is missing")
        self._report.chains = len(chains)
        self._check_unmet_heads()
        return self._report

    def _read_heads(self, heads: Iterable[Head | BrokenHead]) -> None:
        for head in heads:
            self._report.heads += 1
            if isinstance(head, BrokenHead):
                self._find("", head.line, "a line of the head file is not a head that the vault signed")
                continue
            before = self._signed.setdefault((head.chain_id, head.sequence), head.mac)
            if not same_mac(before, head.mac):
                self._find(head.chain_id, head.sequence, "two signed heads contradict each other")

    def _walk_rows(self, session: Session) -> dict[str, Head]:
        """Checks each row against the one before; returns where each chain's rows end."""
        ends: dict[str, Head] = {}
        query = select(_rows).order_by(_rows.c.chain_id, _rows.c.sequence).execution_options(yield_per=_FETCH)
        for row in session.execute(query):
            self._report.rows += 1
            record = record_of(row)
            before = ends.get(record.chain_id, Head(chain_id=record.chain_id, sequence=0, mac=GENESIS))
            self._check_row(record, before)
            ends[record.chain_id] = Head(chain_id=record.chain_id, sequence=record.sequence, mac=record.mac)
        return ends

    def _check_row(self, record: AuditRecord, before: Head) -> None:
        chain_id, sequence = record.chain_id, record.sequence
        if sequence != before.sequence + 1:
            self._find(chain_id, before.sequence + 1, f"rows {before.sequence + 1} to {sequence - 1} are missing")
        elif not same_mac(record.prev_mac, before.mac):
            self._find(chain_id, sequence, "the row does not follow the row before it")
        key = self._key(record.key_id)
        if key is None or not same_mac(record.mac, row_mac(key, record)):
            self._find(chain_id, sequence, "the row was changed")
        signed = self._signed.pop((chain_id, sequence), None)
        if signed is not None and not same_mac(signed, record.mac):
            self._find(chain_id, sequence, "the row is not the one whose head was signed")

    def _check_chain(self, chain: Row[Any], end: Head) -> None:
        head = Head(chain_id=chain.chain_id, sequence=chain.head_sequence, mac=chain.head_mac)
        key = self._key(chain.key_id)
        if key is None or not same_mac(chain.head_seal, head_mac(key, head, chain.key_id)):
            self._find(head.chain_id, head.sequence, "the chain's head was changed")
        if (head.sequence, head.mac) != (end.sequence, end.mac):
            self._find(
                head.chain_id, end.sequence, f"the chain ends at row {end.sequence}, its head says {head.sequence}"
            )
        signed = self._signed.get((head.chain_id, 0))
        if signed is not None and same_mac(signed, GENESIS):
            del self._signed[(head.chain_id, 0)]

    def _check_unmet_heads(self) -> None:
        for chain_id, sequence in self._signed:
            self._find(chain_id, sequence, "a row whose head was signed is missing")

    def _key(self, key_id: str) -> bytes | None:
        try:
            return self._keys.key(key_id)
        except KeyError:
            return None

    def _find(self, chain_id: str, sequence: int, problem: str) -> None:
        if len(self._report.findings) < _MAX_FINDINGS:
            self._report.findings.append(Finding(chain_id=chain_id, sequence=sequence, problem=problem))


def record_of(row: Row[Any]) -> AuditRecord:
    """A stored row as a value."""
    entry = AuditEntry(
        action=row.action,
        result=row.result,
        actor=row.actor,
        agent_id=row.agent_id,
        resource=row.resource,
        card_token=row.card_token,
        reason=row.reason,
        ip=row.ip,
        user_agent=row.user_agent,
    )
    return AuditRecord(
        entry=entry,
        chain_id=row.chain_id,
        sequence=row.sequence,
        at=row.at,
        key_id=row.key_id,
        prev_mac=row.prev_mac,
        mac=row.mac,
    )


def export_rows(session: Session, *, chain_id: str | None = None, after: int = 0) -> Iterator[AuditRecord]:
    """Every row, oldest first within its chain; or one chain's rows after a number."""
    query = select(_rows).order_by(_rows.c.chain_id, _rows.c.sequence).execution_options(yield_per=_FETCH)
    if chain_id is not None:
        query = query.where(_rows.c.chain_id == chain_id, _rows.c.sequence > after)
    return (record_of(row) for row in session.execute(query))


def rows_of_card(session: Session, card_token: str) -> list[AuditRecord]:
    """What happened to one card, oldest first."""
    query = select(_rows).where(_rows.c.card_token == card_token)
    records = [record_of(row) for row in session.execute(query)]
    return sorted(records, key=lambda record: (record.at, record.chain_id, record.sequence))
