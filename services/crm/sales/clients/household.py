"""A client's family and the days that come back each year: read and written in the caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import cast as cast_type

from sqlalchemy import CompoundSelect, Date, cast, false, literal, null, select, true, union_all
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.typed.names import title_key
from services.crm.sales.clients.models import ClientChangeRow, ClientRow, FamilyMemberRow, OccasionRow
from services.crm.sales.clients.rules import (
    ChangedBy,
    ClientsChange,
    FamilyMember,
    Household,
    Occasion,
    OccasionKind,
    ProfileField,
    Relation,
    month_day,
)

_PERSON, _DAY, _CHANGE = "person", "day", "change"
# What it is, its id, its two names, its kind, its day, whether its year is known, when it changed.
_Line = tuple[str, str, str, str, str, date, bool, datetime]


def load_household(session: Session, client_id: str) -> Household:
    """All of a client's family and occasions."""
    return load_with_changes(session, client_id)[0]


def load_with_changes(session: Session, client_id: str) -> tuple[Household, list[ClientsChange]]:
    """The same, with what the client changed that nobody took note of, the newest first; in one query."""
    return load_many_with_changes(session, [client_id])[client_id]


def load_many_with_changes(
    session: Session, client_ids: Collection[str]
) -> dict[str, tuple[Household, list[ClientsChange]]]:
    """The same of many clients, by their ids; still in one query."""
    found: dict[str, list[_Line]] = {client_id: [] for client_id in client_ids}
    for client_id, *line in session.execute(_of_clients(client_ids)):
        found[client_id].append(cast_type("_Line", tuple(line)))
    return {client_id: _sorted(lines) for client_id, lines in found.items()}


def _sorted(lines: Sequence[_Line]) -> tuple[Household, list[ClientsChange]]:
    family, occasions, changes = list[FamilyMember](), list[Occasion](), list[ClientsChange]()
    for what, row_id, name, last_name, kind, day, year_known, at in lines:
        if what == _CHANGE:
            if row_id in set(ProfileField):
                changes.append(ClientsChange(field=ProfileField(row_id), was=name, at=at))
        elif what == _PERSON:
            family.append(
                FamilyMember(id=row_id, first_name=name, last_name=last_name, relation=Relation(kind), born_on=day)
            )
        else:
            occasions.append(
                Occasion(id=row_id, kind=OccasionKind(kind), label=name, first_on=day, year_known=year_known)
            )
    family.sort(key=lambda member: (title_key(member.name), member.id))
    occasions.sort(key=lambda each: (month_day(each.first_on), each.id))
    changes.sort(key=lambda each: each.field)
    changes.sort(key=lambda each: each.at, reverse=True)
    return Household(family=tuple(family), occasions=tuple(occasions)), changes


def _of_clients(client_ids: Collection[str]) -> CompoundSelect[str, str, str, str, str, str, date, bool, datetime]:
    """All three lists in one query, each marked."""
    people = select(
        FamilyMemberRow.client_id,
        literal(_PERSON).label("what"),
        FamilyMemberRow.id,
        FamilyMemberRow.first_name,
        FamilyMemberRow.last_name,
        FamilyMemberRow.relation,
        FamilyMemberRow.born_on,
        true().label("year_known"),
        FamilyMemberRow.changed_at,
    ).where(FamilyMemberRow.client_id.in_(client_ids))
    days = select(
        OccasionRow.client_id,
        literal(_DAY),
        OccasionRow.id,
        OccasionRow.label,
        literal(""),
        OccasionRow.kind,
        OccasionRow.first_on,
        OccasionRow.year_known,
        OccasionRow.changed_at,
    ).where(OccasionRow.client_id.in_(client_ids))
    changes = select(
        ClientChangeRow.client_id,
        literal(_CHANGE),
        ClientChangeRow.field,
        ClientChangeRow.was,
        literal(""),
        literal(""),
        cast(null(), Date()),
        false(),
        ClientChangeRow.changed_at,
    ).where(
        ClientChangeRow.client_id.in_(client_ids),
        ClientChangeRow.changed_by == ChangedBy.CLIENT.value,
        ClientChangeRow.seen_at.is_(None),
    )
    return union_all(people, days, changes)


def family_row(session: Session, client_id: str, member_id: str) -> FamilyMemberRow:
    """Raises NotFound for a member of nobody's or somebody else's family."""
    row = session.get(FamilyMemberRow, member_id)
    if row is None or row.client_id != client_id:
        raise NotFound("There is no such family member.")
    return row


def occasion_row(session: Session, client_id: str, occasion_id: str) -> OccasionRow:
    """Raises NotFound for an occasion that is not this client's."""
    row = session.get(OccasionRow, occasion_id)
    if row is None or row.client_id != client_id:
        raise NotFound("There is no such occasion.")
    return row


def put_member(session: Session, client_id: str, member: FamilyMember, *, at: datetime) -> FamilyMemberRow:
    """Adds a family member under its id, or changes the one that has it."""
    row = session.get(FamilyMemberRow, member.id)
    if row is None:
        row = FamilyMemberRow(id=member.id, client_id=client_id, agent_id=_agent_of(session, client_id))
        session.add(row)
    row.first_name, row.last_name, row.relation = member.first_name, member.last_name, member.relation.value
    row.born_on = member.born_on
    row.born_month_day = month_day(member.born_on) if member.born_on else None
    row.changed_at = at
    return row


def put_occasion(session: Session, client_id: str, wanted: Occasion, *, at: datetime) -> OccasionRow:
    """Adds an occasion under its id, or changes the one that has it."""
    row = session.get(OccasionRow, wanted.id)
    if row is None:
        row = OccasionRow(id=wanted.id, client_id=client_id, agent_id=_agent_of(session, client_id))
        session.add(row)
    row.kind, row.label, row.first_on = wanted.kind.value, wanted.label, wanted.first_on
    row.year_known, row.month_day, row.changed_at = wanted.year_known, month_day(wanted.first_on), at
    return row


def _agent_of(session: Session, client_id: str) -> str:
    return session.get_one(ClientRow, client_id).agent_id


def family_member(row: FamilyMemberRow) -> FamilyMember:
    return FamilyMember(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        relation=Relation(row.relation),
        born_on=row.born_on,
    )


def occasion(row: OccasionRow) -> Occasion:
    return Occasion(
        id=row.id,
        kind=OccasionKind(row.kind),
        label=row.label,
        first_on=row.first_on,
        year_known=row.year_known,
    )
