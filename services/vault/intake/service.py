"""Use cases of intake: open a slot, store a card, replace a CVV.

The expensive and the remote work (opening the seal, transit) is done before the transaction; the transaction is one
round of conditional writes: slot used, old card destroyed, card stored, audit row, answer kept (see commits.py).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast

from sqlalchemy import CursorResult, Row, Table, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis import ids
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import CardGone, IntakeExpired, IntakeUsed, InvalidArgument, NotFound
from chassis.rpc.calls import current_call, require_time
from chassis.rpc.idempotency import Answer, CallKey, Idempotency, read_kept
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.custody.service import (
    Retention,
    card_context,
    find_card,
    live_card,
    supply_cvv,
)
from services.vault.intake.commits import CardCommits, Draft, Storing, use_slot
from services.vault.intake.models import IntakeRow
from services.vault.intake.payload import CardDetails, read_card, read_cvv
from services.vault.intake.rules import IntakeKind
from services.vault.refusals import Act, Recorder, Refusals
from services.vault.transit.service import BatchEncryptor, Cipher, KeyName

_TABLE: Final = cast("Table", IntakeRow.__table__)
# Built once: building a statement costs several times what executing it does.
_INSERT: Final = insert(_TABLE)
# Seconds that opening, two encryptions and a commit may take on a busy machine.
_TIME_NEEDED: Final = 0.25
# Seconds that storing gets at least, and that the answer needs for its way back.
_LEAST_WAIT: Final = 0.15
_WAY_BACK: Final = 0.1


class SealOpener(Protocol):
    """Opens what the secure frame sealed to the vault's current or recent key."""

    def open(self, text: str, typ: str) -> bytes:
        """Raises SealBroken when it does not open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntake:
    """A slot to be opened. `keyed_in`: the phone session whose card it takes; None for a form's."""

    kind: IntakeKind
    agency_id: str
    payment_id: str
    owner_agent_id: str
    card_token: str
    retention: Retention
    origin: Origin
    keyed_in: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An open slot, as it was made. Whether it was used since is decided when it is used."""

    kind: IntakeKind
    agency_id: str
    payment_id: str
    owner_agent_id: str
    card_token: str
    retention: Retention
    expires_at: datetime
    keyed_in: str | None


class RecentSlots:
    """Slots that this process opened lately: they never change, so storing a card needn't read them back.

    One that is not here (opened by another process, or used) is read from the database.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, Slot] = OrderedDict()

    def add(self, intake_id: str, slot: Slot) -> None:
        with self._lock:
            self._slots[intake_id] = slot
            if len(self._slots) > self._most:
                self._slots.popitem(last=False)

    def get(self, intake_id: str) -> Slot | None:
        return self._slots.get(intake_id)

    def forget(self, intake_id: str) -> None:
        with self._lock:
            self._slots.pop(intake_id, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a form sent for its slot."""

    intake_id: str
    sealed: str
    origin: Origin


class IntakeService:
    """See the module."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        idempotency: Idempotency,
        trail: Recorder,
        seals: SealOpener,
        transit: BatchEncryptor,
        intake_ttl: timedelta,
        forget: Callable[[Session, str], None],
    ) -> None:
        """`forget` drops what other rooms hold of a card that is replaced."""
        self._commits = CardCommits(
            database=database, idempotency=idempotency, trail=trail, transit=transit, forget=forget
        )
        self._database = database
        self._clock = clock
        self._idempotency = idempotency
        self._trail = trail
        self._refusals = Refusals(database, trail)
        self._seals = seals
        self._transit = transit
        self._intake_ttl = intake_ttl
        self._find = _find_with_kept(idempotency.table)
        self._recent = RecentSlots()

    def open(self, new: NewIntake, key: CallKey) -> pb.OpenIntakeResponse:
        """Opens a slot. For a CVV: NotFound, PermissionDenied or CardGone as its card says."""
        act = Act(
            action="intake.opened",
            refused_action="intake.refused",
            origin=new.origin,
            resource=new.payment_id,
            agent_id=new.owner_agent_id,
            card_token=new.card_token or None,
        )
        with self._refusals.audited(act):
            return self._idempotency.once(key, pb.OpenIntakeResponse, lambda session: self._open(session, new, act))

    def _open(self, session: Session, new: NewIntake, act: Act) -> pb.OpenIntakeResponse:
        now = self._clock.now()
        if new.kind is IntakeKind.CVV:
            card = live_card(session, new.card_token, new.owner_agent_id, now)
            if (card.agency_id, card.payment_id) != (new.agency_id, new.payment_id):
                raise InvalidArgument("The card belongs to another payment.", field="card_token")
        intake_id, expires_at = ids.new_id("intake"), now + self._intake_ttl
        session.execute(
            _INSERT,
            {
                "id": intake_id,
                "kind": new.kind,
                "agency_id": new.agency_id,
                "payment_id": new.payment_id,
                "owner_agent_id": new.owner_agent_id,
                "card_token": new.card_token or None,
                "card_days": new.retention.card_days,
                "cvv_hours": new.retention.cvv_hours,
                "opened_at": now,
                "expires_at": expires_at,
                "keyed_in": new.keyed_in,
            },
        )
        self._trail.record(session, act.entry(resource=intake_id))
        self._recent.add(
            intake_id,
            Slot(
                kind=new.kind,
                agency_id=new.agency_id,
                payment_id=new.payment_id,
                owner_agent_id=new.owner_agent_id,
                card_token=new.card_token,
                retention=new.retention,
                expires_at=expires_at,
                keyed_in=new.keyed_in,
            ),
        )
        return pb.OpenIntakeResponse(intake_id=intake_id, expires_at=stamp(expires_at))

    def store_card(self, submission: Submission, key: CallKey) -> pb.StoreCardResponse:
        """Stores the card; a live card of the same payment is removed in the same moment.

        Raises IntakeUsed, IntakeExpired, NotFound, SealBroken, CardInvalid (with `field`), Unavailable.
        """
        require_time(_TIME_NEEDED)
        act = self._act(submission, "card.stored", "card.refused")
        with self._refusals.audited(act):
            found = self._find_slot(submission.intake_id, IntakeKind.CARD, key, pb.StoreCardResponse, act)
            if not isinstance(found, Slot):
                return found
            opened = self._seals.open(submission.sealed, "wv-store+jwe")
            details = read_card(
                opened, submission.intake_id, self._clock.now(), keeps_cvv=found.retention.cvv_hours > 0
            )
            draft = self._draft(found, details)
            answer = pb.StoreCardResponse(
                card_token=draft.token,
                brand=draft.brand,
                last4=draft.last4,
                cardholder_name=details.name,
                card_kept_until=stamp(draft.kept_until),
                cvv_kept_until=stamp(draft.cvv_kept_until),
            )
            act.card_token = draft.token
            storing = Storing(
                intake_id=submission.intake_id,
                draft=draft,
                key=key,
                answer=answer,
                act=act,
                entry=act.entry(resource=draft.token),
            )
            stored = self._commits.store(storing, max(_LEAST_WAIT, current_call().time_left() - _WAY_BACK))
            self._recent.forget(submission.intake_id)
            return stored

    def _draft(self, slot: Slot, details: CardDetails) -> Draft:
        now = self._clock.now()
        kept_until = slot.retention.card_kept_until(now)
        return Draft(
            token=ids.new_id("card"),
            agency_id=slot.agency_id,
            payment_id=slot.payment_id,
            owner_agent_id=slot.owner_agent_id,
            brand=details.brand,
            last4=details.last4,
            plaintext=details.plaintext,
            cvv_plaintext=details.cvv_plaintext,
            stored_at=now,
            kept_until=kept_until,
            cvv_kept_until=slot.retention.cvv_kept_until(now, kept_until) if details.cvv_plaintext else None,
            keyed_in=slot.keyed_in,
        )

    def replace_cvv(self, submission: Submission, key: CallKey) -> pb.ReplaceCvvResponse:
        """Stores a new CVV for the slot's card (M10). Raises as `store_card`, and CardGone."""
        require_time(_TIME_NEEDED)
        act = self._act(submission, "cvv.stored", "cvv.refused")
        with self._refusals.audited(act):
            found = self._find_slot(submission.intake_id, IntakeKind.CVV, key, pb.ReplaceCvvResponse, act)
            if not isinstance(found, Slot):
                return found
            with self._database.read() as session:
                card = find_card(session, found.card_token)
            if card is None or not card.lives(self._clock.now()):
                raise CardGone
            opened = self._seals.open(submission.sealed, "wv-cvv-store+jwe")
            plaintext = read_cvv(opened, submission.intake_id, card.brand)
            cipher = self._encrypt(KeyName.CVV, plaintext, card.token, found.agency_id)
            now = self._clock.now()
            kept_until = found.retention.cvv_kept_until(now, card.kept_until)
            if kept_until is None:
                raise InvalidArgument("This agency's policy keeps no CVV.", field="cvv_retention_hours")
            answer = pb.ReplaceCvvResponse(cvv_kept_until=stamp(kept_until))
            return self._commit_cvv(submission.intake_id, (card.token, cipher, kept_until, now), key, answer, act)

    def _commit_cvv(
        self,
        intake_id: str,
        new: tuple[str, Cipher, datetime, datetime],
        key: CallKey,
        answer: pb.ReplaceCvvResponse,
        act: Act,
    ) -> pb.ReplaceCvvResponse:
        token, cipher, kept_until, now = new
        try:
            with self._database.transaction() as session:
                use_slot(session, intake_id, now)
                if not supply_cvv(session, token, cipher.text, cipher.version, kept_until):
                    raise CardGone
                self._trail.record(session, act.entry(resource=token))
                self._idempotency.keep(session, key, answer)
        except (IntegrityError, IntakeUsed):
            kept = self._idempotency.recall(key, pb.ReplaceCvvResponse)
            if kept is None:
                raise
            return kept
        return answer

    def _find_slot(
        self, intake_id: str, kind: IntakeKind, key: CallKey, answer_type: type[Answer], act: Act
    ) -> Slot | Answer:
        """The slot, if it may be used; or the kept answer, when the call was made before."""
        slot = self._recent.get(intake_id)
        if slot is None:
            with self._database.read() as session:
                row = session.execute(self._find, {"intake_id": intake_id, "key_hash": key.key_hash}).first()
                if row is None:
                    # A key that was used with another slot is the caller's mistake, and says so.
                    self._idempotency.kept(session, key, answer_type)
                    raise NotFound("There is no such form.")
            if row.answer is not None:
                found = read_kept(key, row.body_hash, row.answer, answer_type)
                self._database.settle()
                return found
            slot = _slot(row)
            if row.used_at is not None:
                self._name_in(act, slot)
                raise IntakeUsed
        self._name_in(act, slot)
        if slot.kind is not kind:
            raise NotFound("This form takes something else.")
        if self._clock.now() >= slot.expires_at:
            raise IntakeExpired
        return slot

    @staticmethod
    def _name_in(act: Act, slot: Slot) -> None:
        act.agent_id, act.card_token = slot.owner_agent_id, slot.card_token or None

    def _encrypt(self, key: KeyName, plaintext: bytes, token: str, agency_id: str) -> Cipher:
        left = max(0.05, min(3.0, current_call().time_left() - 0.1))
        return self._transit.encrypt(key, plaintext, card_context(key, token, agency_id), timeout=left)

    @staticmethod
    def _act(submission: Submission, action: str, refused_action: str) -> Act:
        return Act(
            action=action, refused_action=refused_action, origin=submission.origin, resource=submission.intake_id
        )


def _slot(row: Row[Any]) -> Slot:
    return Slot(
        kind=IntakeKind(row.kind),
        agency_id=row.agency_id,
        payment_id=row.payment_id,
        owner_agent_id=row.owner_agent_id,
        card_token=row.card_token or "",
        retention=Retention(card_days=row.card_days, cvv_hours=row.cvv_hours),
        expires_at=row.expires_at,
        keyed_in=row.keyed_in,
    )


def _find_with_kept(kept: Table) -> Any:  # Any: a Select of a dozen columns
    """The slot, and beside it the answer that was kept under the call's key: one round trip for both."""
    return (
        select(_TABLE, kept.c.body_hash, kept.c.answer)
        .select_from(_TABLE.outerjoin(kept, kept.c.key_hash == bindparam("key_hash")))
        .where(_TABLE.c.id == bindparam("intake_id"))
    )


def delete_old_intakes(session: Session, before: datetime) -> int:
    """Deletes slots that ended before then; returns how many."""
    done = session.execute(delete(_TABLE).where(_TABLE.c.expires_at < before))
    return cast("CursorResult[Any]", done).rowcount
