"""What the links room does on events of notifier and portal: sent, not delivered, opened, submitted."""

from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, PaymentLinkOpened
from services.crm.core.course import Fact as Step
from services.crm.core.mails import MailOutcome, on_mail
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.records import KIND
from services.crm.paying.links.rules import LinkState
from services.crm.paying.payments.service import Fact, locked

_log = structlog.get_logger(__name__)
_MAIL: Final = "payment_link"


def register(handlers: EventHandlers) -> None:
    """Adds this room's handlers; each is safe to run again."""
    on_mail(handlers, note_mail, _MAIL)
    handlers.on(PaymentLinkOpened, link_opened)
    handlers.on(PaymentAuthorized, link_submitted)


def note_mail(session: Session, mail: MailOutcome) -> None:
    """M1: the link's e-mail left. N2: a final failure reaches the agent on screen."""
    if not KIND.note_mail(session, mail):
        _log.warning("link.unknown")


def link_opened(session: Session, message: PaymentLinkOpened, meta: EventMeta) -> None:
    """The client pressed "Open payment request"."""
    row = KIND.of_event(session, message.link_id, meta.agency_id)
    if row is None:
        _log.warning("link.unknown")
        return
    if KIND.advance(row, Step.OPENED):
        row.opened_at = moment_of(message.at)
    if payment := locked(session, row.payment_id):
        payment.happen(Fact.OPENED, at=moment_of(message.at))


def link_submitted(session: Session, message: PaymentAuthorized, meta: EventMeta) -> None:
    """M2: card and signature came by the link. The payments room was told before, and has refused what is not ours."""
    row = session.scalar(
        select(PaymentLinkRow)
        .where(PaymentLinkRow.payment_id == message.context.payment_id, PaymentLinkRow.agency_id == meta.agency_id)
        .with_for_update()
    )
    if row is not None and KIND.answer(row, LinkState.SUBMITTED):
        row.submitted_at = moment_of(message.authorized_at)
