"""Storing cards together: what arrives while others are being stored goes with the next ones.

What storing costs is calls to the engine, round trips to the database and the wait for its disk, hardly the cards. So
concurrent calls share them: one call for all cards, one for all CVVs, one transaction in which all slots are used and
all cards, audit rows and kept answers written. When anything about one of them stands in the way (its slot is used,
its payment has a live card, the same call came twice), the shared transaction is undone and each call makes its own,
which finds out what it was.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.db import Database, Overtaken, Write, write_together
from chassis.errors import Busy, IntakeUsed
from chassis.rpc.idempotency import CallKey, Idempotency
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.audit.service import AuditEntry
from services.vault.coalescer import Coalescer
from services.vault.custody.service import NewCard, card_context, replace_card_of_payment, storing_cards
from services.vault.intake.models import IntakeRow
from services.vault.refusals import Act, Recorder
from services.vault.transit.service import BatchEncryptor, Cipher, CipherRefused, KeyName

_TABLE: Final = cast("Table", IntakeRow.__table__)
# Built once: building a statement costs several times what executing it does.
_USE: Final = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("slot"),
        _TABLE.c.used_at.is_(None),
        _TABLE.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
)
# Rows of one transaction; more would only make the first of them wait.
_MOST_TOGETHER: Final = 32
# Seconds: callers that were just answered are back within them, all eight, their cards opened one after the other. A
# batch costs about as much CPU as three of its cards, so waiting for the rest is cheaper than leaving with half.
_GATHER: Final = 0.02
_MOST_WRITES: Final = 8
# Seconds for a call to the engine.
_LONGEST_CALL: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A card that is not encrypted yet. Its plaintexts never show in a repr; no CVV when none is kept."""

    token: str
    agency_id: str
    payment_id: str
    owner_agent_id: str
    brand: str
    last4: str
    plaintext: bytes = field(repr=False)
    cvv_plaintext: bytes | None = field(repr=False)
    stored_at: datetime
    kept_until: datetime
    cvv_kept_until: datetime | None
    keyed_in: str | None

    def encrypted(self, cipher: Cipher, cvv_cipher: Cipher | None) -> NewCard:
        """The row that stands for it."""
        return NewCard(
            token=self.token,
            agency_id=self.agency_id,
            payment_id=self.payment_id,
            owner_agent_id=self.owner_agent_id,
            brand=self.brand,
            last4=self.last4,
            cipher=cipher.text,
            key_version=cipher.version,
            cvv_cipher=cvv_cipher.text if cvv_cipher else None,
            cvv_key_version=cvv_cipher.version if cvv_cipher else None,
            stored_at=self.stored_at,
            kept_until=self.kept_until,
            cvv_kept_until=self.cvv_kept_until,
            keyed_in=self.keyed_in,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """A card on its way into the database, with all that is written with it."""

    intake_id: str
    draft: Draft
    key: CallKey
    answer: pb.StoreCardResponse
    act: Act
    entry: AuditEntry
    """The act's audit entry; made by the thread that serves the call, since it names the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """The encrypted card, and whether the shared transaction stored it."""

    new: NewCard
    stored: bool


class CardCommits:
    """Encrypts and writes cards. Thread-safe."""

    def __init__(
        self,
        *,
        database: Database,
        idempotency: Idempotency,
        trail: Recorder,
        transit: BatchEncryptor,
        forget: Callable[[Session, str], None],
    ) -> None:
        """`forget` drops what other rooms hold of a card that is replaced."""
        self._database = database
        self._idempotency = idempotency
        self._trail = trail
        self._transit = transit
        self._forget = forget
        self._second_call = ThreadPoolExecutor(1, thread_name_prefix="cvv")
        self._lane: Coalescer[Storing, _Outcome] = Coalescer(self._together, max_batch=_MOST_TOGETHER, gather=_GATHER)

    def store(self, storing: Storing, timeout: float) -> pb.StoreCardResponse:
        """The call's answer, once its card is committed; the kept one when the same call was made before.

        Raises IntakeUsed, Busy when other cards of the payment keep coming, TransitUnavailable, and Unavailable after
        `timeout` seconds (then the same call tells whether it was stored).
        """
        outcome = self._lane.call(storing, timeout)
        return storing.answer if outcome.stored else self._alone(storing, outcome.new)

    def _together(self, batch: Sequence[Storing], timeout: float) -> list[_Outcome | Exception]:
        encrypted = self._encrypted([one.draft for one in batch], min(_LONGEST_CALL, timeout))
        ready = [(one, new) for one, new in zip(batch, encrypted, strict=True) if isinstance(new, NewCard)]
        stored = self._stored(ready) if ready else False
        return [_Outcome(new=new, stored=stored) if isinstance(new, NewCard) else new for new in encrypted]

    def _encrypted(self, drafts: Sequence[Draft], timeout: float) -> list[NewCard | CipherRefused]:
        """The cards in order; a refusal of card or CVV stands for its card."""
        with_cvv = [(one, one.cvv_plaintext) for one in drafts if one.cvv_plaintext is not None]
        beside = self._second_call.submit(self._ciphers, KeyName.CVV, with_cvv, timeout)
        try:
            cards = self._ciphers(KeyName.CARD, [(one, one.plaintext) for one in drafts], timeout)
        finally:
            wait([beside])
        cvvs = beside.result()
        made: list[NewCard | CipherRefused] = []
        for one in drafts:
            card, cvv = cards[one.token], cvvs.get(one.token)
            if isinstance(card, CipherRefused):
                made.append(card)
            else:
                made.append(cvv if isinstance(cvv, CipherRefused) else one.encrypted(card, cvv))
        return made

    def _ciphers(
        self, key: KeyName, texts: Sequence[tuple[Draft, bytes]], timeout: float
    ) -> dict[str, Cipher | CipherRefused]:
        """By token."""
        items = [(plaintext, card_context(key, one.token, one.agency_id)) for one, plaintext in texts]
        ciphers = self._transit.encrypt_all(key, items, timeout=timeout)
        return {one.token: cipher for (one, _), cipher in zip(texts, ciphers, strict=True)}

    def _stored(self, ready: Sequence[tuple[Storing, NewCard]]) -> bool:
        """Stores all in one transaction, or none."""
        try:
            with self._database.transaction() as session:
                now = max(new.stored_at for _, new in ready)
                write_together(
                    session,
                    [
                        using_slots([one.intake_id for one, _ in ready], now),
                        storing_cards([new for _, new in ready]),
                        *self._trail.recording(session, [one.entry for one, _ in ready]),
                        self._idempotency.keeping([(one.key, one.answer) for one, _ in ready]),
                    ],
                )
        except (IntegrityError, Overtaken):
            return False
        return True

    def _alone(self, storing: Storing, new: NewCard) -> pb.StoreCardResponse:
        act = storing.act
        # More than once only when several cards of one payment arrive at the same moment.
        for _ in range(_MOST_WRITES):
            try:
                with self._database.transaction() as session:
                    use_slot(session, storing.intake_id, new.stored_at)
                    self._replace(session, new, act)
                    write_together(session, [storing_cards([new])])
                    self._trail.record(session, storing.entry)
                    self._idempotency.keep(session, storing.key, storing.answer)
                return storing.answer
            except (IntegrityError, IntakeUsed) as conflict:
                act.card_token = None
                # The same call, arriving again or twice at once?
                if (kept := self._idempotency.recall(storing.key, pb.StoreCardResponse)) is not None:
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


def using_slots(intake_ids: Sequence[str], now: datetime) -> Write:
    """Uses up open slots, each once. In one order whoever asks: two batches never wait for each other."""
    rows = [{"slot": intake_id, "now": now} for intake_id in sorted(intake_ids)]
    return Write(statement=_USE, rows=rows, touches=len(rows))


def use_slot(session: Session, intake_id: str, now: datetime) -> None:
    """Uses up one open slot. Raises IntakeUsed."""
    try:
        write_together(session, [using_slots([intake_id], now)])
    except Overtaken:
        raise IntakeUsed from None
