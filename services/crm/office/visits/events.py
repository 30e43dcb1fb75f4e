"""What the visits room does on events of notifier and portal: sent, not delivered, opened, ended."""

import structlog
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import VisitEnded, VisitOpened
from services.crm.core.course import Fact
from services.crm.core.mails import MailOutcome, on_mail
from services.crm.office.visits.records import KIND
from services.crm.office.visits.rules import VisitState
from services.crm.office.visits.service import Visits

_log = structlog.get_logger(__name__)


def register(handlers: EventHandlers, visits: Visits) -> None:
    """Adds this room's handlers; each may run again without harm. What became of the parts, their rooms are told."""

    def note_mail(session: Session, mail: MailOutcome) -> None:
        if not visits.note_mail(session, mail):
            _log.warning("visit.unknown")

    on_mail(handlers, note_mail, "visit")
    handlers.on(VisitOpened, opened)
    handlers.on(VisitEnded, ended)


def opened(session: Session, message: VisitOpened, meta: EventMeta) -> None:
    """The client pressed "See what is asked"."""
    row = KIND.of_event(session, message.visit_id, meta.agency_id)
    if row is None:
        _log.warning("visit.unknown")
    elif KIND.advance(row, Fact.OPENED):
        row.opened_at = moment_of(message.at)


def ended(session: Session, message: VisitEnded, meta: EventMeta) -> None:
    """Nothing waits any more. Where a part came to nothing, the visit can be sent again, so it stays as it is."""
    row = KIND.of_event(session, message.visit_id, meta.agency_id)
    if row is None:
        _log.warning("visit.unknown")
    elif not message.left_out:
        KIND.answer(row, VisitState.DONE)
        row.delivery_problem = ""
