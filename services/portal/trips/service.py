"""Use cases of trips: learn of one, list a client's, show one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import NotFound
from chassis.former_days import CalendarDay, pack, still_gone, unpack
from protos.wayvault.events.v1.events_pb2 import BookingSaved
from services.portal.agents.service import Agents, AgentView
from services.portal.merges.service import current_client_id
from services.portal.payments.rules import PaymentState
from services.portal.payments.service import Counted, Payments
from services.portal.trips.models import TravelerRow, TripRow
from services.portal.trips.rules import (
    Due,
    Offer,
    PayType,
    Segment,
    SegmentBalance,
    Trip,
    TripStatus,
    balance_of,
    calendar_days,
    is_over,
    is_shown,
    offers,
    schedule,
)
from services.portal.trips.snapshot import read_trip

__all__ = [
    "Due",
    "Offer",
    "Part",
    "PayType",
    "Segment",
    "SegmentBalance",
    "Trip",
    "TripStatus",
    "TripView",
    "Trips",
    "trips_shown_to",
]

_UNDER_WAY = (PaymentState.AUTHORIZED, PaymentState.RETRIEVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A segment with its money: what is paid, what is due when, what may be paid now."""

    segment: Segment
    balance: SegmentBalance
    schedule: tuple[Due, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TripView:
    """A trip as one of its travelers sees it today. `message` is the CRM's own word, to be repeated in events."""

    trip: Trip
    parts: tuple[Part, ...]
    # The agency's own fee, where there is one.
    fee: Part | None
    agent: AgentView
    message: BookingSaved
    saved_at: datetime
    today: date
    former_days: tuple[CalendarDay, ...] = ()

    @property
    def is_over(self) -> bool:
        return is_over(self.trip.status, self.trip.ends_on, self.today)

    @property
    def next_due(self) -> "tuple[Part, Due] | None":
        """What is to be paid next, of the whole trip; the earliest day first, those without a day last."""
        # The fee has no day of its own: it is the agency's, and asked for when the agency does.
        open_dues = [(part, due) for part in self.parts if part.offers for due in part.schedule if due.open.minor > 0]
        return min(open_dues, key=lambda pair: pair[1].due_on or date.max, default=None)

    def part(self, segment_id: str) -> Part | None:
        among = self.parts if self.fee is None else (*self.parts, self.fee)
        return next((part for part in among if part.segment.id == segment_id), None)


def trips_shown_to(client_id: str) -> Select[str]:
    """The ids of the trips that a client sees, for other rooms' queries."""
    return (
        select(TripRow.booking_id)
        .join(TravelerRow, TravelerRow.booking_id == TripRow.booking_id)
        .where(TravelerRow.client_id == client_id, TripRow.shown.is_(True))
    )


def travelers_of(session: Session, booking_id: str) -> Sequence[str]:
    """The clients on a trip, whether it is shown to them or not."""
    return session.scalars(select(TravelerRow.client_id).where(TravelerRow.booking_id == booking_id)).all()


class Trips:
    """The trips room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database, clock: Clock, agents: Agents, payments: Payments) -> None:
        self._database = database
        self._clock = clock
        self._agents = agents
        self._payments = payments

    def of_client(self, client_id: str) -> tuple[list[TripView], list[TripView]]:
        """The client's trips: those ahead, the soonest first and those without dates last; those that are over, the
        latest first."""
        query = select(TripRow).where(TripRow.booking_id.in_(trips_shown_to(client_id)))
        with self._database.read() as session:
            views = self._views(session, session.scalars(query).all())
        ahead = [view for view in views if not view.is_over]
        over = [view for view in views if view.is_over]
        ahead.sort(key=lambda view: (view.trip.begins_on or date.max, view.trip.id))
        over.sort(key=lambda view: (view.trip.begins_on or date.min, view.trip.id), reverse=True)
        return ahead, over

    def get(self, client_id: str, booking_id: str) -> TripView:
        """One of the client's trips. Raises NotFound for any other: no difference is told."""
        with self._database.read() as session:
            row = session.get(TripRow, booking_id[:64])
            seat = session.get(TravelerRow, (booking_id[:64], client_id))
            if row is None or seat is None or not row.shown:
                raise NotFound("There is no such trip among yours.")
            return self._views(session, [row])[0]

    def told(self, booking_id: str) -> TripView | None:
        """A trip as the CRM last told of it, for someone who has a link to it. None for one that is unknown."""
        with self._database.read() as session:
            row = session.get(TripRow, booking_id[:64])
            return next(iter(self._views(session, [row])), None) if row is not None else None

    def learn(self, session: Session, message: BookingSaved, at: datetime) -> None:
        """Takes in the CRM's newest word on a booking (its events come in order)."""
        self._agents.learn_if_new(session, message.agent, message.agency)
        trip = read_trip(message)
        row = session.get(TripRow, trip.id, with_for_update=True)
        if row is None:
            row = TripRow(booking_id=trip.id, shown=False)
            session.add(row)
        else:
            before = calendar_days(read_trip(BookingSaved.FromString(row.snapshot)))
            row.former_days = pack(still_gone(unpack(row.former_days), before, calendar_days(trip))) or None
        row.agency_id, row.agent_id = message.agency.id, message.agent_id
        row.shown = is_shown(trip.status, was_shown=row.shown)
        row.status, row.begins_on, row.ends_on = trip.status.value, trip.begins_on, trip.ends_on
        row.snapshot, row.saved_at = message.SerializeToString(deterministic=True), at
        session.flush()
        session.execute(delete(TravelerRow).where(TravelerRow.booking_id == trip.id))
        for client_id in dict.fromkeys(current_client_id(session, each.client_id) for each in trip.travelers):
            session.add(TravelerRow(booking_id=trip.id, client_id=client_id))

    def _views(self, session: Session, rows: Sequence[TripRow]) -> list[TripView]:
        counted = self._payments.counted([row.booking_id for row in rows]) if rows else {}
        agents = {agent_id: self._agents.load(session, agent_id) for agent_id in {row.agent_id for row in rows}}
        return [
            self._view(row, agent, counted.get(row.booking_id, []))
            for row in rows
            if (agent := agents[row.agent_id]) is not None
        ]

    def _view(self, row: TripRow, agent: AgentView, counted: Sequence[Counted]) -> TripView:
        message = BookingSaved.FromString(row.snapshot)
        trip = read_trip(message)
        return TripView(
            trip=trip,
            parts=tuple(_part(trip, segment, counted) for segment in trip.segments),
            fee=_part(trip, trip.fee, counted) if trip.fee else None,
            agent=agent,
            message=message,
            saved_at=row.saved_at,
            former_days=unpack(row.former_days),
            today=self._clock.now().astimezone(ZoneInfo(agent.time_zone)).date(),
        )


def _part(trip: Trip, segment: Segment, counted: Sequence[Counted]) -> Part:
    own = [
        one for one in counted if (one.is_fee if segment.is_fee else one.segment_id == segment.id and not one.is_fee)
    ]
    now = balance_of(
        segment,
        trip.currency,
        paid=[one.amount for one in own if one.state is PaymentState.PROCESSED],
        under_way=[one.amount for one in own if one.state in _UNDER_WAY],
    )
    return Part(segment=segment, balance=now, schedule=schedule(segment, now), offers=offers(trip.status, segment, now))
