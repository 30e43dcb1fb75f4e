"""A client's family and the days that come back each year: read and written in the caller's transaction."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.typed.names import title_key
from services.crm.sales.clients.models import ClientRow, FamilyMemberRow, OccasionRow
from services.crm.sales.clients.rules import FamilyMember, Household, Occasion, OccasionKind, Relation, month_day


def load_household(session: Session, client_id: str) -> Household:
    """All of a client's family and occasions."""
    family = session.scalars(select(FamilyMemberRow).where(FamilyMemberRow.client_id == client_id))
    occasions = session.scalars(
        select(OccasionRow).where(OccasionRow.client_id == client_id).order_by(OccasionRow.month_day, OccasionRow.id)
    )
    members = sorted(map(family_member, family), key=lambda member: (title_key(member.name), member.id))
    return Household(family=tuple(members), occasions=tuple(occasion(row) for row in occasions))


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
