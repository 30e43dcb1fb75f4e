"""Use cases of companies and households: list, find, change, and who belongs to them.

They are seen as clients are: by their agent, and by the agency's admins, who change none that is not their own.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.sales.clients.service import ClientDetail, Clients, detail_of, name_key, own_row
from services.crm.sales.groups.bringing import belongs_otherwise, bring, joined_by, remove_empty, take_out
from services.crm.sales.groups.models import ClientGroupMemberRow, ClientGroupRow
from services.crm.sales.groups.rules import KIND_WORDS, Belongs, Group, GroupData, GroupKind, key_of

__all__ = [
    "BY_NAME",
    "GROUP_KEYS",
    "MEMBERSHIP",
    "Belongs",
    "GroupFilter",
    "GroupKind",
    "GroupLine",
    "GroupSort",
    "Groups",
    "belongs_otherwise",
    "bring",
    "joined_by",
    "remove_empty",
    "take_out",
]

# What names a client without keeping them from being removed.
MEMBERSHIP: type = ClientGroupMemberRow

EXPORT_LIMIT = 10_000
# More than travel together, or work for one company and book at one agency.
MEMBERS_LIMIT = 500


class GroupSort(StrEnum):
    """What the list can be ordered by."""

    NAME = "name"
    CHANGED = "changed"


BY_NAME = Order(GroupSort.NAME)
GROUP_KEYS: Keys[GroupSort] = {
    GroupSort.NAME: Key(ClientGroupRow.name_key),
    GroupSort.CHANGED: Key(ClientGroupRow.updated_at, falling=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFilter:
    """What the list shows. `kind` None = both."""

    text: str = ""
    kind: GroupKind | None = None
    order: Order[GroupSort] = BY_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """A group in a list, with how many belong to it."""

    group: Group
    members: int


class Groups:
    """The groups room's use cases."""

    def __init__(self, *, database: Database, clock: Clock, clients: Clients) -> None:
        self._database = database
        self._clock = clock
        self._clients = clients

    def list_page(self, actor: Actor, wanted: GroupFilter, number: int) -> Page[GroupLine]:
        """A page of the list."""
        with self._database.read() as session:
            total = bounded_count(session, _query(actor, wanted).with_only_columns(ClientGroupRow.id))
            lines = _lines(session, _ordered(actor, wanted).limit(PAGE_SIZE).offset(offset(number)))
            return Page(items=lines, total=total, number=number)

    def export(self, actor: Actor, wanted: GroupFilter) -> list[GroupLine]:
        """Everything that the list shows (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            return _lines(session, _ordered(actor, wanted).limit(EXPORT_LIMIT))

    def search(self, actor: Actor, text: str, limit: int) -> list[Group]:
        """The first few whose name has every word typed."""
        if not key_of(text):
            return []
        with self._database.read() as session:
            rows = session.scalars(_ordered(actor, GroupFilter(text=text)).limit(limit))
            return [_group(row) for row in rows]

    def get(self, actor: Actor, group_id: str) -> Group:
        """Raises NotFound for what does not exist or the actor may not see."""
        with self._database.read() as session:
            return _group(_visible_row(session, actor, group_id))

    def get_own(self, actor: Actor, group_id: str) -> Group:
        """As get, for a change: raises PermissionDenied when an admin looks at somebody else's."""
        with self._database.read() as session:
            return _group(_own_row(session, actor, group_id))

    def members(self, actor: Actor, group_id: str) -> list[ClientDetail]:
        """Who belongs to it, by name (at most MEMBERS_LIMIT). Raises NotFound."""
        with self._database.read() as session:
            agency_id = _visible_row(session, actor, group_id).agency_id
            ids = session.scalars(
                select(ClientGroupMemberRow.client_id)
                .where(ClientGroupMemberRow.group_id == group_id)
                .order_by(name_key(ClientGroupMemberRow.client_id), ClientGroupMemberRow.client_id)
                .limit(MEMBERS_LIMIT)
            ).all()
            known = self._clients.load_many(session, agency_id, ids)
            return [known[client_id] for client_id in ids]

    def of_client(self, actor: Actor, client_id: str) -> list[Group]:
        """What a client belongs to, by name; of what the actor may see."""
        query = _query(actor, GroupFilter()).join(ClientGroupMemberRow)
        with self._database.read() as session:
            rows = session.scalars(
                query.where(ClientGroupMemberRow.client_id == client_id).order_by(ClientGroupRow.name_key)
            )
            return [_group(row) for row in rows]

    def names(self, actor: Actor) -> Mapping[str, tuple[str, str]]:
        """For files: the companies and the households of each client whom the actor sees, with commas between."""
        query = (
            select(ClientGroupMemberRow.client_id, ClientGroupRow.kind, ClientGroupRow.name)
            .join(ClientGroupRow, ClientGroupRow.id == ClientGroupMemberRow.group_id)
            .where(visible_to(actor, ClientGroupRow.agency_id, ClientGroupRow.agent_id))
            .order_by(ClientGroupRow.name_key)
        )
        found: dict[str, tuple[list[str], list[str]]] = {}
        with self._database.read() as session:
            for client_id, kind, name in session.execute(query):
                companies, households = found.setdefault(client_id, ([], []))
                (companies if kind == GroupKind.COMPANY else households).append(name)
        return {client_id: (", ".join(one), ", ".join(other)) for client_id, (one, other) in found.items()}

    def add(self, actor: Actor, data: GroupData, *, first_member: str = "") -> Group:
        """With its first member, where one is named. Raises InvalidArgument when the agent has one of this name, and
        NotFound or PermissionDenied for who is no client of theirs."""
        now = self._clock.now()
        row = ClientGroupRow(
            id=new_id("group"), agency_id=actor.agency_id, agent_id=actor.agent_id, import_id=None, created_at=now
        )
        _fill(row, data, now)
        try:
            with self._database.transaction() as session:
                client = own_row(session, actor, first_member) if first_member else None
                session.add(row)
                session.flush()
                if client is not None:
                    _join(session, row, client.id, now)
                return _group(row)
        except IntegrityError:
            raise _same_name(data.kind) from None

    def change(self, actor: Actor, group_id: str, data: GroupData, *, version: int) -> Group:
        """Raises NotFound, PermissionDenied, ChangedMeanwhile, or InvalidArgument when another has this name."""
        try:
            with self._database.transaction() as session:
                row = _own_row(session, actor, group_id)
                if row.version != version:
                    raise ChangedMeanwhile(version=row.version)
                _fill(row, data, self._clock.now())
                session.flush()
                return _group(row)
        except IntegrityError:
            raise _same_name(data.kind) from None
        except StaleDataError:
            raise ChangedMeanwhile(version=self.get(actor, group_id).version) from None

    def remove(self, actor: Actor, group_id: str) -> Group:
        """Its members stay clients. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row = _own_row(session, actor, group_id)
            removed = _group(row)
            session.execute(delete(ClientGroupMemberRow).where(ClientGroupMemberRow.group_id == group_id))
            session.delete(row)
            return removed

    def join(self, actor: Actor, group_id: str, client_id: str) -> ClientDetail:
        """Has a client belong to it; safe to repeat. Raises NotFound, PermissionDenied, or InvalidArgument for who is
        no client of its agent."""
        with self._database.transaction() as session:
            row = _own_row(session, actor, group_id)
            try:
                client = own_row(session, actor, client_id)
            except (NotFound, PermissionDenied):
                raise InvalidArgument("Choose one of your own clients.", field="client_id") from None
            if client.agent_id != row.agent_id:
                raise InvalidArgument("Choose one of your own clients.", field="client_id")
            _join(session, row, client.id, self._clock.now())
            return detail_of(client)

    def leave(self, actor: Actor, group_id: str, client_id: str) -> ClientDetail:
        """Has a client belong to it no more; safe to repeat. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            _own_row(session, actor, group_id)
            client = own_row(session, actor, client_id)
            session.execute(
                delete(ClientGroupMemberRow).where(
                    ClientGroupMemberRow.group_id == group_id, ClientGroupMemberRow.client_id == client_id
                )
            )
            return detail_of(client)


def _join(session: Session, row: ClientGroupRow, client_id: str, now: datetime) -> None:
    if session.get(ClientGroupMemberRow, (row.id, client_id)) is None:
        session.add(ClientGroupMemberRow(group_id=row.id, client_id=client_id, import_id=None, added_at=now))
        session.flush()


def _query(actor: Actor, wanted: GroupFilter) -> Select[ClientGroupRow]:
    conditions: list[ColumnElement[bool]] = [visible_to(actor, ClientGroupRow.agency_id, ClientGroupRow.agent_id)]
    if wanted.kind is not None:
        conditions.append(ClientGroupRow.kind == wanted.kind.value)
    conditions += [ClientGroupRow.name_key.contains(word, autoescape=True) for word in key_of(wanted.text).split()]
    return select(ClientGroupRow).where(*conditions)


def _ordered(actor: Actor, wanted: GroupFilter) -> Select[ClientGroupRow]:
    return in_order(_query(actor, wanted), wanted.order, GROUP_KEYS, ClientGroupRow.id)


def _lines(session: Session, query: Select[ClientGroupRow]) -> list[GroupLine]:
    members = (
        select(func.count())
        .where(ClientGroupMemberRow.group_id == ClientGroupRow.id)
        .correlate(ClientGroupRow)
        .scalar_subquery()
    )
    return [GroupLine(group=_group(row), members=count) for row, count in session.execute(query.add_columns(members))]


def _visible_row(session: Session, actor: Actor, group_id: str) -> ClientGroupRow:
    visible = visible_to(actor, ClientGroupRow.agency_id, ClientGroupRow.agent_id)
    row = session.scalar(select(ClientGroupRow).where(ClientGroupRow.id == group_id, visible))
    if row is None:
        raise NotFound("There is no such company or household among yours.")
    return row


def _own_row(session: Session, actor: Actor, group_id: str) -> ClientGroupRow:
    row = _visible_row(session, actor, group_id)
    if not actor.owns(row.agent_id):
        raise PermissionDenied("You can look at this, but only the agent whose clients these are can change it.")
    return row


def _fill(row: ClientGroupRow, data: GroupData, now: datetime) -> None:
    key = key_of(data.name)
    if not key:
        raise InvalidArgument("Enter the name in letters or digits.", field="name")
    for name, value in asdict(data).items():
        setattr(row, name, value)
    row.kind, row.name_key, row.updated_at = data.kind.value, key, now


def _same_name(kind: GroupKind) -> InvalidArgument:
    words = KIND_WORDS[kind].lower()
    return InvalidArgument(
        f"You have a {words} of this name already. If this is another one, add the town to its name.", field="name"
    )


def _group(row: ClientGroupRow) -> Group:
    data = GroupData(
        kind=GroupKind(row.kind),
        name=row.name,
        phone=row.phone,
        website=row.website,
        tax_id=row.tax_id,
        billing_name=row.billing_name,
        billing_email=row.billing_email,
        street=row.street,
        city=row.city,
        region=row.region,
        postal_code=row.postal_code,
        country=row.country,
        notes=row.notes,
    )
    return Group(
        id=row.id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        data=data,
        updated_at=row.updated_at,
        version=row.version,
    )
