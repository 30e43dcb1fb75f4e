"""What imports make of the companies and households that a list names, and how an undo takes it back. Everything here
takes part in the caller's transaction."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, exists, insert, or_, select
from sqlalchemy.orm import Session

from chassis.db import insert_if_absent
from chassis.ids import new_id
from services.crm.sales.groups.models import ClientGroupMemberRow, ClientGroupRow
from services.crm.sales.groups.rules import Belongs, GroupData, GroupKind, key_of

_Key = tuple[GroupKind, str]


def bring(
    session: Session, belongs: Collection[Belongs], *, agency_id: str, agent_id: str, import_id: str, at: datetime
) -> None:
    """Has the agent's own clients belong to what their rows name; what the agent doesn't have yet is made."""
    named = {(each.kind, key): each.name for each in belongs if (key := key_of(each.name))}
    if not named:
        return
    known = _known(session, agent_id, named)
    for (kind, key), name in named.items():
        if (kind, key) not in known:
            owner = {"id": new_id("group"), "agency_id": agency_id, "agent_id": agent_id, "import_id": import_id}
            data = GroupData(kind=kind, name=name)
            moments = {"created_at": at, "updated_at": at, "version": 1}
            values = owner | _values(data) | moments | {"name_key": key}
            insert_if_absent(session, ClientGroupRow.__table__, values)  # type: ignore[arg-type]  # it is a Table
    if len(known) < len(named):
        known = _known(session, agent_id, named)
    wanted = {(known[each.kind, key_of(each.name)], each.client_id) for each in belongs if key_of(each.name)}
    there = select(ClientGroupMemberRow.group_id, ClientGroupMemberRow.client_id).where(
        ClientGroupMemberRow.client_id.in_({client_id for _, client_id in wanted})
    )
    new = wanted - {(row.group_id, row.client_id) for row in session.execute(there)}
    if new:
        rest = {"import_id": import_id, "added_at": at}
        rows = [{"group_id": group_id, "client_id": client_id} | rest for group_id, client_id in sorted(new)]
        session.execute(insert(ClientGroupMemberRow), rows)


def belongs_otherwise(session: Session, import_id: str, client_id: str) -> bool:
    """Whether an agent, or another import, has a client belong to anything."""
    other = or_(ClientGroupMemberRow.import_id.is_(None), ClientGroupMemberRow.import_id != import_id)
    query = select(exists().where(ClientGroupMemberRow.client_id == client_id, other))
    return bool(session.scalar(query))


def joined_by(session: Session, import_id: str) -> set[str]:
    """The clients whom an import brought into anything."""
    query = select(ClientGroupMemberRow.client_id).where(ClientGroupMemberRow.import_id == import_id)
    return set(session.scalars(query))


def take_out(session: Session, import_id: str, client_id: str) -> None:
    """Has a client belong no more to what an import brought them into."""
    session.execute(
        delete(ClientGroupMemberRow).where(
            ClientGroupMemberRow.client_id == client_id, ClientGroupMemberRow.import_id == import_id
        )
    )


def remove_empty(session: Session, import_id: str) -> None:
    """Removes what an import made, if nobody changed it since and nobody belongs to it."""
    session.execute(
        delete(ClientGroupRow).where(
            ClientGroupRow.import_id == import_id,
            ClientGroupRow.version == 1,
            ~exists().where(ClientGroupMemberRow.group_id == ClientGroupRow.id),
        )
    )


def _known(session: Session, agent_id: str, named: Iterable[_Key]) -> dict[_Key, str]:
    query = select(ClientGroupRow.kind, ClientGroupRow.name_key, ClientGroupRow.id).where(
        ClientGroupRow.agent_id == agent_id, ClientGroupRow.name_key.in_({key for _, key in named})
    )
    return {(GroupKind(kind), key): group_id for kind, key, group_id in session.execute(query)}


def _values(data: GroupData) -> dict[str, str]:
    return {name: str(getattr(data, name)) for name in GroupData.__slots__}
