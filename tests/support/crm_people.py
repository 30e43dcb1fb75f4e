"""What portal and notifier tell the CRM of clients, and what the CRM tells them."""

from google.protobuf.message import Message
from sqlalchemy import select

from chassis.bus import CATALOGUE, EventMeta, event_type_of
from chassis.ids import new_event_id
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from services.crm.models import event_tables
from services.crm.worker import event_handlers
from tests.support.crm_site import CrmSite


def tell(site: CrmSite, *messages: Message, agency_id: str = "") -> None:
    """Hands events to their handlers, as the consumer does: each in a transaction of its own."""
    handlers = event_handlers(site.deps)
    for message in messages:
        declared = event_type_of(message)
        reaction = handlers.reaction(declared.type)
        assert reaction is not None, declared.type
        assert reaction.handlers, declared.type
        meta = EventMeta(
            event_id=new_event_id(),
            type=declared.type,
            aggregate_type=declared.aggregate,
            aggregate_id="x",
            sequence=1,
            occurred_at=site.clock.now(),
            producer=declared.producer,
            agency_id=agency_id or site.agency_id,
            traceparent="",
        )
        with site.database.transaction() as session:
            reaction.handle(session, message, meta)


def published(site: CrmSite) -> list[Message]:
    """What the CRM told the others, in order."""
    outbox = event_tables.outbox
    with site.database.read() as session:
        rows = session.execute(select(outbox.c.type, outbox.c.envelope).order_by(outbox.c.id)).all()
    return [CATALOGUE[row.type].message_class.FromString(Envelope.FromString(row.envelope).payload) for row in rows]
