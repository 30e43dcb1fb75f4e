"""What the notifier says about e-mails, for the rooms that had them sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOutcome:
    """What became of one e-mail. `link_id` is the id of what it was about: a link, a request, an offer.

    `problem`: why it could not be delivered, empty when it left; `sent_at`: when it left.
    """

    kind: str
    agency_id: str
    payment_id: str
    link_id: str
    problem: str
    sent_at: datetime | None


def on_mail(handlers: EventHandlers, note: Callable[[Session, MailOutcome], None], *kinds: str) -> None:
    """Tells a room what becomes of its e-mails of these kinds. `note` may be called with the same outcome again."""

    def sent(session: Session, message: DeliverySent, meta: EventMeta) -> None:
        if message.kind in kinds:
            note(session, _outcome(message, meta, problem="", sent_at=moment_of(message.at)))

    def failed(session: Session, message: DeliveryFailed, meta: EventMeta) -> None:
        if message.kind in kinds:
            note(session, _outcome(message, meta, problem=_problem(message), sent_at=None))

    handlers.on(DeliverySent, sent)
    handlers.on(DeliveryFailed, failed)


def _problem(message: DeliveryFailed) -> str:
    reason = message.reason or "The e-mail could not be delivered."
    return (f"{message.address_hint}: {reason}" if message.address_hint else reason)[:300]


def _outcome(
    message: DeliverySent | DeliveryFailed, meta: EventMeta, *, problem: str, sent_at: datetime | None
) -> MailOutcome:
    return MailOutcome(
        kind=message.kind,
        agency_id=meta.agency_id,
        payment_id=message.payment_id,
        link_id=message.link_id,
        problem=problem,
        sent_at=sent_at,
    )
