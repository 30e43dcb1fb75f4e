"""Use cases of closing: processed with the supplier, void, ask the client again (M7, M9)."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument
from services.crm.core.actor import Actor
from services.crm.core.ports.vault import Origin, Removal
from services.crm.paying.card_removal.service import Removals
from services.crm.paying.closing.rules import may_ask_again, may_process, may_void
from services.crm.paying.payments.service import (
    Fact,
    HeldPayment,
    PaymentState,
    Refused,
    locked_own,
    process,
    replaced_by,
    void,
)

__all__ = ["AsksAgain", "Closed", "Closing", "may_ask_again", "may_process", "may_void"]


class Barrier(Protocol):
    """Raises InvalidArgument while something under way needs the payment's card; asked inside the transaction that
    holds the payment's row."""

    def __call__(self, session: Session, payment_id: str) -> None: ...


class AsksAgain(Protocol):
    """Opens a new payment and link in place of one that came to nothing (links.service.PaymentLinks)."""

    def ask_again(self, session: Session, payment: HeldPayment) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """How a closing ended. `new_payment_id` names the payment that the client was asked for instead."""

    payment_id: str
    new_payment_id: str = ""


class Closing:
    """The closing room's use cases. Doing one twice does it once."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        removals: Removals,
        links: AsksAgain,
        barrier: Barrier,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._removals = removals
        self._links = links
        self._barrier = barrier

    def process(self, actor: Actor, payment_id: str, *, confirmation: str, note: str, origin: Origin) -> Closed:
        """The supplier charged the card: card and CVV are destroyed.

        Raises NotFound, PermissionDenied or InvalidArgument. Processed already: nothing changes.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            if payment.now.state is PaymentState.PROCESSED:
                return Closed(payment_id=payment.id)
            if isinstance(refused := may_process(payment.now.state), Refused):
                raise InvalidArgument(refused.why)
            self._barrier(session, payment.id)
            process(session, self._outbox, payment, Fact.PROCESSED, confirmation=confirmation, words=note, at=now)
            self._removals.want(session, payment, reason=Removal.PROCESSED, origin=origin)
            return Closed(payment_id=payment.id)

    def void(self, actor: Actor, payment_id: str, *, reason: str, fresh_link: bool, origin: Origin) -> Closed:
        """The payment comes to nothing: card and CVV are destroyed and the client is told, with a fresh link if wished.

        Raises NotFound, PermissionDenied or InvalidArgument. Void already: nothing changes.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            if payment.now.state is PaymentState.VOIDED:
                return Closed(payment_id=payment.id, new_payment_id=replaced_by(session, payment.id) or "")
            if isinstance(refused := may_void(payment.now.state), Refused):
                raise InvalidArgument(refused.why)
            self._barrier(session, payment.id)
            void(session, self._outbox, payment, reason=reason, fresh_link=fresh_link, at=now)
            self._removals.want(session, payment, reason=Removal.VOIDED, origin=origin)
            new_id = self._links.ask_again(session, payment) if fresh_link else ""
            return Closed(payment_id=payment.id, new_payment_id=new_id)

    def ask_again(self, actor: Actor, payment_id: str) -> Closed:
        """A fresh link for a payment that ended without a charge. Asked already: answers with that payment.

        Raises NotFound, PermissionDenied or InvalidArgument.
        """
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            if isinstance(refused := may_ask_again(payment.now.state), Refused):
                raise InvalidArgument(refused.why)
            new_id = replaced_by(session, payment.id) or self._links.ask_again(session, payment)
            return Closed(payment_id=payment.id, new_payment_id=new_id)
