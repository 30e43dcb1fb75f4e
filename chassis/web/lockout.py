"""Failed sign-ins, counted in the database: after ten, a name or address rests for half an hour (PCI DSS 8.3.4)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, Table, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.clock import Clock
from chassis.db import UtcDateTime, insert_if_absent

FAILURES_ALLOWED = 10
LOCKED_FOR = timedelta(minutes=30)
_FAILURES_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Failed sign-ins of one address. `locked_until` may lie in the past."""

    failures: int = 0
    locked_until: datetime | None = None

    def locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def with_one_more(self, now: datetime) -> "Attempts":
        """Counted before the attempt is judged, so that parallel guesses can't outrun the count."""
        failures = 1 if self.locked_until is not None else self.failures + 1
        return Attempts(failures=failures, locked_until=now + LOCKED_FOR if failures >= FAILURES_ALLOWED else None)

    def with_one_less(self) -> "Attempts":
        """For an attempt that was right after all."""
        return Attempts(failures=max(0, self.failures - 1), locked_until=None)


class AttemptColumns:
    """Columns of a service's table of failures: whether or not anybody has the name, so a lock tells nothing."""

    # SHA-256 of the casefolded name or address, so that what strangers type is not kept.
    address_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_failure_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def address_digest(name: str) -> str:
    """The key under which a name's or address's failures are counted."""
    return hashlib.sha256(name.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()


class Lockout:
    """Counts over a table with AttemptColumns. Every method takes part in the caller's transaction."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def count(self, session: Session, name: str) -> bool:
        """Counts an attempt before it is judged. False when the name is locked; then nothing is counted."""
        now = self._clock.now()
        attempts = self._held(session, name)
        if attempts.locked(now):
            return False
        self._write(session, name, attempts.with_one_more(now), last_failure_at=now)
        return True

    def forgive_one(self, session: Session, name: str) -> None:
        """Takes an attempt back that was right after all."""
        attempts = self._held(session, name)
        self._write(session, name, attempts.with_one_less())

    def clear(self, session: Session, name: str) -> None:
        """Forgets every failure: the person has proven herself."""
        self._write(session, name, Attempts())

    def sweep(self, session: Session) -> None:
        """Forgets failures of long ago, so that strangers' typing does not fill the table."""
        limit = self._clock.now() - _FAILURES_KEPT
        session.execute(delete(self._table).where(self._table.c.last_failure_at < limit))

    def _held(self, session: Session, name: str) -> Attempts:
        digest = address_digest(name)
        fresh = {"address_sha256": digest, "failures": 0, "locked_until": None, "last_failure_at": self._clock.now()}
        insert_if_absent(session, self._table, fresh)
        columns = self._table.c
        row = session.execute(
            select(columns.failures, columns.locked_until).where(columns.address_sha256 == digest).with_for_update()
        ).one()
        return Attempts(failures=row.failures, locked_until=row.locked_until)

    def _write(self, session: Session, name: str, attempts: Attempts, **also: datetime) -> None:
        session.execute(
            update(self._table)
            .where(self._table.c.address_sha256 == address_digest(name))
            .values(failures=attempts.failures, locked_until=attempts.locked_until, **also)
        )
