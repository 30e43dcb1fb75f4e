"""Use cases of the payment area: codes, the one reveal, the CVV. The CRM relays what it can't read."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.errors import AlreadyRevealed, CardGone, CvvGone, InvalidArgument, NotFound, WayvaultError
from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import MailSealed, PaymentRetrieved
from services.crm.core.actor import Actor
from services.crm.core.ports.vault import AccessEntry, Answer, CardDescription, CardState, Challenge, Origin, VaultPort
from services.crm.paying.payments.service import (
    Fact,
    Payment,
    PaymentState,
    locked_by_card,
    own,
    payments_by_id,
)
from services.crm.paying.reveal.models import ChallengeRow
from services.crm.paying.reveal.rules import STEPS, Step, code_refusal, purpose_words, step_of

__all__ = [
    "STEPS",
    "CardDescription",
    "CodeSent",
    "CvvLinkSent",
    "CvvShown",
    "Reveals",
    "Step",
    "step_of",
]

_log = structlog.get_logger(__name__)

_CARD, _CVV, _APPROVE = "card", "cvv", "approve"
# A reveal whose record the CRM lost is found again by asking the vault for this long.
_UNSETTLED = timedelta(hours=1)
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSent:
    """A one-time code is on its way to the agent's enrolled address."""

    challenge_id: str
    kind: str
    expires_at: datetime
    address_hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CvvLinkSent:
    """The one-time CVV link is on its way."""

    expires_at: datetime
    address_hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CvvShown:
    """A sealed CVV for the frame that asked, and the payment it belongs to."""

    sealed_answer: str
    at: datetime
    payment: Payment | None


class Approvals(Protocol):
    """The approvals that let a shown card be retrieved once more (M9), in the caller's transaction."""

    def stands(self, session: Session, payment_id: str, now: datetime) -> bool:
        """Whether the payment's card may be retrieved once more now."""
        ...

    def note_used(self, session: Session, payment_id: str, at: datetime) -> bool:
        """Records that the card was shown by the approval. False when that is on record, or there was none."""
        ...


class Reveals:
    """The reveal room's use cases. All raise WayvaultErrors whose text is for the agent."""

    def __init__(
        self, *, database: Database, outbox: Outbox, clock: Clock, vault: VaultPort, approvals: Approvals
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._vault = vault
        self._approvals = approvals

    def send_card_code(
        self, actor: Actor, payment_id: str, *, request_key: str, supplier_ready: bool, origin: Origin
    ) -> CodeSent:
        """RETRIEVE and PROCESS (M5): has the vault make a code and hands its letter over unopened.

        `request_key` is the page's, one per code wanted: a double click sends one code.
        """
        if not supplier_ready:
            raise InvalidArgument(
                "First tick that the supplier is on the line or the supplier page is open: "
                "the card will be shown only once.",
                field="supplier_ready",
            )
        payment = self._own(actor, payment_id)
        if not self._again(payment):
            if payment.retrieved_at is not None:
                raise AlreadyRevealed
            if refusal := code_refusal(payment.state, retrieved_at=payment.retrieved_at):
                raise InvalidArgument(refusal)
        token = _held(payment)
        return self._send_code(
            actor,
            payment,
            kind=_CARD,
            request_key=request_key,
            ask=lambda key: self._vault.request_reveal(
                idempotency_key=key,
                card_token=token,
                agent_id=actor.agent_id,
                purpose=purpose_words(payment.supplier_name, payment.amount.format()),
                origin=origin,
            ),
        )

    def reveal(self, actor: Actor, payment_id: str, *, sealed_request: str, origin: Origin) -> Answer:
        """Relays the frame's sealed code and brings the sealed card back; the payment is then `retrieved`.

        The same sealed request again brings the same answer: a dropped connection burns nothing.
        """
        self._own(actor, payment_id)
        answer = self._vault.confirm_reveal(agent_id=actor.agent_id, sealed_request=sealed_request, origin=origin)
        try:
            self._record_retrieved(answer.card_token, actor.agent_id, answer.at)
        except SQLAlchemyError:
            # The vault has shown the card to this frame and will to no other: withholding the answer would burn
            # it. `settle` finds the record that is missing here.
            _log.exception("reveal.not_recorded", payment_id=payment_id)
        return answer

    def send_approval_code(
        self, actor: Actor, payment: Payment, *, second_id: str, request_key: str, origin: Origin
    ) -> CodeSent:
        """Mails the approver of a second reveal their code (M9). The caller has judged who may approve."""
        return self._send_code(
            actor,
            payment,
            kind=_APPROVE,
            request_key=f"{second_id}\n{request_key}",
            ask=lambda key: self._vault.request_approval(
                idempotency_key=key, second_reveal_id=second_id, approver_id=actor.agent_id, origin=origin
            ),
        )

    def send_cvv_code(self, actor: Actor, payment_id: str, *, request_key: str, origin: Origin) -> CodeSent:
        """Email CVV code (M6)."""
        payment = self._own(actor, payment_id)
        if payment.state is not PaymentState.RETRIEVED:
            raise InvalidArgument("Retrieve the card first; its CVV comes after it.")
        token = _held(payment)
        if not payment.cvv_held(self._clock.now()):
            raise CvvGone
        return self._send_code(
            actor,
            payment,
            kind=_CVV,
            request_key=request_key,
            ask=lambda key: self._vault.request_cvv(
                idempotency_key=key, card_token=token, agent_id=actor.agent_id, origin=origin
            ),
        )

    def confirm_cvv(
        self, actor: Actor, payment_id: str, *, challenge_id: str, sealed_request: str, origin: Origin
    ) -> CvvLinkSent:
        """Relays the CVV's code; the vault's letter with the one-time link goes to the notifier unopened."""
        self._own(actor, payment_id)
        with self._database.read() as session:
            challenge = session.get(ChallengeRow, challenge_id)
            if challenge is None or challenge.payment_id != payment_id or challenge.agent_id != actor.agent_id:
                raise NotFound("There is no such code. Ask for a new one.")
        mail = self._vault.confirm_cvv(agent_id=actor.agent_id, sealed_request=sealed_request, origin=origin)
        with self._database.transaction() as session:
            row = session.get_one(ChallengeRow, challenge_id, with_for_update=True)
            if row.link_mailed_at is None:
                row.link_mailed_at = self._clock.now()
                row.link_expires_at = mail.expires_at
                row.delivery_problem = ""
                self._publish_mail(session, payment_id, actor.agency_id, mail.sealed_mail)
        return CvvLinkSent(expires_at=mail.expires_at, address_hint=mail.address_hint)

    def show_cvv(self, actor: Actor, *, sealed_request: str, origin: Origin) -> CvvShown:
        """Relays the one-time link's click and brings the sealed CVV back; the vault has destroyed it by then."""
        answer = self._vault.redeem_cvv_link(agent_id=actor.agent_id, sealed_request=sealed_request, origin=origin)
        payment = None
        try:
            payment = self._record_cvv_shown(answer.card_token, actor.agent_id, answer.at)
        except SQLAlchemyError:
            _log.exception("reveal.cvv_not_recorded")
        return CvvShown(sealed_answer=answer.sealed_answer, at=answer.at, payment=payment)

    def describe(self, payment: Payment) -> CardDescription | None:
        """What the vault says about a payment's card, None when there is none. Records what the CRM missed.

        Raises WayvaultError when the vault can't be asked.
        """
        if payment.card_token is None:
            return None
        try:
            card = self._vault.describe_card(card_token=payment.card_token, agent_id=payment.agent_id)
        except (CardGone, NotFound):
            return None
        self._settle(payment, card)
        return card

    def access_entries(self, payment: Payment) -> list[AccessEntry]:
        """The vault's audit trail about the payment's card, oldest first (M12). Raises WayvaultError."""
        if payment.card_token is None:
            return []
        return self._vault.list_access(card_token=payment.card_token, agent_id=payment.agent_id)

    def settle(self) -> int:
        """Asks the vault about payments whose code went out but whose reveal is not on record; returns how many."""
        settled, after = 0, ""
        while True:
            with self._database.read() as session:
                asked = session.execute(self._asked_lately(after).limit(_AT_ONCE)).all()
                payments = payments_by_id(session, [payment_id for payment_id, _ in asked])
            if not asked:
                return settled
            waiting = [payments[payment_id] for payment_id, at in asked if _is_unsettled(payments[payment_id], at)]
            settled += sum(self._settled(payment) for payment in waiting)
            after = asked[-1].payment_id

    def _asked_lately(self, after: str) -> Select[str, datetime]:
        """Payments with the moment of their newest code, in the order of their ids, so that none stands behind others
        that the vault has no news of."""
        newest = func.max(ChallengeRow.requested_at)
        return (
            select(ChallengeRow.payment_id, newest)
            .where(ChallengeRow.payment_id > after, ChallengeRow.kind == _CARD)
            .group_by(ChallengeRow.payment_id)
            .having(newest > self._clock.now() - _UNSETTLED)
            .order_by(ChallengeRow.payment_id)
        )

    def latest_problem(self, payment_id: str) -> str:
        """Why the newest code's or link's e-mail did not arrive; empty when nothing is known to be wrong."""
        query = (
            select(ChallengeRow.delivery_problem)
            .where(ChallengeRow.payment_id == payment_id, ChallengeRow.kind != _APPROVE)
            .order_by(ChallengeRow.requested_at.desc())
        )
        with self._database.read() as session:
            return session.scalars(query).first() or ""

    def _settled(self, payment: Payment) -> bool:
        try:
            card = self.describe(payment)
        except WayvaultError:
            return False
        return card is not None and card.revealed_at is not None

    def _settle(self, payment: Payment, card: CardDescription) -> None:
        token = payment.card_token or ""
        seen = payment.retrieved_at
        if card.state is CardState.REVEALED and card.revealed_at is not None and card.revealed_at != seen:
            self._record_retrieved(token, payment.agent_id, card.revealed_at)
        if card.cvv_shown_at is not None and payment.cvv_shown_at is None:
            self._record_cvv_shown(token, payment.agent_id, card.cvv_shown_at)

    def _send_code(
        self, actor: Actor, payment: Payment, *, kind: str, request_key: str, ask: Callable[[str], Challenge]
    ) -> CodeSent:
        key = hashlib.sha256(f"{payment.id}\n{kind}\n{request_key}".encode()).hexdigest()
        if sent := self._sent_before(key):
            return sent
        challenge = ask(key)
        values = {
            "id": challenge.challenge_id,
            "payment_id": payment.id,
            "agent_id": actor.agent_id,
            "kind": kind,
            "request_key": key,
            "address_hint": challenge.address_hint,
            "requested_at": self._clock.now(),
            "expires_at": challenge.expires_at,
            "delivery_problem": "",
        }
        with self._database.transaction() as session:
            # Two clicks at once: both got the same challenge from the vault, one of them publishes its letter.
            if insert_if_absent(session, ChallengeRow.__table__, values):  # type: ignore[arg-type]  # a Table
                self._publish_mail(session, payment.id, payment.agency_id, challenge.sealed_mail)
        return CodeSent(
            challenge_id=challenge.challenge_id,
            kind=kind,
            expires_at=challenge.expires_at,
            address_hint=challenge.address_hint,
        )

    def _sent_before(self, key: str) -> CodeSent | None:
        with self._database.read() as session:
            row = session.scalar(select(ChallengeRow).where(ChallengeRow.request_key == key))
            if row is None:
                return None
            return CodeSent(
                challenge_id=row.id, kind=row.kind, expires_at=row.expires_at, address_hint=row.address_hint
            )

    def _publish_mail(self, session: Session, payment_id: str, agency_id: str, sealed_mail: str) -> None:
        mail_id = new_id("mail")
        event = MailSealed(mail_id=mail_id, payment_id=payment_id, sealed_mail=sealed_mail)
        self._outbox.add(session, event, aggregate_id=mail_id, agency_id=agency_id)

    def _record_retrieved(self, card_token: str, agent_id: str, at: datetime) -> None:
        with self._database.transaction() as session:
            payment = locked_by_card(session, card_token)
            if payment is None or payment.now.agent_id != agent_id:
                return
            if not payment.happen(Fact.RETRIEVED, at=at) and not self._approvals.note_used(session, payment.id, at):
                return
            event = PaymentRetrieved(payment_id=payment.id, agent_name=payment.context.agent.name, at=stamp(at))
            self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)

    def _record_cvv_shown(self, card_token: str, agent_id: str, at: datetime) -> Payment | None:
        with self._database.transaction() as session:
            payment = locked_by_card(session, card_token)
            if payment is None or payment.now.agent_id != agent_id:
                return None
            payment.cvv_shown(at)
            return payment.now

    def _again(self, payment: Payment) -> bool:
        """Whether an approval lets the shown card be retrieved once more (M9)."""
        if payment.state is not PaymentState.RETRIEVED:
            return False
        with self._database.read() as session:
            return self._approvals.stands(session, payment.id, self._clock.now())

    def _own(self, actor: Actor, payment_id: str) -> Payment:
        with self._database.read() as session:
            return own(session, actor, payment_id)


def _held(payment: Payment) -> str:
    if payment.card_token is None or not payment.card_held:
        raise CardGone
    return payment.card_token


def _is_unsettled(payment: Payment, asked_at: datetime) -> bool:
    """Whether a code that went out then may have shown the card without our record of it. Of a second reveal too: its
    code was asked for after the card had been shown."""
    match payment.state:
        case PaymentState.AUTHORIZED:
            return True
        case PaymentState.RETRIEVED:
            return payment.retrieved_at is not None and asked_at > payment.retrieved_at
        case _:
            return False
