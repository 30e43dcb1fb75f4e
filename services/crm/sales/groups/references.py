"""Memberships follow a merge (C4): the kept profile belongs wherever one of the two did."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.crm.sales.groups.models import ClientGroupMemberRow


def _follow(session: Session, kept_id: str, merged_id: str) -> int:
    of = select(ClientGroupMemberRow)
    have = {row.group_id for row in session.scalars(of.where(ClientGroupMemberRow.client_id == kept_id))}
    rows = session.scalars(of.where(ClientGroupMemberRow.client_id == merged_id)).all()
    for row in rows:
        if row.group_id in have:
            session.delete(row)
        else:
            row.client_id = kept_id
    session.flush()
    return len(rows)


CLIENT_REFERENCES = (Reference(column=ClientGroupMemberRow.client_id, follow=_follow, words="memberships"),)
