"""When a profile's fields last changed and by whom: what decides between the agent's change and the client's (P6)."""

from collections.abc import Collection, Iterable
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


def note_changes_of_many(
    session: Session,
    changed: Iterable[tuple[str, ClientData, Iterable[ProfileField]]],
    *,
    by: ChangedBy,
    at: datetime,
) -> None:
    """The same for many clients: each with what it was and the fields that changed now."""
    changed = list(changed)
    query = select(ClientChangeRow).where(ClientChangeRow.client_id.in_({client_id for client_id, _, _ in changed}))
    known = {(row.client_id, row.field): row for row in session.scalars(query)}
    for client_id, old, fields in changed:
        for field in fields:
            row = known.get((client_id, field.value))
            if row is None:
                row = known[client_id, field.value] = ClientChangeRow(client_id=client_id, field=field.value)
                session.add(row)
            _changed(row, was=in_words(old, field), by=by, at=at)


def note_change(session: Session, client_id: str, field: str, *, was: str, by: ChangedBy, at: datetime) -> None:
    """Remembers one change. An agent's own change settles what the client had changed before."""
    row = session.get(ClientChangeRow, (client_id, field))
    if row is None:
        row = ClientChangeRow(client_id=client_id, field=field)
        session.add(row)
    _changed(row, was=was, by=by, at=at)


def _changed(row: ClientChangeRow, *, was: str, by: ChangedBy, at: datetime) -> None:
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


def told_moments_of_many(session: Session, client_ids: Collection[str]) -> dict[str, dict[str, datetime]]:
    """When each field and each row of the lists last changed, rows that were taken away too, by clients' ids: what the
    portal decides by between this word and the client's own."""
    moments: dict[str, dict[str, datetime]] = {client_id: {} for client_id in client_ids}
    change = ClientChangeRow
    fields = select(change.client_id, change.field, change.changed_at).where(change.client_id.in_(client_ids))
    for client_id, field, at in session.execute(fields):
        moments[client_id][field] = at
    for row, named in ((FamilyMemberRow, family_field), (OccasionRow, occasion_field)):
        query = select(row.client_id, row.id, row.changed_at).where(row.client_id.in_(client_ids))
        for client_id, row_id, at in session.execute(query):
            moments[client_id][named(row_id)] = at
    return moments


def take_note(session: Session, client_id: str, at: datetime) -> None:
    """The agent has seen what the client changed."""
    session.execute(
        update(ClientChangeRow)
        .where(ClientChangeRow.client_id == client_id, ClientChangeRow.seen_at.is_(None))
        .values(seen_at=at)
    )
