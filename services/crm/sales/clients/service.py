"""Use cases of clients: find, list, create, change."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain

from sqlalchemy import ColumnElement, Select, func, intersect, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, remembered
from chassis.errors import NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.typed.names import foldings, letters, may_be_one, name_keys, search_terms, text_of
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.search import WordIndex, set_words
from services.crm.core.visibility import visible_to
from services.crm.sales.clients.changes import (
    note_changes,
    note_changes_of_many,
    times_of_changes,
)
from services.crm.sales.clients.events import client_merged, client_saved, client_snapshot
from services.crm.sales.clients.household import put_member, put_occasion
from services.crm.sales.clients.mapping import data_of, detail_of
from services.crm.sales.clients.models import ClientRow, ClientWordRow
from services.crm.sales.clients.rules import (
    FOUND_BY,
    ChangedBy,
    ClientData,
    ClientDetail,
    Household,
    changed_fields,
    month_day,
    order_keys,
    search_words,
)
from services.crm.sales.clients.surroundings import surroundings_of

__all__ = [
    "BY_NAME",
    "CLIENT_KEYS",
    "ClientData",
    "ClientDetail",
    "ClientFilter",
    "ClientMoved",
    "ClientSort",
    "Clients",
    "apply",
    "client_snapshot",
    "current_client_id",
    "data_of",
    "detail_of",
    "name_key",
    "note_changes",
    "note_changes_of_many",
    "own_row",
    "times_of_changes",
]

_WORDS = WordIndex(
    agency_id=ClientWordRow.agency_id,
    agent_id=ClientWordRow.agent_id,
    word=ClientWordRow.word,
    owner_id=ClientWordRow.client_id,
    thing_id=ClientRow.id,
    thing_text=ClientRow.search_text,
)
SEARCH_LIMIT = 8
EXPORT_LIMIT = 100_000
# More people than share one address, or one name, among an agent's clients.
_SHARING_AN_ADDRESS = 20
_SHARING_A_NAME = 200


class ClientMoved(NotFound):
    """A profile that was merged into another of the same agent (C4)."""

    def __init__(self, *, merged_id: str, kept_id: str) -> None:
        super().__init__("This profile was merged into another one. Open that one and try again.")
        self.merged_id = merged_id
        self.kept_id = kept_id


class ClientSort(StrEnum):
    """What a list of clients can be ordered by."""

    NAME = "name"
    EMAIL = "email"
    CITY = "city"
    NEWEST = "newest"
    CHANGED = "changed"


BY_NAME = Order(ClientSort.NAME)
CLIENT_KEYS: Keys[ClientSort] = {
    ClientSort.NAME: Key(ClientRow.sort_key),
    ClientSort.EMAIL: Key(ClientRow.email_key),
    ClientSort.CITY: Key(ClientRow.city_key, ClientRow.sort_key),
    ClientSort.NEWEST: Key(ClientRow.created_at, falling=True),
    ClientSort.CHANGED: Key(ClientRow.updated_at, falling=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFilter:
    """What a list of clients shows. `country` is ISO 3166-1 alpha-2 or empty."""

    text: str = ""
    country: str = ""
    without_email: bool = False
    # Only these, where any are named.
    ids: tuple[str, ...] = ()
    order: Order[ClientSort] = BY_NAME


class Clients:
    """The clients room's use cases. Methods that take a session take part in the caller's transaction."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, directory: Directory) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._directory = directory

    def get(self, actor: Actor, client_id: str) -> ClientDetail:
        """Raises NotFound for what does not exist or the actor may not see: no difference is told."""
        with self._database.read() as session:
            return self.load(session, actor, client_id)

    def get_own(self, actor: Actor, client_id: str) -> ClientDetail:
        """As get, for a change: raises PermissionDenied when an admin looks at somebody else's client."""
        with self._database.read() as session:
            return detail_of(own_row(session, actor, client_id))

    def load(self, session: Session, actor: Actor, client_id: str) -> ClientDetail:
        """As get, within the caller's transaction."""
        return detail_of(_visible_row(session, actor, client_id))

    def load_many(self, session: Session, agency_id: str, client_ids: Collection[str]) -> dict[str, ClientDetail]:
        """Clients of an agency by id, for rooms that hold ids they have checked themselves."""
        if not client_ids:
            return {}
        # By their ids alone: SQLite would rather walk through the agency.
        rows = session.scalars(select(ClientRow).where(ClientRow.id.in_(client_ids)))
        return {row.id: detail_of(row) for row in rows if row.agency_id == agency_id}

    def find_person(self, session: Session, *, agent_id: str, data: ClientData) -> str | None:
        """The id of an agent's client who has this address and, however it is spelled, this name; the longest-known
        one. A couple may share an address: a different name is somebody else. None when there is nobody."""
        if not data.email:
            return None
        rows = session.scalars(_with_address(agent_id, data.email).limit(_SHARING_AN_ADDRESS)).all()
        wanted = name_keys(data.first_name, data.last_name)
        same = (row.id for row in rows if name_keys(row.first_name, row.last_name) & wanted)
        short = (row.id for row in rows if may_be_one(*((each.first_name, each.last_name) for each in (row, data))))
        return next(chain(same, short), None)

    def with_the_name_of(self, session: Session, client: ClientDetail) -> list[ClientDetail]:
        """The same agent's clients, this one too, whose names are this one's in any spelling; longest-known first."""
        names = [each for each in (client.data.last_name, client.data.first_name) if each]
        having = (
            select(ClientWordRow.client_id).where(
                ClientWordRow.agency_id == client.agency_id,
                ClientWordRow.agent_id == client.agent_id,
                ClientWordRow.word.in_(map(letters, foldings(name))),
            )
            for name in names
        )
        found = session.scalars(intersect(*having).limit(_SHARING_A_NAME)).all() if names else []
        rows = session.scalars(
            select(ClientRow)
            .where(ClientRow.id.in_(found), ClientRow.merged_into_id.is_(None))
            .order_by(ClientRow.created_at, ClientRow.id)
        )
        wanted = name_keys(client.data.first_name, client.data.last_name)
        return [detail_of(row) for row in rows if name_keys(row.first_name, row.last_name) & wanted]

    def search(self, actor: Actor, text: str) -> list[ClientDetail]:
        """The first few clients whose names, e-mail or telephone contain every word typed."""
        if not search_terms(text):
            return []
        with self._database.read() as session:
            rows = session.scalars(
                select(ClientRow)
                .where(*_conditions(session, actor, ClientFilter(text=text)))
                .order_by(ClientRow.sort_key, ClientRow.id)
                .limit(SEARCH_LIMIT)
            )
            return [detail_of(row) for row in rows]

    def list_page(self, actor: Actor, wanted: ClientFilter, number: int) -> Page[ClientDetail]:
        with self._database.read() as session:
            conditions = _conditions(session, actor, wanted)
            query = in_order(select(ClientRow).where(*conditions), wanted.order, CLIENT_KEYS, ClientRow.id)
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number))).all()
            all_here = number == 1 and len(rows) < PAGE_SIZE
            total = len(rows) if all_here else bounded_count(session, select(ClientRow.id).where(*conditions))
            return Page(items=[detail_of(row) for row in rows], total=total, number=number)

    def export(self, actor: Actor, wanted: ClientFilter) -> Sequence[ClientDetail]:
        """Everything the filter shows, for CSV (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            query = select(ClientRow).where(*_conditions(session, actor, wanted))
            rows = session.scalars(in_order(query, wanted.order, CLIENT_KEYS, ClientRow.id).limit(EXPORT_LIMIT))
            return [detail_of(row) for row in rows]

    def named(self, actor: Actor, client_ids: Sequence[str]) -> list[ClientDetail]:
        """The actor's own clients among these ids, in their order; under the id of today where one was merged."""
        with self._database.read() as session:
            today = [current_client_id(session, client_id) for client_id in dict.fromkeys(client_ids)]
            known = self.load_many(session, actor.agency_id, today)
        return [known[each] for each in dict.fromkeys(today) if each in known and actor.owns(known[each].agent_id)]

    def all_own(self, actor: Actor) -> Sequence[ClientDetail]:
        """The actor's own clients by name: who may travel on their bookings."""
        with self._database.read() as session:
            query = select(ClientRow).where(ClientRow.agent_id == actor.agent_id, ClientRow.merged_into_id.is_(None))
            rows = session.scalars(query.order_by(ClientRow.sort_key, ClientRow.id))
            return [detail_of(row) for row in rows]

    def with_address(self, actor: Actor, email: str) -> list[ClientDetail]:
        """The actor's own clients who have this e-mail address, the longest-known first. A couple may share one."""
        if not email:
            return []
        with self._database.read() as session:
            rows = session.scalars(_with_address(actor.agent_id, email).limit(_SHARING_AN_ADDRESS))
            return [detail_of(row) for row in rows]

    def create(self, actor: Actor, data: ClientData) -> ClientDetail:
        with self._database.transaction() as session:
            return self.add(session, agency_id=actor.agency_id, agent_id=actor.agent_id, data=data)

    def add(
        self,
        session: Session,
        *,
        agency_id: str,
        agent_id: str,
        data: ClientData,
        household: Household = Household(),  # noqa: B008 - frozen, and empty
    ) -> ClientDetail:
        """A new client of an agent, in the caller's transaction (registration in the portal, a quote request)."""
        now = self._clock.now()
        row = ClientRow(id=new_id("client"), agency_id=agency_id, agent_id=agent_id, created_at=now)
        session.add(row)
        apply(row, data, at=now)
        session.flush()
        for member in household.family:
            put_member(session, row.id, replace(member, id=new_id("family")), at=now)
        for occasion in household.occasions:
            put_occasion(session, row.id, replace(occasion, id=new_id("occasion")), at=now)
        return self.saved(session, row)

    def change(self, actor: Actor, client_id: str, data: ClientData, *, version: int) -> ClientDetail:
        """Raises NotFound, PermissionDenied, or ChangedMeanwhile when `version` is not the current one."""
        with self._database.transaction() as session:
            row = own_row(session, actor, client_id)
            session.refresh(row, with_for_update=True)
            if row.version != version:
                raise ChangedMeanwhile(version=row.version)
            now, old = self._clock.now(), data_of(row)
            note_changes(session, client_id, changed_fields(old, data), old, by=ChangedBy.AGENT, at=now)
            apply(row, data, at=now)
            return self.saved(session, row)

    def saved(self, session: Session, row: ClientRow) -> ClientDetail:
        """Tells the others what a profile is now, with all that belongs to it."""
        return self.saved_many(session, [row])[0]

    def saved_many(self, session: Session, rows: Sequence[ClientRow]) -> list[ClientDetail]:
        """The same of many, all of one agent."""
        session.flush()
        clients = [detail_of(row) for row in rows]
        around = surroundings_of(session, self._directory, clients)
        for each in clients:
            self._outbox.add(
                session, client_saved(each, around[each.id]), aggregate_id=each.id, agency_id=each.agency_id
            )
        return clients

    def merged(self, session: Session, kept: ClientRow, merged_id: str) -> None:
        """Tells the others that two profiles became one."""
        session.flush()
        client = detail_of(kept)
        event = client_merged(client, merged_id, surroundings_of(session, self._directory, [client])[client.id])
        self._outbox.add(session, event, aggregate_id=client.id, agency_id=client.agency_id)


def client_with_address(session: Session, *, agent_id: str, email: str) -> str | None:
    """The id of an agent's longest-known client who has this e-mail address; None when there is none."""
    if not email:
        return None
    return session.scalar(_with_address(agent_id, email).with_only_columns(ClientRow.id).limit(1))


def name_key(client_id: InstrumentedAttribute[str] | ColumnElement[str]) -> ColumnElement[str]:
    """What lists of other rooms order their clients by: the name as it is today."""
    return select(ClientRow.sort_key).where(ClientRow.id == client_id).scalar_subquery()


def _with_address(agent_id: str, email: str) -> Select[ClientRow]:
    return (
        select(ClientRow)
        .where(
            ClientRow.agent_id == agent_id,
            ClientRow.merged_into_id.is_(None),
            func.lower(ClientRow.email) == email.lower(),
        )
        .order_by(ClientRow.created_at, ClientRow.id)
    )


def current_client_id(session: Session, client_id: str) -> str:
    """The id under which a client is known today: a merged profile's is the kept one's. For event handlers, whose
    facts may be older than a merge."""
    query = select(ClientRow.merged_into_id).where(ClientRow.id == client_id)
    return session.scalar(query) or client_id


def apply(row: ClientRow, data: ClientData, *, at: datetime) -> None:
    """Writes what was entered, and what is computed from it."""
    known = all(getattr(row, name) == getattr(data, name) for name in FOUND_BY)
    for name, value in asdict(data).items():
        setattr(row, name, value)
    row.updated_at = at
    row.birthday_month_day = month_day(data.birthday) if data.birthday else None
    for name, key in order_keys(data).items():
        setattr(row, name, key)
    if known:
        return
    words = search_words(data)
    if row.search_text != (text := text_of(words)):
        row.search_text = text
        owner = {"client_id": row.id, "agency_id": row.agency_id, "agent_id": row.agent_id}
        set_words(row.words, words, ClientWordRow.word, ClientWordRow, **owner)


def _visible_row(session: Session, actor: Actor, client_id: str) -> ClientRow:
    query = select(ClientRow).where(
        ClientRow.id == client_id, visible_to(actor, ClientRow.agency_id, ClientRow.agent_id)
    )
    row = remembered(session, ("client", actor, client_id), lambda: session.scalar(query))
    if row is None:
        raise NotFound("There is no such client among yours.")
    if row.merged_into_id is not None:
        raise ClientMoved(merged_id=client_id, kept_id=row.merged_into_id)
    return row


def own_row(session: Session, actor: Actor, client_id: str) -> ClientRow:
    """A profile to change. Raises NotFound, or PermissionDenied for somebody else's."""
    row = _visible_row(session, actor, client_id)
    if not actor.owns(row.agent_id):
        raise PermissionDenied("You can look at this client, but only their own agent can change the profile.")
    return row


def _conditions(session: Session, actor: Actor, wanted: ClientFilter) -> list[ColumnElement[bool]]:
    sought = _WORDS.sought(session, actor, wanted.text)
    conditions = [
        *sought.conditions,
        visible_to(actor, sought.beside(ClientRow.agency_id), sought.beside(ClientRow.agent_id)),
        sought.beside(ClientRow.merged_into_id).is_(None),
    ]
    if wanted.ids:
        conditions.append(ClientRow.id.in_(wanted.ids))
    if wanted.country:
        conditions.append(ClientRow.country == wanted.country)
    if wanted.without_email:
        # Written out, so that SQLite sees that the index of those without an address is the one.
        conditions.append(ClientRow.email == literal("", literal_execute=True))
    return conditions
