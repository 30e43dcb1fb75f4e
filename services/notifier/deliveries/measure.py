"""How many mails are in which state, and how long the oldest has waited, as metrics of the notifier's worker."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from chassis.clock import Clock
from chassis.db import Database
from chassis.telemetry import Gauge
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import DeliveryState

_COUNT: Final = Gauge("wayvault_deliveries", "E-mails by state, as long as the notifier keeps them", ["state"])
_WAITING: Final = Gauge("wayvault_delivery_waiting_seconds", "Age of the oldest e-mail that has not left")
_UNDER_WAY: Final = (DeliveryState.QUEUED, DeliveryState.IN_FLIGHT)


def measure_deliveries(database: Database, clock: Clock) -> None:
    """Sets the gauges. Raises what the database raises."""
    by_state = select(Delivery.state, func.count()).group_by(Delivery.state)
    oldest = select(func.min(Delivery.created_at)).where(Delivery.state.in_(_UNDER_WAY))
    with database.read() as session:
        counts: dict[str, int] = {row[0]: row[1] for row in session.execute(by_state)}
        since: datetime | None = session.execute(oldest).scalar()
    for state in DeliveryState:
        _COUNT.labels(state.value).set(counts.get(state.value, 0))
    _WAITING.set((clock.now() - since).total_seconds() if since is not None else 0.0)
