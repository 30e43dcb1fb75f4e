"""Storing cards together: what arrives while a commit is under way goes into the next one.

A transaction's cost is its round trips and its wait for the disk, hardly its rows. So concurrent calls share one: all
slots used, all cards, audit rows and kept answers written. When anything about one of them stands in the way (its slot
is used, its payment has a live card, the same call came twice), the shared transaction is undone and each call makes
its own, which finds out what it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Table, bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.errors import Busy, IntakeUsed
from chassis.rpc.idempotency import CallKey, Idempotency
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.audit.service import AuditEntry
from services.vault.coalescer import Coalescer
from services.vault.custody.service import NewCard, insert_cards, replace_card_of_payment
from services.vault.intake.models import IntakeRow
from services.vault.refusals import Act, Recorder

_TABLE: Final = cast("Table", IntakeRow.__table__)
# Built once: building a statement costs several times what executing it does.
_USE: Final = (
    update(_TABLE)
    .where(
        _TABLE.c.id.in_(bindparam("slots", expanding=True)),
        _TABLE.c.used_at.is_(None),
        _TABLE.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
)
# Rows of one transaction; more would only make the first of them wait.
_MOST_TOGETHER: Final = 32
_MOST_WRITES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """A card on its way into the database, with all that is written with it."""

    intake_id: str
    new: NewCard
    key: CallKey
    answer: pb.StoreCardResponse
    act: Act
    entry: AuditEntry
    """The act's audit entry; made by the thread that serves the call, since it names the caller."""


class CardCommits:
    """Writes cards. Thread-safe."""

    def __init__(
        self,
        *,
        database: Database,
        idempotency: Idempotency,
        trail: Recorder,
        forget: Callable[[Session, str], None],
    ) -> None:
        """`forget` drops what other rooms hold of a card that is replaced."""
        self._database = database
        self._idempotency = idempotency
        self._trail = trail
        self._forget = forget
        self._lane: Coalescer[Storing, bool] = Coalescer(self._together, max_batch=_MOST_TOGETHER)

    def store(self, storing: Storing, timeout: float) -> pb.StoreCardResponse:
        """The call's answer, once its card is committed; the kept one when the same call was made before.

        Raises IntakeUsed, Busy when other cards of the payment keep coming, and Unavailable after `timeout` seconds
        (then the same call tells whether it was stored).
        """
        return storing.answer if self._lane.call(storing, timeout) else self._alone(storing)

    def _together(self, batch: Sequence[Storing], _: float) -> list[bool | Exception]:
        """Stores all in one transaction; or none, and says so to each."""
        try:
            with self._database.transaction() as session:
                use_slots(session, [one.intake_id for one in batch], max(one.new.stored_at for one in batch))
                insert_cards(session, [one.new for one in batch])
                self._trail.record_all(session, [one.entry for one in batch])
                self._idempotency.keep_all(session, [(one.key, one.answer) for one in batch])
        except (IntegrityError, IntakeUsed):
            return [False] * len(batch)
        return [True] * len(batch)

    def _alone(self, storing: Storing) -> pb.StoreCardResponse:
        act, new = storing.act, storing.new
        # More than once only when several cards of one payment arrive at the same moment.
        for _ in range(_MOST_WRITES):
            try:
                with self._database.transaction() as session:
                    use_slots(session, [storing.intake_id], new.stored_at)
                    self._replace(session, new, act)
                    insert_cards(session, [new])
                    self._trail.record(session, storing.entry)
                    self._idempotency.keep(session, storing.key, storing.answer)
                return storing.answer
            except (IntegrityError, IntakeUsed) as conflict:
                act.card_token = None
                # The same call, arriving again or twice at once?
                if (kept := self._idempotency.kept_after_conflict(storing.key, pb.StoreCardResponse)) is not None:
                    return kept
                if isinstance(conflict, IntakeUsed):
                    raise
        raise Busy("Another card for this payment is being stored. Nothing was stored; please try again.")

    def _replace(self, session: Session, new: NewCard, act: Act) -> None:
        replaced = replace_card_of_payment(session, new.agency_id, new.payment_id, new.stored_at)
        if replaced is not None:
            self._forget(session, replaced)
            act.card_token = replaced
            self._trail.record(session, act.entry("REPLACED", action="card.removed", resource=replaced))


def use_slots(session: Session, intake_ids: Sequence[str], now: datetime) -> None:
    """Uses up open slots, each once and all or none. Raises IntakeUsed."""
    used = session.execute(_USE, {"slots": intake_ids, "now": now})
    if cast("CursorResult[Any]", used).rowcount != len(intake_ids):
        raise IntakeUsed
