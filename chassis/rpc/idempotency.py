"""Mutating calls that may be repeated: the same key with the same body gets the same answer.

A key is remembered hashed, together with method and caller, so that two callers' keys never meet. The record is
written in the transaction of the effect: either both exist or neither.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from google.protobuf.message import Message
from sqlalchemy import Column, CursorResult, LargeBinary, MetaData, Table, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database, UtcDateTime, Write, write_together
from chassis.errors import IdempotencyMismatch, InvalidArgument
from chassis.rpc.calls import current_call

Answer = TypeVar("Answer", bound=Message)

_KEY: Final = re.compile(r"[!-~]{8,128}")


def attach_idempotency(metadata: MetaData) -> Table:
    """The table of remembered calls, added to a service's metadata."""
    return Table(
        "idempotency",
        metadata,
        Column("key_hash", LargeBinary(32), primary_key=True),
        Column("body_hash", LargeBinary(32), nullable=False),
        Column("answer", LargeBinary, nullable=False),
        Column("kept_at", UtcDateTime(), nullable=False, index=True),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallKey:
    """What a repeated call is recognised by."""

    key_hash: bytes
    body_hash: bytes

    @classmethod
    def of(cls, key: str, request: Message) -> "CallKey":
        """For the current call. Raises InvalidArgument when the key is not 8 to 128 visible ASCII characters."""
        if not _KEY.fullmatch(key):
            raise InvalidArgument("The call needs an idempotency key of 8 to 128 characters.", field="idempotency_key")
        call = current_call()
        scope = f"{call.method}\n{call.caller}\n{key}".encode()
        body = request.SerializeToString(deterministic=True)
        return cls(key_hash=hashlib.sha256(scope).digest(), body_hash=hashlib.sha256(body).digest())


class Idempotency:
    """Remembers answers in one service's database."""

    def __init__(self, database: Database, table: Table, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.table = table
        # Built once: building a statement costs several times what executing it does.
        self._insert = insert(table)
        self._find = select(table.c.body_hash, table.c.answer).where(table.c.key_hash == bindparam("key"))

    def once(self, key: CallKey, answer_type: type[Answer], work: Callable[[Session], Answer]) -> Answer:
        """The kept answer, or `work`'s, kept in the transaction in which it runs.

        Raises IdempotencyMismatch when the key came with another body, and what `work` raises (then nothing is kept).
        """
        try:
            with self._database.transaction() as session:
                kept = self.kept(session, key, answer_type)
                if kept is None:
                    answer = work(session)
                    self.keep(session, key, answer)
                    return answer
        except IntegrityError:
            # The same call, arriving twice at once: the other one was first.
            if (kept := self.recall(key, answer_type)) is None:
                raise
            return kept
        self._database.settle()
        return kept

    def kept(self, session: Session, key: CallKey, answer_type: type[Answer]) -> Answer | None:
        """The kept answer of the same call; `Database.settle` before it is given. Raises IdempotencyMismatch."""
        row = session.execute(self._find, {"key": key.key_hash}).first()
        return None if row is None else read_kept(key, row.body_hash, row.answer, answer_type)

    def recall(self, key: CallKey, answer_type: type[Answer]) -> Answer | None:
        """As `kept`, in a transaction of its own: before work that has none, or after an IntegrityError (None then says
        that the conflict was about something else)."""
        with self._database.read() as session:
            kept = self.kept(session, key, answer_type)
        if kept is not None:
            self._database.settle()
        return kept

    def keep(self, session: Session, key: CallKey, answer: Message) -> None:
        """Keeps an answer. IntegrityError when the same call was kept meanwhile."""
        write_together(session, [self.keeping([(key, answer)])])

    def keeping(self, answers: Sequence[tuple[CallKey, Message]]) -> Write:
        """Keeps several answers (at least one). IntegrityError when one of the calls was kept meanwhile."""
        now = self._clock.now()
        return Write(
            statement=self._insert,
            rows=[
                {
                    "key_hash": key.key_hash,
                    "body_hash": key.body_hash,
                    "answer": answer.SerializeToString(),
                    "kept_at": now,
                }
                for key, answer in answers
            ],
        )

    def prune(self, session: Session, before: datetime) -> int:
        """Forgets what was kept before that moment; returns how many."""
        done = session.execute(delete(self.table).where(self.table.c.kept_at < before))
        return cast("CursorResult[Any]", done).rowcount


def read_kept(key: CallKey, body_hash: bytes, answer: bytes, answer_type: type[Answer]) -> Answer:
    """A stored answer as a message. Raises IdempotencyMismatch when it belongs to another body."""
    if bytes(body_hash) != key.body_hash:
        raise IdempotencyMismatch
    return answer_type.FromString(bytes(answer))
