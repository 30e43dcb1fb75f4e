"""Use cases of quote requests: list, look, book, decline, take up again; and what arrives from the portal."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import AsText, Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.timestamps import moment_of
from chassis.typed.days import day_from as _day
from chassis.typed.names import full_name
from chassis.typed.text import clean_line
from protos.wayvault.events.v1 import events_pb2
from protos.wayvault.events.v1.events_pb2 import ClientRegistered, QuoteRequested
from services.crm.access.agency.service import AgentDetail, Directory
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, offset
from services.crm.core.visibility import visible_to
from services.crm.sales.clients.service import ClientData, Clients, current_client_id, name_key
from services.crm.trips.bookings.service import BookingData, BookingDetail, Bookings, BookingStatus
from services.crm.trips.quotes.models import QuoteRow, RegistrationRow
from services.crm.trips.quotes.rules import (
    QuoteDetail,
    QuoteFact,
    QuoteState,
    Wish,
    after,
    booking_notes,
    booking_title,
)

__all__ = [
    "NEWEST",
    "QUOTE_KEYS",
    "QuoteDetail",
    "QuoteFilter",
    "QuoteSort",
    "QuoteState",
    "Quotes",
    "UnknownAgent",
    "count_new",
]

DEFAULT_CURRENCY = "USD"
EXPORT_LIMIT = 10_000
_MOST_TRAVELERS = 99
_NEWEST_SHOWN = 5


class UnknownAgent(Exception):
    """An event names an agent or client that the CRM never had: a dead letter for the operator."""


class QuoteSort(StrEnum):
    """What the inbox can be ordered by."""

    ASKED = "asked"
    CLIENT = "client"
    WHERE = "where"
    WHEN = "when"
    STATE = "state"


NEWEST = Order(QuoteSort.ASKED)
QUOTE_KEYS: Keys[QuoteSort] = {
    QuoteSort.ASKED: Key(QuoteRow.asked_at, falling=True),
    QuoteSort.CLIENT: Key(name_key(QuoteRow.client_id), QuoteRow.asked_at),
    QuoteSort.WHERE: Key(AsText(QuoteRow.destination), QuoteRow.asked_at),
    QuoteSort.WHEN: Key(QuoteRow.begins_on, QuoteRow.asked_at, gaps=True),
    QuoteSort.STATE: Key(QuoteRow.state, QuoteRow.asked_at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteFilter:
    """What the inbox shows; None = every state."""

    state: QuoteState | None = QuoteState.NEW
    order: Order[QuoteSort] = NEWEST


class Quotes:
    """The quotes room's use cases. Methods that take a session take part in the caller's transaction."""

    def __init__(
        self, *, database: Database, clock: Clock, clients: Clients, bookings: Bookings, directory: Directory
    ) -> None:
        self._database = database
        self._clock = clock
        self._clients = clients
        self._bookings = bookings
        self._directory = directory

    def list_page(self, actor: Actor, wanted: QuoteFilter, number: int) -> Page[QuoteDetail]:
        """A page of the inbox."""
        conditions = _conditions(actor, wanted)
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(QuoteRow).where(*conditions)) or 0
            rows = session.scalars(_listed(actor, wanted).limit(PAGE_SIZE).offset(offset(number))).all()
            return Page(items=self._details(session, actor.agency_id, rows), total=total, number=number)

    def export(self, actor: Actor, wanted: QuoteFilter) -> list[QuoteDetail]:
        """Everything that the inbox shows (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            rows = session.scalars(_listed(actor, wanted).limit(EXPORT_LIMIT)).all()
            return self._details(session, actor.agency_id, rows)

    def some(self, actor: Actor, quote_ids: Collection[str]) -> list[QuoteDetail]:
        """These requests, as far as they are the actor's own, newest first."""
        query = select(QuoteRow).where(QuoteRow.agent_id == actor.agent_id, QuoteRow.id.in_(quote_ids))
        with self._database.read() as session:
            rows = session.scalars(in_order(query, NEWEST, QUOTE_KEYS, QuoteRow.id)).all()
            return self._details(session, actor.agency_id, rows)

    def newest(self, actor: Actor) -> list[QuoteDetail]:
        """The actor's own newest requests that wait (the dashboard)."""
        with self._database.read() as session:
            rows = session.scalars(
                select(QuoteRow)
                .where(QuoteRow.agent_id == actor.agent_id, QuoteRow.state == QuoteState.NEW)
                .order_by(QuoteRow.asked_at.desc(), QuoteRow.id)
                .limit(_NEWEST_SHOWN)
            ).all()
            return self._details(session, actor.agency_id, rows)

    def get(self, actor: Actor, quote_id: str) -> QuoteDetail:
        """Raises NotFound for what does not exist or the actor may not see."""
        with self._database.read() as session:
            return self._details(session, actor.agency_id, [_visible(session, actor, quote_id)])[0]

    def book(self, actor: Actor, quote_id: str) -> BookingDetail:
        """Makes a booking (status quote) of the request, with its client as lead, in one transaction. A second click
        finds the booking that the first one made. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row = _own(session, actor, quote_id)
            if row.booking_id is not None:
                return self._bookings.load(session, actor, row.booking_id)
            state = after(QuoteState(row.state), QuoteFact.BOOKED)
            if state is None:
                raise InvalidArgument("This request was decided already.")
            wish = _wish(row)
            asked_on = row.asked_at.astimezone(ZoneInfo(actor.time_zone)).date().isoformat()
            booking = self._bookings.open(
                session,
                actor,
                BookingData(
                    title=booking_title(wish),
                    status=BookingStatus.QUOTE,
                    currency=DEFAULT_CURRENCY,
                    passenger_ids=(row.client_id,),
                    notes=booking_notes(wish, asked_on),
                ),
            )
            row.state, row.booking_id, row.decided_at = state, booking.id, self._clock.now()
            return booking

    def wished_days(self, booking_id: str) -> tuple[date | None, date | None]:
        """First and last day that were asked for, of the request that became this booking; the caller may see it."""
        query = select(QuoteRow.begins_on, QuoteRow.ends_on).where(QuoteRow.booking_id == booking_id).limit(1)
        with self._database.read() as session:
            found = session.execute(query).first()
            return (found[0], found[1]) if found else (None, None)

    def decline(self, actor: Actor, quote_id: str, note: str, *, version: int) -> QuoteDetail:
        """Puts the request away with a note. Raises NotFound, PermissionDenied, InvalidArgument, ChangedMeanwhile."""
        return self._decide(actor, quote_id, QuoteFact.DECLINED, note, version)

    def reopen(self, actor: Actor, quote_id: str, *, version: int) -> QuoteDetail:
        """Takes a declined request up again. Raises as decline."""
        return self._decide(actor, quote_id, QuoteFact.REOPENED, "", version)

    def _decide(self, actor: Actor, quote_id: str, fact: QuoteFact, note: str, version: int) -> QuoteDetail:
        with self._database.transaction() as session:
            row = _own(session, actor, quote_id)
            state = after(QuoteState(row.state), fact)
            if state is None:
                raise InvalidArgument("This request was decided already. Look at it again before you change that.")
            if row.version != version:
                raise ChangedMeanwhile
            row.state, row.note = state, note
            row.decided_at = self._clock.now() if fact is QuoteFact.DECLINED else None
            session.flush()
            return self._details(session, actor.agency_id, [row])[0]

    def learn_registered(self, session: Session, message: ClientRegistered, agency_id: str) -> None:
        """A visitor registered: they are a client from now on, or were one already."""
        agent = self._agent(session, message.agent_id, agency_id)
        self._registered(session, message.registration_id, agent, message.client)

    def learn_requested(self, session: Session, message: QuoteRequested, agency_id: str) -> None:
        """A request came in. Hearing it again changes nothing."""
        if session.get(QuoteRow, message.quote_id) is not None:
            return
        agent = self._agent(session, message.agent_id, agency_id)
        if message.registration_id:
            client_id, agent_id = self._registered(session, message.registration_id, agent, message.client), agent.id
        else:
            client_id, agent_id = self._known(session, message.client_id, agent.agency_id)
        session.add(
            QuoteRow(
                id=message.quote_id,
                agency_id=agency_id,
                agent_id=agent_id,
                client_id=client_id,
                name=full_name(_line(message.client.first_name, 80), _line(message.client.last_name, 80)),
                email=_line(message.client.email, 254),
                phone=_line(message.client.phone, 40),
                destination=_line(message.destination, 200),
                begins_on=_day(message.begins_on),
                ends_on=_day(message.ends_on),
                adults=min(message.adults, _MOST_TRAVELERS),
                children=min(message.children, _MOST_TRAVELERS),
                budget=_line(message.budget, 100),
                wishes=message.wishes[:4000],
                state=QuoteState.NEW,
                note="",
                asked_at=moment_of(message.at),
            )
        )

    def _registered(
        self, session: Session, registration_id: str, agent: AgentDetail, visitor: events_pb2.Client
    ) -> str:
        row = session.get(RegistrationRow, registration_id, with_for_update=True)
        if row is None:
            data = ClientData(
                first_name=_line(visitor.first_name, 80),
                last_name=_line(visitor.last_name, 80),
                email=_line(visitor.email, 254),
                phone=_line(visitor.phone, 40),
            )
            client_id = self._clients.find_person(session, agent_id=agent.id, data=data)
            if client_id is None:
                added = self._clients.add(session, agency_id=agent.agency_id, agent_id=agent.id, data=data)
                client_id = added.id
            row = RegistrationRow(
                id=registration_id, agency_id=agent.agency_id, client_id=client_id, registered_at=self._clock.now()
            )
            session.add(row)
            session.flush()
        return row.client_id

    def _known(self, session: Session, client_id: str, agency_id: str) -> tuple[str, str]:
        """A signed-in client and the agent who looks after them today."""
        current = current_client_id(session, client_id)
        client = self._clients.load_many(session, agency_id, [current]).get(current)
        if client is None:
            raise UnknownAgent(f"a quote request names the client {client_id}, whom the CRM does not have")
        return client.id, client.agent_id

    def _agent(self, session: Session, agent_id: str, agency_id: str) -> AgentDetail:
        try:
            agent = self._directory.load_agent(session, agent_id)
        except NotFound as error:
            raise UnknownAgent(agent_id) from error
        if agent.agency_id != agency_id:
            raise UnknownAgent(agent_id)
        return agent

    def _details(self, session: Session, agency_id: str, rows: Sequence[QuoteRow]) -> list[QuoteDetail]:
        names = self._directory.names_of(session, agency_id, {row.agent_id for row in rows})
        return [_detail(row, names.get(row.agent_id, "")) for row in rows]


def count_new(actor: Actor) -> Select[int]:
    """How many of the actor's own requests wait for an answer (the rail)."""
    return select(func.count()).where(QuoteRow.agent_id == actor.agent_id, QuoteRow.state == QuoteState.NEW)


def _conditions(actor: Actor, wanted: QuoteFilter) -> list[ColumnElement[bool]]:
    conditions = [visible_to(actor, QuoteRow.agency_id, QuoteRow.agent_id)]
    if wanted.state is not None:
        conditions.append(QuoteRow.state == wanted.state)
    return conditions


def _listed(actor: Actor, wanted: QuoteFilter) -> Select[QuoteRow]:
    return in_order(select(QuoteRow).where(*_conditions(actor, wanted)), wanted.order, QUOTE_KEYS, QuoteRow.id)


def _visible(session: Session, actor: Actor, quote_id: str) -> QuoteRow:
    row = session.scalar(
        select(QuoteRow).where(QuoteRow.id == quote_id, visible_to(actor, QuoteRow.agency_id, QuoteRow.agent_id))
    )
    if row is None:
        raise NotFound("There is no such quote request among yours.")
    return row


def _own(session: Session, actor: Actor, quote_id: str) -> QuoteRow:
    """The row, held until the transaction ends."""
    row = _visible(session, actor, quote_id)
    if not actor.owns(row.agent_id):
        raise PermissionDenied("You can look at this request, but only its own agent can answer it.")
    session.refresh(row, with_for_update=True)
    return row


def _wish(row: QuoteRow) -> Wish:
    return Wish(
        destination=row.destination,
        begins_on=row.begins_on,
        ends_on=row.ends_on,
        adults=row.adults,
        children=row.children,
        budget=row.budget,
        wishes=row.wishes,
    )


def _detail(row: QuoteRow, agent_name: str) -> QuoteDetail:
    return QuoteDetail(
        id=row.id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        agent_name=agent_name,
        client_id=row.client_id,
        name=row.name,
        email=row.email,
        phone=row.phone,
        wish=_wish(row),
        state=QuoteState(row.state),
        note=row.note,
        booking_id=row.booking_id,
        asked_at=row.asked_at,
        decided_at=row.decided_at,
        version=row.version,
    )


def _line(text: str, length: int) -> str:
    """One line of what a visitor typed."""
    return clean_line(text)[:length].strip()
