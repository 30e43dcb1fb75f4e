"""The sealing keys' door: the public key to render now, opening what was sealed, rotation, destruction."""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import structlog
from sqlalchemy import CursorResult, Row, Table, insert, select, update
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import SealBroken
from chassis.ids import new_id
from chassis.sealing import OpeningKey, SealError, open_sealed, sealed_kid
from services.vault.audit.service import Audit, AuditEntry
from services.vault.sealing_keys.models import SealingKeyRow
from services.vault.sealing_keys.rules import MAKE_BEFORE, Lifetime, key_context
from services.vault.transit.service import Cipher, CipherRefused, KeyName, WrappedColumn, Wrapper

__all__ = ["Lifetime", "SealingKeys", "ServedKey", "wrapped_column"]

_log = structlog.get_logger(__name__)
_table: Final = cast("Table", SealingKeyRow.__table__)


def wrapped_column() -> WrappedColumn:
    """Where this room keeps ciphertexts, for key management."""
    return WrappedColumn(
        key=KeyName.SEALING,
        table=_table,
        row_id="kid",
        cipher="wrapped",
        version="key_version",
        context_columns=("kid",),
        context_of_row=key_context,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedKey:
    """The public key to render into the secure frame. `public_jwk` is RFC 7517 JSON with its `kid`."""

    kid: str
    public_jwk: str
    served_until: datetime
    opens_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unwrapped:
    key: OpeningKey
    opens_until: datetime


class SealingKeys:
    """One per process. Thread-safe; other processes' keys are found in the database when they are first met."""

    def __init__(self, database: Database, wrapper: Wrapper, *, audit: Audit, clock: Clock, lifetime: Lifetime) -> None:
        self._database = database
        self._wrapper = wrapper
        self._audit = audit
        self._clock = clock
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._served: ServedKey | None = None
        self._unwrapped: dict[str, _Unwrapped] = {}

    def current(self) -> ServedKey:
        """The key to seal to now; the first one is made here. Raises TransitUnavailable."""
        now = self._clock.now()
        served = self._served
        if served is not None and now < served.served_until - MAKE_BEFORE:
            return served
        with self._lock:
            self._served = self._newest(now) or self._make(now)
            return self._served

    def open(self, text: str, typ: str) -> bytes:
        """Opens what a frame sealed. Raises SealBroken, TransitUnavailable."""
        try:
            kid = sealed_kid(text)
            if kid is None:
                raise SealBroken
            return open_sealed(self._key(kid), text, typ)
        except SealError as error:
            raise SealBroken from error

    def rotate(self) -> ServedKey | None:
        """For the worker: makes the next key in time. Returns it, or None when the present one has time left."""
        now = self._clock.now()
        with self._lock:
            newest = self._newest(now)
            if newest is not None and now < newest.served_until - MAKE_BEFORE:
                return None
            self._served = self._make(now)
            return self._served

    def replace(self) -> ServedKey:
        """Makes a new key now and serves it from now on; what was sealed to the old one still opens in its time.

        This process serves it at once, the others when their present key's time is over.
        """
        with self._lock:
            self._served = self._make(self._clock.now())
            return self._served

    def destroy_expired(self) -> int:
        """Destroys the private keys whose time is over, here and in the database; returns how many."""
        now = self._clock.now()
        self._forget(now)
        with self._database.transaction() as session:
            kids = session.execute(
                select(_table.c.kid).where(_table.c.opens_until <= now, _table.c.wrapped.is_not(None))
            ).scalars()
            return sum(self._destroy(session, kid, now) for kid in list(kids))

    # ---- keys

    def _newest(self, now: datetime) -> ServedKey | None:
        query = select(_table).where(_table.c.served_until > now, _table.c.wrapped.is_not(None))
        with self._database.read() as session:
            row = session.execute(query.order_by(_table.c.made_at.desc(), _table.c.kid).limit(1)).first()
        return None if row is None else _served(row)

    def _make(self, now: datetime) -> ServedKey:
        """Two processes may both make one: the newer is served, both open."""
        kid = new_id("seal")
        key = OpeningKey.generate(kid)
        cipher = self._wrapper.encrypt(KeyName.SEALING, key.private_jwk(), key_context(kid))
        row = {
            "kid": kid,
            "public_jwk": key.public.public_json(),
            "wrapped": cipher.text,
            "key_version": cipher.version,
            "made_at": now,
            "served_until": self._lifetime.served_until(now),
            "opens_until": self._lifetime.opens_until(now),
            "destroyed_at": None,
        }
        with self._database.transaction() as session:
            session.execute(insert(_table), row)
            self._audit.record(session, AuditEntry(action="sealing_key.made", actor="vault", resource=kid))
        self._unwrapped[kid] = _Unwrapped(key=key, opens_until=self._lifetime.opens_until(now))
        return ServedKey(
            kid=kid,
            public_jwk=key.public.public_json(),
            served_until=self._lifetime.served_until(now),
            opens_until=self._lifetime.opens_until(now),
        )

    def _key(self, kid: str) -> OpeningKey:
        now = self._clock.now()
        known = self._unwrapped.get(kid)
        if known is None:
            known = self._unwrap(kid)
        if known.opens_until <= now:
            self._forget(now)
            raise SealBroken
        return known.key

    def _unwrap(self, kid: str) -> _Unwrapped:
        with self._lock:
            if kid in self._unwrapped:
                return self._unwrapped[kid]
            with self._database.read() as session:
                row = session.execute(select(_table).where(_table.c.kid == kid)).first()
            if row is None or row.wrapped is None or row.opens_until <= self._clock.now():
                raise SealBroken
            try:
                private = self._wrapper.decrypt(KeyName.SEALING, Cipher(row.wrapped), key_context(kid))
            except CipherRefused:
                _log.error("sealing_key.refused", kid=kid)
                raise
            self._unwrapped[kid] = unwrapped = _Unwrapped(key=OpeningKey(private), opens_until=row.opens_until)
            return unwrapped

    def _forget(self, now: datetime) -> None:
        with self._lock:
            self._unwrapped = {kid: known for kid, known in self._unwrapped.items() if known.opens_until > now}

    def _destroy(self, session: Session, kid: str, now: datetime) -> int:
        done = session.execute(
            update(_table)
            .where(_table.c.kid == kid, _table.c.wrapped.is_not(None))
            .values(wrapped=None, key_version=None, destroyed_at=now)
        )
        if cast("CursorResult[Any]", done).rowcount == 0:
            return 0
        self._audit.record(session, AuditEntry(action="sealing_key.destroyed", actor="vault", resource=kid))
        return 1


def _served(row: Row[Any]) -> ServedKey:
    return ServedKey(kid=row.kid, public_jwk=row.public_jwk, served_until=row.served_until, opens_until=row.opens_until)
