"""How accounts follow when two clients are merged (C4)."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.portal.account.models import AccountRow
from services.portal.orm import account_session_tables


def _follow(session: Session, kept_id: str, merged_id: str) -> int:
    """One client has one username: the one in use stays; where both are, the kept profile's. The CRM decides alike."""
    ours = session.get(AccountRow, kept_id, with_for_update=True)
    theirs = session.get(AccountRow, merged_id, with_for_update=True)
    if theirs is None:
        return 0
    if ours is not None and _worth(ours) >= _worth(theirs):
        session.delete(theirs)
    else:
        if ours is not None:
            session.delete(ours)
            session.flush()
        theirs.client_id = kept_id
        sessions = account_session_tables.sessions
        session.execute(update(sessions).where(sessions.c.subject == merged_id).values(subject=kept_id))
    session.flush()
    return 1


def _worth(row: AccountRow) -> int:
    if row.username_key is None:
        return 0
    return 2 if row.password_hash is not None else 1


CLIENT_REFERENCES = (Reference(column=AccountRow.client_id, follow=_follow),)
