"""Key management's door: rotate, rewrap what lives, retire and destroy versions that nothing live needs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import structlog

from chassis.clock import Clock
from chassis.db import Database
from services.vault.audit.service import Audit, AuditEntry, Result
from services.vault.keys.rules import IN_FLIGHT, is_due, oldest_needed, seconds_to_settle
from services.vault.transit.service import (
    CVV_ROTATION,
    MAX_BATCH,
    Cipher,
    KeyInfo,
    KeyName,
    Transit,
    Wrapped,
    WrappedColumn,
)

__all__ = ["IN_FLIGHT", "KeyService", "Progress"]

_log = structlog.get_logger(__name__)
_BY_ITSELF = "vault"
T = TypeVar("T")


class _Names(NamedTuple):
    """What the audit trail calls an act: before it, after it, and when it failed."""

    begun: str
    done: str
    failed: str


_ROTATION = _Names("key.rotation_begun", "key.rotated", "key.rotation_failed")
_RETIREMENT = _Names("key.retirement_begun", "key.retired", "key.retirement_failed")
_TRIM = _Names("key.trim_begun", "key.trimmed", "key.trim_failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rewrap is: ciphertexts done, of how many; `card_key` as it stands."""

    done: int
    total: int
    finished: bool
    card_key: KeyInfo


class KeyService:
    """Thread-safe. `columns` are all places where the rooms keep ciphertexts; one left out would lose its data."""

    def __init__(
        self,
        database: Database,
        transit: Transit,
        *,
        audit: Audit,
        clock: Clock,
        columns: Sequence[WrappedColumn],
        pause: Callable[[float], object],
    ) -> None:
        """`pause` waits that many seconds, or less when the process is told to stop (`threading.Event.wait`).

        Raises ValueError when a key has no column.
        """
        missing = set(KeyName) - {column.key for column in columns}
        if missing:
            raise ValueError(f"no column is named for the keys {sorted(missing)}")
        self._database = database
        self._keeper = transit.rotation
        self._rotates_by_itself = transit.rotates_by_itself
        self._audit = audit
        self._clock = clock
        self._columns = columns
        self._pause = pause

    def infos(self) -> list[KeyInfo]:
        """All keys as they stand. Raises TransitUnavailable."""
        return [self._keeper.info(key) for key in KeyName]

    def rotate(self, keys: Sequence[KeyName], *, actor: str) -> list[KeyInfo]:
        """Makes a new version of each key. Never inside a transaction. Raises TransitUnavailable."""
        return [
            self._carry_out(_ROTATION, key, actor=actor, reason="", act=partial(self._keeper.rotate, key))
            for key in keys
        ]

    def rewrap(self, *, trim: bool, actor: str) -> Iterator[Progress]:
        """Brings every live ciphertext of every key to its newest version, then retires the older ones.

        Yields after each batch of 200. A key rotated within the last IN_FLIGHT is waited for, because requests
        that encrypted just before may still commit. `trim` destroys the retired versions for good. May be stopped
        and run again at any point. Raises TransitUnavailable.
        """
        self._note("keys.rewrap_begun", actor, "all", "trim" if trim else "")
        targets = {info.key: info for info in self.infos()}
        total = self._outdated(targets)
        done = 0
        for round_done in self._rounds(targets):
            done += round_done
            yield self._progress(done, max(total, done))
        for info in targets.values():
            self._discard(info.key, trim=trim, actor=actor)
        self._note("keys.rewrapped", actor, "all", f"{done} ciphertexts")
        yield self._progress(done, max(total, done), finished=True)

    def tend(self) -> None:
        """For the worker, every minute: rotates the CVV key hourly where the engine does not, and destroys CVV key
        versions that no kept CVV needs, so that the CVVs in a backup die with them. Raises TransitUnavailable."""
        info = self._keeper.info(KeyName.CVV)
        if not self._rotates_by_itself and is_due(info, CVV_ROTATION, self._clock.now()):
            self.rotate([KeyName.CVV], actor=_BY_ITSELF)
        self._discard(KeyName.CVV, trim=True, actor=_BY_ITSELF)

    # ---- rewrapping

    def _rounds(self, targets: dict[KeyName, KeyInfo]) -> Iterator[int]:
        """Two rounds: what is there now, and what was on its way into the database when a key was rotated."""
        for column in self._columns:
            yield from self._rewrap_column(column, targets[column.key])
        wait = seconds_to_settle(targets.values(), self._clock.now())
        if wait > 0:
            self._pause(wait)
            for column in self._columns:
                yield from self._rewrap_column(column, targets[column.key])

    def _rewrap_column(self, column: WrappedColumn, target: KeyInfo) -> Iterator[int]:
        after = ""
        while True:
            with self._database.read() as session:
                batch = column.outdated(session, below=target.latest_version, after=after, limit=MAX_BATCH)
            if not batch:
                return
            yield self._rewrap_batch(column, batch)
            after = batch[-1].row_id

    def _rewrap_batch(self, column: WrappedColumn, batch: list[Wrapped]) -> int:
        results = self._keeper.rewrap(column.key, [(item.cipher, item.context) for item in batch])
        done = 0
        with self._database.transaction() as session:
            for item, result in zip(batch, results, strict=True):
                if isinstance(result, Cipher):
                    done += column.replace(session, item, result)
                else:
                    _log.error("keys.rewrap_refused", key=column.key, row_id=item.row_id)
        return done

    def _outdated(self, targets: dict[KeyName, KeyInfo]) -> int:
        with self._database.read() as session:
            return sum(
                column.count_outdated(session, below=targets[column.key].latest_version) for column in self._columns
            )

    # ---- retiring

    def _discard(self, key: KeyName, *, trim: bool, actor: str) -> None:
        """Retires, and when asked destroys, the versions below the oldest that is needed."""
        # The versions first, then their use: a ciphertext that comes in between is of a version that stays.
        info = self._keeper.info(key)
        with self._database.read() as session:
            in_use = [column.lowest_version(session) for column in self._columns if column.key is key]
        floor = oldest_needed(info, in_use, self._clock.now())
        stale = info.oldest_version < floor if trim else info.min_decryption_version < floor
        if not stale:
            return
        self._carry_out(
            _TRIM if trim else _RETIREMENT,
            key,
            actor=actor,
            reason=f"below version {floor}",
            act=lambda: self._keeper.trim(key, floor) if trim else self._keeper.retire(key, floor),
        )

    def _progress(self, done: int, total: int, *, finished: bool = False) -> Progress:
        return Progress(done=done, total=total, finished=finished, card_key=self._keeper.info(KeyName.CARD))

    def _carry_out(self, names: _Names, key: KeyName, *, actor: str, reason: str, act: Callable[[], T]) -> T:
        """Intent, act, outcome. The engine can't take part in a transaction, so each row is committed by itself:
        without the intent nothing is done, and whatever fails after that, the intent stands in the trail."""
        self._note(names.begun, actor, key, reason)
        try:
            done = act()
        except Exception as error:
            # What an engine did that gave no answer is not known; `key.…_begun` without `key.…ed` says so.
            self._note(names.failed, actor, key, type(error).__name__, result="refused")
            raise
        self._note(names.done, actor, key, reason)
        return done

    def _note(self, action: str, actor: str, resource: str, reason: str, result: Result = "ok") -> None:
        with self._database.transaction() as session:
            self._audit.record(
                session, AuditEntry(action=action, actor=actor, resource=resource, reason=reason, result=result)
            )
