"""What the eSignature room does on events of portal and notifier: sent, not delivered, opened, signed."""

import structlog
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import EsignOpened, EsignSigned
from services.crm.core.course import Fact
from services.crm.core.mails import MailOutcome, on_mail
from services.crm.signing.esign.models import SignedRequestRow, SignRequestRow
from services.crm.signing.esign.records import KIND
from services.crm.signing.esign.rules import RequestState
from services.crm.signing.signed import signed_columns

_log = structlog.get_logger(__name__)
_MAIL = "esign_request"


class UnknownRequest(Exception):
    """An event names a request that the CRM never had: a dead letter for the operator."""


def register(handlers: EventHandlers) -> None:
    """Adds this room's handlers; each is safe to run again."""
    on_mail(handlers, note_mail, _MAIL)
    handlers.on(EsignOpened, opened)
    handlers.on(EsignSigned, signed)


def note_mail(session: Session, mail: MailOutcome) -> None:
    """What became of a request's e-mail."""
    if not KIND.note_mail(session, mail):
        _log.warning("esign.mail_of_unknown_request")


def opened(session: Session, message: EsignOpened, meta: EventMeta) -> None:
    """The client pressed "Open the document"."""
    row = _request(session, message.request_id, meta)
    if KIND.advance(row, Fact.OPENED):
        row.opened_at = moment_of(message.at)


def signed(session: Session, message: EsignSigned, meta: EventMeta) -> None:
    """The client signed: the PDF is kept forever (M13). A signature that crossed a withdrawal stands."""
    row = _request(session, message.request_id, meta)
    if session.get(SignedRequestRow, message.document_id) is not None or not KIND.answer(row, RequestState.SIGNED):
        return
    row.signed_at = moment_of(message.signed_at)
    row.delivery_problem = ""
    session.add(SignedRequestRow(request_id=row.id, signed_at=row.signed_at, **signed_columns(message, meta)))


def _request(session: Session, request_id: str, meta: EventMeta) -> SignRequestRow:
    row = KIND.of_event(session, request_id, meta.agency_id)
    if row is None:
        raise UnknownRequest(f"{meta.type} names a request that the CRM does not have")
    return row
