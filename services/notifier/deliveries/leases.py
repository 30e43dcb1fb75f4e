"""What this process is sending, kept from others for as long as it lives, and no longer.

A claim lasts for seconds and is renewed every other second. So what a killed process had in hand is taken over soon,
and a conversation with a slow mail server still takes the minutes that it needs.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from chassis.clock import Clock
from chassis.db import Database
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import LEASE, RENEW_SECONDS, DeliveryState

log = structlog.get_logger(__name__)


class Leases:
    """One for all senders of a process."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._careful_until: datetime | None = None
        self._renewed = time.monotonic()

    @contextmanager
    def held(self, delivery_id: str) -> Iterator[None]:
        """Renews the claim on a delivery meanwhile."""
        with self._lock:
            self._held.add(delivery_id)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(delivery_id)

    def lapsed_before(self) -> datetime | None:
        """A claim that ran out before this moment has lost its process. None while this process itself is late with its
        renewals, and for a while after the database was away: others could not renew theirs either, and what they are
        sending would be sent twice."""
        now = self._clock.now()
        if time.monotonic() - self._renewed >= LEASE.total_seconds():
            return None
        return now if self._careful_until is None or now >= self._careful_until else None

    def run(self, stop: threading.Event) -> None:
        """Renews until told to stop and nothing is in hand any more. Nothing else ends it."""
        pause = threading.Event()
        while not stop.is_set() or self._held:
            (pause if stop.is_set() else stop).wait(RENEW_SECONDS)
            try:
                self.renew()
            except SQLAlchemyError as error:
                log.warning("leases.waiting", cause=type(error).__name__)

    def renew(self) -> None:
        """Lengthens every claim that is held. Raises SQLAlchemyError, and is careful from then on."""
        with self._lock:
            held = sorted(self._held)
        now = self._clock.now()
        mine = (Delivery.id.in_(held), Delivery.state == DeliveryState.IN_FLIGHT.value)
        try:
            if held:
                with self._database.transaction(durable=False) as session:
                    session.execute(update(Delivery).where(*mine).values(lease_until=now + LEASE))
            else:
                with self._database.read() as session:
                    session.execute(select(1))
        except SQLAlchemyError:
            self._careful_until = self._clock.now() + LEASE
            raise
        self._renewed = time.monotonic()
