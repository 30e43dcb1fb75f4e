"""When a profile's fields last changed and by whom: what decides between the agent's change and the client's (P6)."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.crm.sales.clients.models import ClientChangeRow, FamilyMemberRow, OccasionRow
from services.crm.sales.clients.rules import ChangedBy, ClientData, ProfileField, in_words


def note_changes(
    session: Session,
    client_id: str,
    fields: Iterable[ProfileField],
    old: ClientData,
    *,
    by: ChangedBy,
    at: datetime,
) -> None:
    """Remembers that these fields changed now."""
    for field in fields:
        note_change(session, client_id, field.value, was=in_words(old, field), by=by, at=at)


def note_change(session: Session, client_id: str, field: str, *, was: str, by: ChangedBy, at: datetime) -> None:
    """Remembers one change. An agent's own change settles what the client had changed before."""
    row = session.get(ClientChangeRow, (client_id, field))
    if row is None:
        row = ClientChangeRow(client_id=client_id, field=field)
        session.add(row)
    row.changed_by, row.changed_at, row.was = by.value, at, was
    row.seen_at = None


def changed_at(session: Session, client_id: str) -> dict[str, datetime]:
    """When each field, and each thing that was taken away, last changed."""
    query = select(ClientChangeRow.field, ClientChangeRow.changed_at).where(ClientChangeRow.client_id == client_id)
    return {row.field: row.changed_at for row in session.execute(query)}


def times_of_changes(session: Session, client_id: str) -> dict[str, datetime]:
    """As changed_at, for the fields of a profile alone."""
    known = set(ProfileField)
    return {field: at for field, at in changed_at(session, client_id).items() if field in known}


def family_field(member_id: str) -> str:
    """How a family member is named among a profile's moments."""
    return f"family:{member_id}"


def occasion_field(occasion_id: str) -> str:
    """How an occasion is named among a profile's moments."""
    return f"occasion:{occasion_id}"


def told_moments(session: Session, client_id: str) -> dict[str, datetime]:
    """When each field and each row of the lists last changed, rows that were taken away too: what the portal decides
    by between this word and the client's own."""
    moments = changed_at(session, client_id)
    for row, named in ((FamilyMemberRow, family_field), (OccasionRow, occasion_field)):
        query = select(row.id, row.changed_at).where(row.client_id == client_id)
        moments |= {named(row_id): at for row_id, at in session.execute(query)}
    return moments


def take_note(session: Session, client_id: str, at: datetime) -> None:
    """The agent has seen what the client changed."""
    session.execute(
        update(ClientChangeRow)
        .where(ClientChangeRow.client_id == client_id, ClientChangeRow.seen_at.is_(None))
        .values(seen_at=at)
    )
