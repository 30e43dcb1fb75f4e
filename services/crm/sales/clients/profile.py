"""Use cases of what belongs to a client's profile: family, occasions, and what they changed in the portal."""

from calendar import isleap
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, case, literal, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import new_id
from chassis.typed.names import title_key
from services.crm.core.actor import Actor
from services.crm.sales.clients.changes import (
    family_field,
    note_change,
    occasion_field,
    take_note,
)
from services.crm.sales.clients.household import (
    family_row,
    load_household,
    load_with_changes,
    occasion_row,
    put_member,
    put_occasion,
)
from services.crm.sales.clients.models import ClientRow, FamilyMemberRow, OccasionRow
from services.crm.sales.clients.rules import (
    ChangedBy,
    ClientsChange,
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
            return load_with_changes(session, client_id)[1]

    def on_page(self, actor: Actor, client_id: str) -> tuple[Household, list[ClientsChange]]:
        """Both at once. Raises NotFound."""
        with self._database.read() as session:
            self._clients.load(session, actor, client_id)
            return load_with_changes(session, client_id)

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
        parts = (_birthdays(actor, today, days), _family(actor, today, days), _occasions(actor, today, days))
        query = union_all(*(select(part.subquery()) for part in parts))
        with self._database.read() as session:
            found = [_upcoming(today, *row) for row in session.execute(query)]
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


# The client's id and names, who or what it is about, the kind of day, when it was first, whether its year is known.
_Day = Select[str, str, str, str, str, str, date | None, bool]


def _birthdays(actor: Actor, today: date, days: int) -> _Day:
    query = select(
        ClientRow.id,
        ClientRow.first_name,
        ClientRow.last_name,
        literal("").label("about"),
        literal("").label("about_last_name"),
        literal(OccasionKind.BIRTHDAY.value).label("kind"),
        ClientRow.birthday.label("first_on"),
        true().label("year_known"),
    ).where(_mine(actor), ClientRow.birthday.is_not(None))
    return _soonest(query, ClientRow.birthday_month_day, today, days)


def _family(actor: Actor, today: date, days: int) -> _Day:
    query = (
        select(
            ClientRow.id,
            ClientRow.first_name,
            ClientRow.last_name,
            FamilyMemberRow.first_name.label("about"),
            FamilyMemberRow.last_name.label("about_last_name"),
            literal(OccasionKind.BIRTHDAY.value).label("kind"),
            FamilyMemberRow.born_on.label("first_on"),
            true().label("year_known"),
        )
        .join(ClientRow, ClientRow.id == FamilyMemberRow.client_id)
        .where(FamilyMemberRow.agent_id == actor.agent_id, FamilyMemberRow.born_on.is_not(None))
    )
    return _soonest(query, FamilyMemberRow.born_month_day, today, days)


def _occasions(actor: Actor, today: date, days: int) -> _Day:
    query = (
        select(
            ClientRow.id,
            ClientRow.first_name,
            ClientRow.last_name,
            OccasionRow.label.label("about"),
            literal("").label("about_last_name"),
            OccasionRow.kind,
            OccasionRow.first_on,
            OccasionRow.year_known,
        )
        .join(ClientRow, ClientRow.id == OccasionRow.client_id)
        .where(OccasionRow.agent_id == actor.agent_id)
    )
    return _soonest(query, OccasionRow.month_day, today, days)


def _upcoming(  # noqa: PLR0917 - the columns of _Day
    today: date,
    client_id: str,
    first_name: str,
    last_name: str,
    about: str,
    about_last_name: str,
    kind: str,
    first_on: date | None,
    year_known: bool,
) -> Upcoming:
    assert first_on is not None, "those without are not asked for"
    on = next_time(first_on, today)
    return Upcoming(
        client_id=client_id,
        client_name=f"{first_name} {last_name}".strip(),
        about=f"{about} {about_last_name}".strip(),
        kind=OccasionKind(kind),
        on=on,
        years=on.year - first_on.year if year_known else None,
    )
