"""What the insurance room does on events of portal and notifier: sent, not delivered, answered."""

import structlog
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import InsuranceDecided
from services.crm.core.mails import MailOutcome, on_mail
from services.crm.signing.insurance.models import InsuranceAnswerRow
from services.crm.signing.insurance.records import KIND
from services.crm.signing.insurance.rules import OfferState
from services.crm.signing.signed import signed_columns

_log = structlog.get_logger(__name__)
_MAIL = "insurance_offer"


class UnknownOffer(Exception):
    """An event names an offer that the CRM never had: a dead letter for the operator."""


def register(handlers: EventHandlers) -> None:
    """Adds this room's handler; it is safe to run again."""
    on_mail(handlers, note_mail, _MAIL)
    handlers.on(InsuranceDecided, decided)


def note_mail(session: Session, mail: MailOutcome) -> None:
    """What became of an offer's e-mail."""
    if not KIND.note_mail(session, mail):
        _log.warning("insurance.mail_of_unknown_offer")


def decided(session: Session, message: InsuranceDecided, meta: EventMeta) -> None:
    """The passenger accepted or declined and signed. An answer that crossed a withdrawal stands."""
    row = KIND.of_event(session, message.offer_id, meta.agency_id)
    if row is None:
        raise UnknownOffer(f"{meta.type} names an offer that the CRM does not have")
    answer = OfferState.ACCEPTED if message.accepted else OfferState.DECLINED
    if session.get(InsuranceAnswerRow, message.document_id) is not None or not KIND.answer(row, answer):
        return
    row.decided_at = moment_of(message.at)
    row.delivery_problem = ""
    kept = InsuranceAnswerRow(
        offer_id=row.id, accepted=message.accepted, decided_at=row.decided_at, **signed_columns(message, meta)
    )
    session.add(kept)
