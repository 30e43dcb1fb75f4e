"""Use cases of what belongs to a client's profile: family, occasions, and what they changed in the portal."""

from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import new_id
from chassis.typed.names import title_key
from services.crm.core.actor import Actor
from services.crm.sales.clients.changes import (
    ClientsChange,
    by_the_client,
    family_field,
    note_change,
    occasion_field,
    take_note,
)
from services.crm.sales.clients.household import family_row, load_household, occasion_row, put_member, put_occasion
from services.crm.sales.clients.models import ClientRow, FamilyMemberRow, OccasionRow
from services.crm.sales.clients.rules import (
    ChangedBy,
    FamilyMember,
    Household,
    Occasion,
    OccasionKind,
    ProfileField,
    month_day,
)
from services.crm.sales.clients.service import Clients, own_row

Columns = TypeVarTuple("Columns")
UPCOMING_LIMIT = 12
_FEBRUARY_29, _MARCH_FIRST = 229, 301
_MonthDay = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A birthday or anniversary within the next weeks. `years` is how many it will be; None = not known."""

    client_id: str
    client_name: str
    # Who or what it is about, when that is not the client.
    about: str
    kind: OccasionKind
    on: date
    years: int | None


class Profiles:
    """Family, occasions and the client's own changes. Each change is told to the portal with the whole profile."""

    def __init__(self, *, database: Database, clock: Clock, clients: Clients) -> None:
        self._database = database
        self._clock = clock
        self._clients = clients

    def household(self, actor: Actor, client_id: str) -> Household:
        """Raises NotFound."""
        with self._database.read() as session:
            self._clients.load(session, actor, client_id)
            return load_household(session, client_id)

    def changes(self, actor: Actor, client_id: str) -> list[ClientsChange]:
        """What the client changed in the portal and their agent has not taken note of. Raises NotFound."""
        with self._database.read() as session:
            self._clients.load(session, actor, client_id)
            return by_the_client(session, client_id)

    def take_note(self, actor: Actor, client_id: str) -> None:
        """The agent has seen the client's changes. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            own_row(session, actor, client_id)
            take_note(session, client_id, self._clock.now())

    def save_member(self, actor: Actor, client_id: str, member: FamilyMember) -> FamilyMember:
        """Adds (without an id) or changes a family member. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row = own_row(session, actor, client_id)
            if member.id:
                family_row(session, client_id, member.id)
            saved = replace(member, id=member.id or new_id("family"))
            put_member(session, client_id, saved, at=self._clock.now())
            self._touch(session, row, ProfileField.FAMILY)
            return saved

    def remove_member(self, actor: Actor, client_id: str, member_id: str) -> str:
        """Returns the name of the one who was removed. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row = own_row(session, actor, client_id)
            member = family_row(session, client_id, member_id)
            name = f"{member.first_name} {member.last_name}".strip()
            session.delete(member)
            self._gone(session, client_id, family_field(member_id), name)
            self._touch(session, row, ProfileField.FAMILY)
            return name

    def save_occasion(self, actor: Actor, client_id: str, occasion: Occasion) -> Occasion:
        """Adds (without an id) or changes an occasion. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row = own_row(session, actor, client_id)
            if occasion.id:
                occasion_row(session, client_id, occasion.id)
            saved = replace(occasion, id=occasion.id or new_id("occasion"))
            put_occasion(session, client_id, saved, at=self._clock.now())
            self._touch(session, row, ProfileField.OCCASIONS)
            return saved

    def remove_occasion(self, actor: Actor, client_id: str, occasion_id: str) -> str:
        """Returns the label of the one that was removed. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row = own_row(session, actor, client_id)
            occasion = occasion_row(session, client_id, occasion_id)
            label = occasion.label
            session.delete(occasion)
            self._gone(session, client_id, occasion_field(occasion_id), label)
            self._touch(session, row, ProfileField.OCCASIONS)
            return label

    def upcoming(self, actor: Actor, today: date, days: int = 30) -> list[Upcoming]:
        """The actor's clients' next birthdays and anniversaries, soonest first (at most UPCOMING_LIMIT)."""
        with self._database.read() as session:
            found = [*_birthdays(session, actor, today, days), *_family(session, actor, today, days)]
            found += _occasions(session, actor, today, days)
        return sorted(found, key=lambda each: (each.on, title_key(each.client_name), each.about))[:UPCOMING_LIMIT]

    def _gone(self, session: Session, client_id: str, what: str, was: str) -> None:
        note_change(session, client_id, what, was=was, by=ChangedBy.AGENT, at=self._clock.now())

    def _touch(self, session: Session, row: ClientRow, field: ProfileField) -> None:
        now = self._clock.now()
        note_change(session, row.id, field.value, was="", by=ChangedBy.AGENT, at=now)
        row.updated_at = now
        self._clients.saved(session, row)


def next_time(first_on: date, today: date) -> date:
    """When a yearly day comes round next, today included. 29 February is kept on 1 March in other years."""
    for year in (today.year, today.year + 1):
        try:
            day = first_on.replace(year=year)
        except ValueError:
            day = date(year, 3, 1)
        if day >= today:
            return day
    raise AssertionError("a day comes round every year")


def _soonest(query: Select[*Columns], column: _MonthDay, today: date, days: int) -> Select[*Columns]:
    """Only what comes round within the days, soonest first, and no more than is shown."""
    first, last = month_day(today), month_day(today + timedelta(days=days))
    # In a year without one, 29 February is kept on 1 March.
    if first == _MARCH_FIRST and not isleap(today.year):
        first = _FEBRUARY_29
    within = column.between(first, last) if first <= last else or_(column >= first, column <= last)
    this_year_first = case((column >= first, 0), else_=1)
    return query.where(within).order_by(this_year_first, column).limit(UPCOMING_LIMIT)


def _mine(actor: Actor) -> ColumnElement[bool]:
    return and_(ClientRow.agent_id == actor.agent_id, ClientRow.merged_into_id.is_(None))


def _birthdays(session: Session, actor: Actor, today: date, days: int) -> Iterable[Upcoming]:
    query = select(ClientRow.id, ClientRow.first_name, ClientRow.last_name, ClientRow.birthday).where(_mine(actor))
    for client_id, first_name, last_name, birthday in session.execute(
        _soonest(query, ClientRow.birthday_month_day, today, days)
    ):
        if birthday:
            on = next_time(birthday, today)
            yield Upcoming(
                client_id=client_id,
                client_name=f"{first_name} {last_name}".strip(),
                about="",
                kind=OccasionKind.BIRTHDAY,
                on=on,
                years=on.year - birthday.year,
            )


def _family(session: Session, actor: Actor, today: date, days: int) -> Iterable[Upcoming]:
    query = (
        select(FamilyMemberRow, ClientRow.first_name, ClientRow.last_name)
        .join(ClientRow, ClientRow.id == FamilyMemberRow.client_id)
        .where(FamilyMemberRow.agent_id == actor.agent_id)
    )
    for member, first_name, last_name in session.execute(_soonest(query, FamilyMemberRow.born_month_day, today, days)):
        if member.born_on:
            on = next_time(member.born_on, today)
            yield Upcoming(
                client_id=member.client_id,
                client_name=f"{first_name} {last_name}".strip(),
                about=f"{member.first_name} {member.last_name}".strip(),
                kind=OccasionKind.BIRTHDAY,
                on=on,
                years=on.year - member.born_on.year,
            )


def _occasions(session: Session, actor: Actor, today: date, days: int) -> Iterable[Upcoming]:
    query = (
        select(OccasionRow, ClientRow.first_name, ClientRow.last_name)
        .join(ClientRow, ClientRow.id == OccasionRow.client_id)
        .where(OccasionRow.agent_id == actor.agent_id)
    )
    for occasion, first_name, last_name in session.execute(_soonest(query, OccasionRow.month_day, today, days)):
        on = next_time(occasion.first_on, today)
        yield Upcoming(
            client_id=occasion.client_id,
            client_name=f"{first_name} {last_name}".strip(),
            about=occasion.label,
            kind=OccasionKind(occasion.kind),
            on=on,
            years=on.year - occasion.first_on.year if occasion.year_known else None,
        )
