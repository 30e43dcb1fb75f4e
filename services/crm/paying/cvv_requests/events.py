"""What the CVV requests room does on events: the e-mail left or did not, the client has given the CVV."""

from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import CvvResupplied
from services.crm.core.mails import MailOutcome, on_mail
from services.crm.paying.cvv_requests.models import CvvRequestRow
from services.crm.paying.cvv_requests.rules import CvvRequestState
from services.crm.paying.payments.service import locked

_log = structlog.get_logger(__name__)
_MAIL: Final = "cvv_request"


def register(handlers: EventHandlers) -> None:
    """Adds this room's handlers; each is safe to run again."""
    on_mail(handlers, note_mail, _MAIL)
    handlers.on(CvvResupplied, cvv_resupplied)


def cvv_resupplied(session: Session, message: CvvResupplied, meta: EventMeta) -> None:
    """The vault has a CVV again. One that came before the last showing is told of too late, and changes nothing."""
    request = session.get(CvvRequestRow, message.link_id, with_for_update=True)
    if request is None or request.agency_id != meta.agency_id or request.payment_id != message.payment_id:
        _log.warning("cvv_request.unknown", event_id=meta.event_id)
        return
    if request.supplied_at is not None:
        return
    at = moment_of(message.at)
    request.state, request.supplied_at, request.delivery_problem = CvvRequestState.SUPPLIED, at, ""
    payment = locked(session, request.payment_id)
    if payment is None or payment.now.card_token != request.card_token or _shown_since(payment.now.cvv_shown_at, at):
        return
    payment.cvv_given_again(kept_until=moment_of(message.cvv_kept_until))


def _shown_since(shown_at: datetime | None, supplied_at: datetime) -> bool:
    return shown_at is not None and shown_at > supplied_at


def note_mail(session: Session, mail: MailOutcome) -> None:
    """Keeps with the request what the notifier says about its e-mail."""
    query = select(CvvRequestRow).where(CvvRequestRow.id == mail.link_id, CvvRequestRow.payment_id == mail.payment_id)
    row = session.scalars(query.with_for_update()).first()
    if row is None:
        return
    row.delivery_problem = mail.problem
    if mail.sent_at is not None and row.state == CvvRequestState.ISSUED:
        row.state, row.sent_at = CvvRequestState.SENT, mail.sent_at
