"""The HMAC keys of the trail. Kept in the database, wrapped by the transit key `sealing`: made once, by whichever
process starts first. Whoever has only the database, or only a backup of it, can't compute a MAC."""

import secrets
import threading
from typing import Final, cast

from sqlalchemy import Table, select

from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from services.vault.audit.models import AuditKey
from services.vault.transit.service import Cipher, Context, KeyName, TransitUnavailable, Wrapper, context_of

_FIRST = "audit-1"
_keys: Final = cast("Table", AuditKey.__table__)


def key_context(key_id: str) -> Context:
    """The transit context of a wrapped HMAC key."""
    return context_of("audit-key", key_id)


class AuditKeys:
    """Unwrapped HMAC keys, kept in this process."""

    def __init__(self, database: Database, wrapper: Wrapper, *, clock: Clock) -> None:
        self._database = database
        self._wrapper = wrapper
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, bytes] = {}

    def prepare(self) -> None:
        """Makes the first key when the database has none, and unwraps it. Not inside a transaction."""
        if _FIRST in self._known:
            return
        if self._stored(_FIRST) is None:
            self._make_first()
        self.key(_FIRST)

    def current(self) -> tuple[str, bytes]:
        """The id and bytes of the key that new rows are chained with. Raises TransitUnavailable while there is none."""
        try:
            return _FIRST, self.key(_FIRST)
        except KeyError as error:  # `prepare` has never reached transit yet
            raise TransitUnavailable from error

    def key(self, key_id: str) -> bytes:
        """The bytes of a key. Raises KeyError for one the database doesn't have, TransitUnavailable, CipherRefused."""
        known = self._known.get(key_id)
        if known is not None:
            return known
        with self._lock:
            if key_id not in self._known:
                self._known[key_id] = self._unwrap(key_id)
            return self._known[key_id]

    def _unwrap(self, key_id: str) -> bytes:
        wrapped = self._stored(key_id)
        if wrapped is None:
            raise KeyError(key_id)
        return self._wrapper.decrypt(KeyName.SEALING, Cipher(wrapped), key_context(key_id))

    def _stored(self, key_id: str) -> str | None:
        with self._database.read() as session:
            return session.execute(select(_keys.c.wrapped).where(_keys.c.key_id == key_id)).scalar_one_or_none()

    def _make_first(self) -> None:
        cipher = self._wrapper.encrypt(KeyName.SEALING, secrets.token_bytes(32), key_context(_FIRST))
        with self._database.transaction() as session:
            insert_if_absent(
                session,
                _keys,
                {
                    "key_id": _FIRST,
                    "wrapped": cipher.text,
                    "key_version": cipher.version,
                    "created_at": self._clock.now(),
                },
            )
