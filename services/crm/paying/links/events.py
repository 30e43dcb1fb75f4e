"""What the links room does on events of notifier and portal: sent, not delivered, opened, submitted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import (
    DeliveryFailed,
    DeliverySent,
    PaymentAuthorized,
    PaymentLinkOpened,
)
from services.crm.paying.card_removal.service import Removals
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.rules import LinkFact, LinkState, MailFact, after
from services.crm.paying.payments.service import Fact, PaymentRow, Removal, happen, locked, record_authorization, when

_log = structlog.get_logger(__name__)
_MAIL: Final = "payment_link"


class UnknownPayment(Exception):
    """An event names a payment that the CRM never had: a dead letter for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEvents:
    """Takes the client's and the notifier's facts over. Each handler may run again without harm."""

    removals: Removals
    # Opens the payment that a client started herself (P3).
    open_own: Callable[[Session, PaymentAuthorized, EventMeta], PaymentRow]
    # Tells the other rooms what became of an e-mail that is not a link's; each knows its own kinds.
    other_mails: tuple[Callable[[Session, MailFact], None], ...]
    # Keeps every failure until somebody has seen to it, and forgets it when the mail left after all.
    note_failed: Callable[[Session, DeliveryFailed, str], None]
    note_sent: Callable[[Session, DeliverySent], None]

    def register(self, handlers: EventHandlers) -> None:
        """Adds this room's handlers."""
        handlers.on(DeliverySent, self.delivery_sent)
        handlers.on(DeliveryFailed, self.delivery_failed)
        handlers.on(PaymentLinkOpened, self.link_opened)
        handlers.on(PaymentAuthorized, self.payment_authorized)

    def delivery_sent(self, session: Session, message: DeliverySent, meta: EventMeta) -> None:
        """M1: the link's e-mail left."""
        self.note_sent(session, message)
        if message.kind != _MAIL:
            self._note(session, message, problem="", sent_at=when(message.at))
            return
        row = _link(session, message.link_id, meta)
        if row is None:
            return
        row.sent_at = when(message.at)
        row.delivery_problem = ""
        _advance(row, LinkFact.DELIVERED)

    def delivery_failed(self, session: Session, message: DeliveryFailed, meta: EventMeta) -> None:
        """N2: a final failure reaches the agent on screen."""
        self.note_failed(session, message, meta.agency_id)
        problem = message.reason or "The e-mail could not be delivered."
        if message.address_hint:
            problem = f"{message.address_hint}: {problem}"
        if message.kind != _MAIL:
            self._note(session, message, problem=problem[:300], sent_at=None)
            return
        if row := _link(session, message.link_id, meta):
            row.delivery_problem = problem[:300]

    def _note(
        self, session: Session, message: DeliverySent | DeliveryFailed, *, problem: str, sent_at: datetime | None
    ) -> None:
        mail = MailFact(
            kind=message.kind,
            payment_id=message.payment_id,
            link_id=message.link_id,
            problem=problem,
            sent_at=sent_at,
        )
        for note in self.other_mails:
            note(session, mail)

    def link_opened(self, session: Session, message: PaymentLinkOpened, meta: EventMeta) -> None:
        """The client pressed "Open payment request"."""
        row = _link(session, message.link_id, meta)
        if row is None:
            return
        if _advance(row, LinkFact.OPENED):
            row.opened_at = when(message.at)
        if payment := locked(session, row.payment_id):
            happen(payment, Fact.OPENED, at=when(message.at))

    def payment_authorized(self, session: Session, message: PaymentAuthorized, meta: EventMeta) -> None:
        """M2 → M3: the client gave a card and signed. From here on the red alert shows."""
        payment = locked(session, message.context.payment_id)
        if payment is None and message.self_service:
            payment = self.open_own(session, message, meta)
        if payment is None or payment.agency_id != meta.agency_id:
            raise UnknownPayment("payment.authorized names a payment that the CRM does not have")
        row = session.scalar(select(PaymentLinkRow).where(PaymentLinkRow.payment_id == payment.id).with_for_update())
        if row is not None and _advance(row, LinkFact.SUBMITTED):
            row.submitted_at = when(message.authorized_at)
        if not record_authorization(payment, message):
            # The payment is closed: nobody may use this card any more.
            self.removals.want(session, payment, card_token=message.card_token, reason=Removal.VOIDED)


def _link(session: Session, link_id: str, meta: EventMeta) -> PaymentLinkRow | None:
    row = session.get(PaymentLinkRow, link_id, with_for_update=True)
    if row is None or row.agency_id != meta.agency_id:
        _log.warning("link.unknown", event_type=meta.type, event_id=meta.event_id)
        return None
    return row


def _advance(row: PaymentLinkRow, fact: LinkFact) -> bool:
    state = after(LinkState(row.state), fact)
    if state is None:
        return False
    row.state = state
    return True
