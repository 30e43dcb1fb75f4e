"""Failed sign-ins, counted in the database: after ten, signing in rests for half an hour (PCI DSS 8.3.4).

Strangers are counted by account, whatever addresses they come from, so that guessing stays bounded; by the pair of
address and account, which rests for a day when it does it again; and by address, for those who try many accounts.
A device that signed in to the account before is counted by itself: strangers' failures don't keep it out.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, Table, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.clock import Clock
from chassis.db import UtcDateTime, insert_if_absent
from chassis.web.proxies import network_of

FAILURES_ALLOWED = 10
LOCKED_FOR = timedelta(minutes=30)
# An office behind one address makes more slips together than one person; a sprayer of passwords many more.
FAILURES_PER_ADDRESS: Final = 50
# The second time that one address has an account locked, it rests this long.
PAIR_RESTS_FOR: Final = timedelta(days=1)
_LOCKS_PER_PAIR: Final = 2
_FAILURES_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who tries: an IP address, and the id of a device that has signed in to this account before ("" for none)."""

    address: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Failed sign-ins of one address. `locked_until` may lie in the past."""

    failures: int = 0
    locked_until: datetime | None = None

    def locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def with_one_more(
        self, now: datetime, *, most: int = FAILURES_ALLOWED, rests: timedelta = LOCKED_FOR
    ) -> "Attempts":
        """Counted before the attempt is judged, so that parallel guesses can't outrun the count."""
        failures = 1 if self.locked_until is not None else self.failures + 1
        return Attempts(failures=failures, locked_until=now + rests if failures >= most else None)

    def with_one_less(self) -> "Attempts":
        """For an attempt that was right after all."""
        return Attempts(failures=max(0, self.failures - 1), locked_until=None)


class AttemptColumns:
    """Columns of a service's table of failures: whether or not anybody has the name, so a lock tells nothing."""

    # SHA-256 of what is counted (_Count), so that neither names that strangers type nor addresses are kept.
    address_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_failure_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the attempt is judged at all, and whether it was the one that has the account rest for strangers."""

    allowed: bool
    locks_account: bool = False

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True, order=True)
class _Count:
    """One row's key and rule."""

    key: str
    most: int = FAILURES_ALLOWED


def address_digest(name: str) -> str:
    """The key under which a name's or address's failures are counted."""
    return hashlib.sha256(name.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()


class Lockout:
    """Counts over a table with AttemptColumns. Every method takes part in the caller's transaction."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def count(self, session: Session, name: str, visitor: Visitor | None = None) -> Verdict:
        """Counts an attempt before it is judged. Not allowed while anything that counts it rests; then nothing is
        counted."""
        now = self._clock.now()
        counts = _counts(name, visitor)
        held = {count: self._held(session, count.key) for count in counts}
        pair_locks = _pair_locks(name, visitor)
        if any(attempts.locked(now) for attempts in held.values()) or (
            pair_locks and self._held(session, pair_locks).locked(now)
        ):
            return Verdict(allowed=False)
        after = {count: attempts.with_one_more(now, most=count.most) for count, attempts in held.items()}
        for count, attempts in after.items():
            self._write(session, count.key, attempts, last_failure_at=now)
        locks = any(count.key == _account(name) and attempts.locked(now) for count, attempts in after.items())
        if locks and pair_locks:
            again = self._held(session, pair_locks).with_one_more(now, most=_LOCKS_PER_PAIR, rests=PAIR_RESTS_FOR)
            self._write(session, pair_locks, again, last_failure_at=now)
        return Verdict(allowed=True, locks_account=locks)

    def forgive_one(self, session: Session, name: str, visitor: Visitor | None = None) -> None:
        """Takes an attempt back that was right after all."""
        for count in _counts(name, visitor):
            self._write(session, count.key, self._held(session, count.key).with_one_less())

    def clear(self, session: Session, name: str, visitor: Visitor | None = None) -> None:
        """Forgets the failures: the person has proven themselves. Behind a known device only that device's: strangers,
        who may be guessing meanwhile, get no more tries by it."""
        for count in _counts(name, visitor):
            if count.most == FAILURES_PER_ADDRESS:
                self._write(session, count.key, self._held(session, count.key).with_one_less())
            else:
                self._write(session, count.key, Attempts())
        if pair_locks := _pair_locks(name, visitor):
            self._write(session, pair_locks, Attempts())

    def sweep(self, session: Session) -> None:
        """Forgets failures of long ago, so that strangers' typing does not fill the table."""
        limit = self._clock.now() - _FAILURES_KEPT
        session.execute(delete(self._table).where(self._table.c.last_failure_at < limit))

    def _held(self, session: Session, key: str) -> Attempts:
        digest = address_digest(key)
        fresh = {"address_sha256": digest, "failures": 0, "locked_until": None, "last_failure_at": self._clock.now()}
        insert_if_absent(session, self._table, fresh)
        columns = self._table.c
        row = session.execute(
            select(columns.failures, columns.locked_until).where(columns.address_sha256 == digest).with_for_update()
        ).one()
        return Attempts(failures=row.failures, locked_until=row.locked_until)

    def _write(self, session: Session, key: str, attempts: Attempts, **also: datetime) -> None:
        session.execute(
            update(self._table)
            .where(self._table.c.address_sha256 == address_digest(key))
            .values(failures=attempts.failures, locked_until=attempts.locked_until, **also)
        )


def _counts(name: str, visitor: Visitor | None) -> list[_Count]:
    """What an attempt counts for, in one order, so that two attempts never wait for each other."""
    visitor = visitor or Visitor()
    if visitor.device:
        return [_Count(f"device\0{visitor.device}\0{_account(name)}")]
    counts = [_Count(_account(name))]
    if visitor.address:
        counts.append(_Count(f"address\0{network_of(visitor.address)}", most=FAILURES_PER_ADDRESS))
    return sorted(counts)


def _pair_locks(name: str, visitor: Visitor | None) -> str:
    """The key of how often one address had the account locked; "" for a known device, or where no address is known."""
    if visitor is None or visitor.device or not visitor.address:
        return ""
    return f"pair\0{network_of(visitor.address)}\0{_account(name)}"


def _account(name: str) -> str:
    return name.strip().casefold()
