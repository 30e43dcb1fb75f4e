"""The sweep (docs/product.md M11; PCI DSS 3.2.1): runs each minute in the worker, and when an operator asks.

Works in small transactions, so that it never stands in a caller's way; may run in several processes at once.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.rpc.idempotency import Idempotency
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.approvals.service import delete_ended as delete_ended_seconds
from services.vault.approvals.service import expire_one, overdue
from services.vault.audit.service import Audit, AuditEntry
from services.vault.custody.service import CardEvent, CvvEvent, destroy_card, move_cvv, overdue_cards, overdue_cvvs
from services.vault.intake.service import delete_old_intakes
from services.vault.reveal.service import delete_ended, drop_answers, expire_overdue, forget_card
from services.vault.sealing_keys.service import SealingKeys

_BATCH: Final = 100
# How long calls may be repeated, and how long ended slots and grants stay to say why they refuse.
_REMEMBERED: Final = timedelta(hours=24)


class Sweep:
    """See the module."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        trail: Audit,
        idempotency: Idempotency,
        sealing_keys: SealingKeys,
    ) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._idempotency = idempotency
        self._sealing_keys = sealing_keys

    def run(self) -> pb.PurgeExpiredResponse:
        """Removes everything past its time, and counts it. Raises TransitUnavailable, or what the database raises."""
        swept = pb.PurgeExpiredResponse(
            cards_lapsed=self._batches(self._lapse_cards),
            cvvs_purged=self._batches(self._purge_cvvs),
        )
        self._batches(self._end_second_reveals)
        now = self._clock.now()
        with self._database.transaction() as session:
            swept.challenges_expired = expire_overdue(session, now)
            swept.answers_dropped = drop_answers(session, now)
        with self._database.transaction() as session:
            self._idempotency.prune(session, now - _REMEMBERED)
            delete_ended(session, now - _REMEMBERED)
            delete_ended_seconds(session, now - _REMEMBERED)
            delete_old_intakes(session, now - _REMEMBERED)
        swept.sealing_keys_destroyed = self._sealing_keys.destroy_expired()
        return swept

    def _batches(self, step: Callable[[Session], int]) -> int:
        total = 0
        while True:
            with self._database.transaction() as session:
                done = step(session)
            total += done
            if done < _BATCH:
                return total

    def _lapse_cards(self, session: Session) -> int:
        now = self._clock.now()
        tokens = overdue_cards(session, now, _BATCH)
        for token in tokens:
            if destroy_card(session, token, CardEvent.LAPSE, now):
                forget_card(session, token)
                self._note(session, "card.lapsed", token)
        return len(tokens)

    def _purge_cvvs(self, session: Session) -> int:
        now = self._clock.now()
        tokens = overdue_cvvs(session, now, _BATCH)
        for token in tokens:
            if move_cvv(session, token, CvvEvent.PURGE, now):
                self._note(session, "cvv.purged", token)
        return len(tokens)

    def _end_second_reveals(self, session: Session) -> int:
        ended = overdue(session, self._clock.now(), _BATCH)
        for second in ended:
            expire_one(session, second, self._clock, self._trail)
        return len(ended)

    def _note(self, session: Session, action: str, token: str) -> None:
        entry = AuditEntry(action=action, actor="vault", resource=token, card_token=token, reason="RETENTION")
        self._trail.record(session, entry)
