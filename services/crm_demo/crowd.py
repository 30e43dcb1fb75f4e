"""A few hundred more clients of the demo agency, with trips at every stage, so that lists and reports have something to
show. Made through the rooms' use cases, so that portal and notifier hear of them; payments of the past, whose cards are
long gone, are written as they ended."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from chassis.ids import new_id
from services.crm.access.agency.service import agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.models import ClientRow, PaymentRow, TaskRow
from services.crm.parts import Dependencies
from services.crm.sales.clients.rules import Household
from services.crm.sales.clients.service import ClientDetail, client_snapshot
from services.crm.trips.bookings.service import BookingData, BookingDetail, segment_snapshot
from services.crm_demo.generator import Generator, MadeTrip
from services.crm_demo.payments import Paid, past_payments
from services.crm_demo.portal_life import tell_past_payments

# How many clients each of the demo's agents gets besides those one knows by name.
CLIENTS = {"ada@harbour.example": 40, "maya@harbour.example": 160, "jonas@harbour.example": 120}
_SEED = 20261121


def add_crowd(deps: Dependencies, actor: Actor, today: date, percent: int = 100) -> int:
    """Adds an agent's crowd, or so many percent of it, in one transaction, unless it is there.

    Returns how many clients were added.
    """
    with deps.core.database.transaction() as session:
        if _is_there(session, actor):
            return 0
        crowd = _Crowd(deps, session, actor, today)
        size = CLIENTS.get(actor.email, 0) * percent // 100
        for number in range(size):
            crowd.add(number)
        return size


def _is_there(session: Session, actor: Actor) -> bool:
    query = select(ClientRow.id).where(ClientRow.agent_id == actor.agent_id, ClientRow.email.endswith("@inbox.example"))
    return session.scalars(query.limit(1)).first() is not None


class _Crowd:
    """Makes one client after another with all that belongs to them."""

    def __init__(self, deps: Dependencies, session: Session, actor: Actor, today: date) -> None:
        self._deps = deps
        self._session = session
        self._actor = actor
        self._today = today
        self._now = deps.core.clock.now()
        seed = _SEED + sum(actor.email.encode())
        self._generator = Generator(seed, today)
        self._chance = random.Random(seed)
        self._agency = agency_snapshot(deps.access.directory.load_agency(session, actor.agency_id))
        self._agent = agent_snapshot(deps.access.directory.load_agent(session, actor.agent_id))

    def add(self, number: int) -> None:
        """A client, who may have a family, an anniversary, something to be done for them, and trips."""
        deps, session, actor = self._deps, self._session, self._actor
        data = self._generator.client(number)
        household = Household(
            family=tuple(self._generator.family(data.last_name)), occasions=tuple(self._generator.occasions())
        )
        client = deps.sales.clients.add(
            session, agency_id=actor.agency_id, agent_id=actor.agent_id, data=data, household=household
        )
        if self._chance.random() < 0.08:
            task = self._generator.task()
            session.add(
                TaskRow(
                    id=new_id("task"),
                    agency_id=actor.agency_id,
                    agent_id=actor.agent_id,
                    client_id=client.id,
                    title=task.title,
                    due_on=task.due_on,
                    created_at=self._now - timedelta(days=14),
                )
            )
        for _ in range(self._chance.choice((0, 0, 1, 1, 2))):
            # Nobody without an e-mail address was sent a payment link, so their trips are over.
            self._add_trip(client, self._generator.trip(past=None if client.email else True))

    def _add_trip(self, client: ClientDetail, trip: MadeTrip) -> None:
        data = BookingData(title=trip.title, status=trip.status, currency=trip.currency, passenger_ids=(client.id,))
        booking = self._deps.trips.bookings.open(self._session, self._actor, data, trip.segments)
        if client.email and any(trip.paid_minor):
            self._pay(client, booking, trip.paid_minor)

    def _pay(self, client: ClientDetail, booking: BookingDetail, paid_minor: tuple[int, ...]) -> None:
        ids: Iterator[str] = (new_id("pay") for _ in count())
        rows: list[dict[str, Any]] = []
        for segment, minor in zip(booking.segments, paid_minor, strict=True):
            price, due = segment.data.price, segment.data.deposit_due_on or segment.data.final_due_on
            if price is None or due is None or not minor:
                continue
            paid = Paid(
                agency=self._agency,
                agent=self._agent,
                payer=client_snapshot(client),
                booking_id=booking.id,
                booking_title=booking.title,
                segment=segment_snapshot(segment),
                total_minor=minor,
                currency=booking.currency,
                first_due=due,
                parts=1 if minor < price.minor else self._chance.choice((1, 2, 2, 3)),
            )
            rows += past_payments(paid, ids, self._chance, self._now)
        if rows:
            self._session.execute(insert(PaymentRow), rows)
            tell_past_payments(self._deps, self._session, rows)
