"""What the standing orders room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import StandingOrderTold
from services.portal.standing_orders.service import StandingOrders


def subscribe(handlers: EventHandlers, orders: StandingOrders) -> None:
    """Registers the room's handler."""

    def on_told(session: Session, message: StandingOrderTold, meta: EventMeta) -> None:
        orders.learn(session, message, meta.agency_id)

    handlers.on(StandingOrderTold, on_told)
