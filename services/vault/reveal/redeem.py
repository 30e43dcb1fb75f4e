"""Redeeming a grant, in the five steps of docs/design.md (The sealed protocol).

(1) what speaks against it; (2) open → redeeming, by a conditional UPDATE with a lease; (3) transit decrypts;
(4) one transaction: revealed, audit row, the sealed answer kept for a while; (5) the answer.
A fault before (4) gives the lease back, a crashed process's lease runs out: nothing is burned. After (4) only the
same recipient gets the kept answer: nothing is shown twice.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis import ids
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Busy
from chassis.rpc.calls import current_call, require_time
from chassis.sealing import RecipientKey
from services.vault.reveal.grants import give_back_grant, reveal_grant, take_grant
from services.vault.reveal.payload import Recipient
from services.vault.reveal.rules import LEASE, Grant
from services.vault.transit.service import Cipher, Context, Decryptor, KeyName

# Seconds that (2) to (4) may take on a busy machine: less than this left, and nothing is begun.
TIME_NEEDED: Final = 0.5
# What is left of the lease for (4) when (3) took as long as it may.
_COMMIT_MARGIN: Final = 3.0

log = structlog.get_logger("vault.redeem")


class Sealer(Protocol):
    """Seals an answer to its recipient."""

    def __call__(self, public_jwk: RecipientKey, payload: bytes, typ: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What the grant shows: a ciphertext, and the type of the answer it is sealed into."""

    key: KeyName
    cipher: str
    context: Context
    typ: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A sealed answer, and when it was made."""

    answer: str
    at: datetime


class Redeemer:
    """Steps (2) to (4)."""

    def __init__(
        self, *, database: Database, clock: Clock, transit: Decryptor, seal: Sealer, answer_ttl: timedelta
    ) -> None:
        self._database = database
        self._clock = clock
        self._transit = transit
        self._seal = seal
        self._answer_ttl = answer_ttl

    def redeem(
        self, grant: Grant, recipient: Recipient, secret: Secret, settle: Callable[[Session, datetime], None]
    ) -> Shown:
        """Shows the secret to the recipient.

        `settle` runs in the transaction of step (4): it moves the card and writes the audit row, and raises what
        forbids showing. Raises Busy when another request redeems the same grant, and whatever the steps raise.
        """
        require_time(TIME_NEEDED)
        lease_id = ids.new_id("lease")
        with self._database.transaction() as session:
            take_grant(session, grant, recipient.id, lease_id, self._clock.now())
        shown = False
        try:
            answer = self._open_and_seal(recipient, secret)
            at = self._commit(grant, lease_id, answer, settle)
            shown = True
        finally:
            if not shown:
                self._give_back(grant, lease_id)
        return Shown(answer=answer, at=at)

    def _open_and_seal(self, recipient: Recipient, secret: Secret) -> str:
        longest = min(LEASE.total_seconds() - _COMMIT_MARGIN, current_call().time_left() - 0.1)
        plaintext = self._transit.decrypt(secret.key, Cipher(secret.cipher), secret.context, timeout=max(0.05, longest))
        return self._seal(recipient.key, plaintext, secret.typ)

    def _commit(
        self, grant: Grant, lease_id: str, answer: str, settle: Callable[[Session, datetime], None]
    ) -> datetime:
        with self._database.transaction() as session:
            now = self._clock.now()
            # First the card: every path that touches both rows takes its lock first.
            settle(session, now)
            if not reveal_grant(
                session, grant.id, lease_id, answer=answer, now=now, answer_until=now + self._answer_ttl
            ):
                # The lease ran out and another request took over; this one has shown nothing.
                raise Busy
        return now

    def _give_back(self, grant: Grant, lease_id: str) -> None:
        # If even this fails, the lease runs out by itself.
        with suppress(SQLAlchemyError):
            with self._database.transaction() as session:
                returned = give_back_grant(session, grant.id, lease_id)
            log.warning("redeem.given_back", grant=grant.id, returned=returned)
