"""From *Store card* to a pending payment, whatever dies in between.

What is to be stored is written down before the masker is asked. When the CRM, the masker or both die before the answer
is written down too, the vault alone knows whether it has the card. It is asked by the worker, and by the page at once;
what is right follows from `rules.verdict`. Asking again changes nothing.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, Unavailable, WayvaultError
from chassis.timestamps import stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, PaymentTakenByPhone
from services.crm.core.actor import Actor
from services.crm.core.ports.vault import KeyedCards, StoredCard
from services.crm.paying.links.service import PaymentLinks
from services.crm.paying.payments.service import (
    BillingAddress,
    HeldPayment,
    Payment,
    PaymentState,
    context_of,
    locked,
    locked_own,
    own,
)
from services.crm.paying.phone import terms
from services.crm.paying.phone.masker import MaskerPort
from services.crm.paying.phone.models import PhoneCallRow
from services.crm.paying.phone.rules import Result, Verdict, verdict

# A payment in one of these can be paid by phone.
WAITING: Final = frozenset({PaymentState.REQUESTED, PaymentState.OPENED})
_log = structlog.get_logger(__name__)
# By then every call between CRM, masker and vault has ended, by its deadline if not otherwise.
_ANSWERED: Final = timedelta(seconds=30)
# A session that is not known to have ended by then was lost.
_LONGEST: Final = timedelta(hours=1, minutes=5)
# How long the worker tries to mail an authorization that a CRM died over.
_FOLLOWED_UP: Final = timedelta(days=1)
_AT_ONCE: Final = 200
_NOT_WAITING: Final = "This payment is not waiting for a card any more."
_CLOSED: Final = "This payment was closed meanwhile. The card is destroyed."
_ELSEWHERE: Final = "This payment's card is being stored in another call, too. Look at the payment in a minute."


class SignatureDesk(Protocol):
    """Sends the authorization for signature and tells what became of it (the street of signing)."""

    def ask(self, actor: Actor, payment: Payment, text: str, request_key: str) -> str:
        """The request's id. Raises InvalidArgument with the reason why none could be sent."""
        ...

    def is_signed(self, request_id: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pressed:
    """A call as it was when the vault was asked: pressed again since, it is another's to settle."""

    id: str
    session_id: str
    agent_id: str
    payment_id: str
    storing_at: datetime | None
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """What the agent typed."""

    name: str
    billing: BillingAddress

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> "_Holder":
        kept = json.loads(text)
        return cls(name=kept["name"], billing=BillingAddress(**kept["billing"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """See the module. `refuse_card` has a card destroyed, in the caller's transaction; `acting` finds an agent."""

    database: Database
    outbox: Outbox
    clock: Clock
    links: PaymentLinks
    masker: MaskerPort | None
    vault: KeyedCards
    signatures: SignatureDesk
    refuse_card: Callable[[DbSession, HeldPayment, str], None]
    acting: Callable[[str], Actor | None]

    def finish(self, actor: Actor, call_id: str, *, name: str, billing: BillingAddress) -> str:
        """Stores the keyed card: the payment is pending, marked by phone, its authorization mailed for signature.

        Returns the payment's id. Raises CardInvalid, InvalidArgument, NotFound, Unavailable.
        """
        holder = _Holder(name=name, billing=billing)
        call = self._press(actor, call_id, holder)
        if call is None or self.masker is None:
            return self.payment_of(actor, call_id)
        try:
            card = self.masker.finish(call.session_id, actor.agent_id, name)
        except NotFound:
            if self.look(call_id):
                return call.payment_id
            raise
        keyed = StoredCard(
            token=card.token,
            brand=card.brand,
            last4=card.last4,
            kept_until=card.kept_until,
            cvv_kept_until=card.cvv_kept_until,
        )
        pending = self._take_over(call, keyed, replace(holder, name=card.name), asked_again=card.asked_again)
        if not pending:
            raise InvalidArgument(_ELSEWHERE if pending is None else _CLOSED)
        self.ask_signature(actor, call_id)
        return call.payment_id

    def look(self, call_id: str) -> bool | None:
        """Whether the card of a session that is gone is stored, and its payment pending; None: not known yet.

        Raises nothing of the vault's.
        """
        with self.database.read() as session:
            row = session.get_one(PhoneCallRow, call_id)
            if row.storing_at is None:
                return row.result == Result.STORED
        try:
            self._settle(call_id)
        except WayvaultError as error:
            _log.warning("phone.unknown", call_id=call_id, cause=type(error).__name__)
            return None
        with self.database.read() as session:
            row = session.get_one(PhoneCallRow, call_id)
            return None if row.storing_at is not None else row.result == Result.STORED

    def settle(self) -> int:
        """For the worker: finds out what became of cards that were being stored, mails what was not mailed, and notes
        that sessions which nobody saw end are lost. Returns how many. Raises Unavailable while the vault is away."""
        now = self.clock.now()
        forgotten = or_(
            PhoneCallRow.storing_at < now - _ANSWERED,
            (PhoneCallRow.result == "") & (PhoneCallRow.started_at < now - _LONGEST),
        )
        unmailed = (
            select(PhoneCallRow.id, PhoneCallRow.agent_id)
            .where(PhoneCallRow.result == Result.STORED, PhoneCallRow.started_at > now - _FOLLOWED_UP)
            .where(PhoneCallRow.sign_request_id == "", PhoneCallRow.signature_problem == "")
            .where(PhoneCallRow.ended_at < now - _ANSWERED)
        )
        with self.database.read() as session:
            calls = session.scalars(select(PhoneCallRow.id).where(forgotten).limit(_AT_ONCE)).all()
            letters = session.execute(unmailed.limit(_AT_ONCE)).all()
        for call_id in calls:
            self._carefully(call_id, partial(self._settle, call_id))
        for call_id, agent_id in letters:
            self._carefully(call_id, partial(self._mail, call_id, agent_id))
        return len(calls) + len(letters)

    def ask_signature(self, actor: Actor, call_id: str) -> bool:
        """Mails the authorization for signature; False, and why is kept, when it can't be. Asked twice, sends once."""
        with self.database.read() as session:
            call = own_row(session, actor, call_id)
            if call.sign_request_id:
                return True
            payment, house = own(session, actor, call.payment_id), context_of(session, call.payment_id)
        text = terms.render(
            payment,
            agency=house.agency.name,
            agent=house.agent.name,
            contact=house.agent.email or house.agency.email,
        )
        request_id, problem = "", ""
        try:
            request_id = self.signatures.ask(actor, payment, text, f"phone-{call_id}")
        except InvalidArgument as error:
            problem = error.message
        self._note_signature(call_id, request_id, problem)
        return bool(request_id)

    def payment_of(self, actor: Actor, call_id: str) -> str:
        """The payment of an own call. Raises NotFound."""
        with self.database.read() as session:
            return own_row(session, actor, call_id).payment_id

    # ---- inside
    def _press(self, actor: Actor, call_id: str, holder: _Holder) -> _Pressed | None:
        """Writes down what is to be stored. None when it is stored already. Raises NotFound, InvalidArgument."""
        with self.database.transaction() as session:
            payment_id = own_row(session, actor, call_id).payment_id
            # Always the payment first, then its calls: two that want both wait for each other.
            payment = locked_own(session, actor, payment_id)
            row = session.get_one(PhoneCallRow, call_id, with_for_update=True, populate_existing=True)
            if row.result == Result.STORED:
                return None
            if payment.now.state not in WAITING:
                raise InvalidArgument(_NOT_WAITING)
            row.storing_at, row.holder = self.clock.now(), holder.text()
            return _pressed(row)

    def _carefully(self, call_id: str, work: Callable[[], None]) -> None:
        """One that can't be settled must not keep the others waiting; a vault that is away keeps all."""
        try:
            work()
        except Unavailable:
            raise
        except WayvaultError as error:
            _log.error("phone.not_settled", call_id=call_id, cause=type(error).__name__)

    def _settle(self, call_id: str) -> None:
        with self.database.read() as session:
            call = _pressed(session.get_one(PhoneCallRow, call_id))
        card = self.vault.find_keyed_card(phone_session_id=call.session_id, agent_id=call.agent_id)
        if card is None:
            self._nothing(call)
        elif self._take_over(call, card, _Holder.of(call.holder) if call.holder else None, unless_pressed=True):
            self._mail(call.id, call.agent_id)

    def _nothing(self, call: _Pressed) -> None:
        """The vault has no card of that session, and an answer that would bring one is not on its way any more."""
        now = self.clock.now()
        with self.database.transaction() as session:
            row = session.get_one(PhoneCallRow, call.id, with_for_update=True)
            if row.storing_at != call.storing_at or (row.storing_at and row.storing_at > now - _ANSWERED):
                return
            row.storing_at, row.holder = None, ""
            if not row.result and row.started_at < now - _LONGEST:
                row.result, row.ended_at = Result.LOST, now

    def _take_over(
        self,
        call: _Pressed,
        card: StoredCard,
        holder: _Holder | None,
        *,
        asked_again: int = 0,
        unless_pressed: bool = False,
    ) -> bool | None:
        """The vault has the card: what is right is done, once. Says whether the payment is pending with it.

        None: not decided now, since *Store card* was pressed again (with `unless_pressed`), or in a later session.
        """
        now = self.clock.now()
        with self.database.transaction() as session:
            payment = locked(session, call.payment_id)
            row = session.get_one(PhoneCallRow, call.id, with_for_update=True, populate_existing=True)
            if row.result == Result.STORED:
                return True
            pressed_again = unless_pressed and row.storing_at != call.storing_at
            if payment is None or pressed_again or _stored_later(session, call):
                return None
            waits = payment.now.state in WAITING
            ended = Result(row.result) if row.result else None
            row.storing_at, row.holder, row.ended_at = None, "", row.ended_at or now
            row.asked_again = row.asked_again or asked_again
            right = verdict(pressed=holder is not None, result=ended, waits=waits)
            if holder is None or right is Verdict.REMOVE:
                row.result = row.result or Result.CANCELLED
                self.refuse_card(session, payment, card.token)
                _log.warning("phone.card_refused", call_id=call.id, payment_id=payment.id)
                return False
            row.result = Result.STORED
            self._authorize(session, payment, card, holder, now)
            self.links.close_link_of(session, payment.id)
            return True

    def _authorize(
        self, session: DbSession, payment: HeldPayment, card: StoredCard, holder: _Holder, now: datetime
    ) -> None:
        told = PaymentAuthorized(
            context=payment.context,
            card_token=card.token,
            brand=card.brand,
            last4=card.last4,
            cardholder_name=holder.name,
            billing_address=common_pb2.PostalAddress(**asdict(holder.billing)),
            authorized_at=stamp(now),
            card_kept_until=stamp(card.kept_until),
            cvv_kept_until=stamp(card.cvv_kept_until) if card.cvv_kept_until else None,
        )
        payment.authorize(told, by_phone=True)
        event = PaymentTakenByPhone(
            context=told.context,
            brand=card.brand,
            last4=card.last4,
            cardholder_name=holder.name,
            authorized_at=told.authorized_at,
            card_kept_until=told.card_kept_until,
            cvv_kept_until=told.cvv_kept_until if card.cvv_kept_until else None,
        )
        self.outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)

    def _mail(self, call_id: str, agent_id: str) -> None:
        actor = self.acting(agent_id)
        if actor is None:
            self._note_signature(call_id, "", "The agent who took the card is no longer active.")
        else:
            self.ask_signature(actor, call_id)

    def _note_signature(self, call_id: str, request_id: str, problem: str) -> None:
        with self.database.transaction() as session:
            kept = session.get_one(PhoneCallRow, call_id, with_for_update=True)
            kept.sign_request_id, kept.signature_problem = request_id, problem[:300]


def own_row(session: DbSession, actor: Actor, call_id: str) -> PhoneCallRow:
    """The actor's own call. Raises NotFound."""
    row = session.get(PhoneCallRow, call_id)
    if row is None or row.agency_id != actor.agency_id or not actor.owns(row.agent_id):
        raise NotFound("There is no such phone payment among yours.")
    return row


def _pressed(row: PhoneCallRow) -> _Pressed:
    return _Pressed(
        id=row.id,
        session_id=row.session_id,
        agent_id=row.agent_id,
        payment_id=row.payment_id,
        storing_at=row.storing_at,
        holder=row.holder,
    )


def _stored_later(session: DbSession, call: _Pressed) -> bool:
    """Whether a card for the payment is being stored in a later session, too. The vault keeps the newest card of a
    payment: whether there is that one must be known before the payment names another."""
    others = select(PhoneCallRow.id).where(PhoneCallRow.payment_id == call.payment_id, PhoneCallRow.id != call.id)
    if call.storing_at is None:
        others = others.where(PhoneCallRow.storing_at.is_not(None))
    else:
        others = others.where(PhoneCallRow.storing_at > call.storing_at)
    return session.scalars(others).first() is not None
