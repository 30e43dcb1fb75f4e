"""How portal access follows when two clients are merged (C4)."""

from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.crm.sales.portal_access.models import PortalAccessRow
from services.crm.sales.portal_access.rules import AccessState

_WORTH = {AccessState.ACTIVE: 2, AccessState.INVITED: 1, AccessState.WITHDRAWN: 0}


def _follow(session: Session, kept_id: str, merged_id: str) -> int:
    """One client has one username: the one in use stays, or the kept profile's. The portal decides alike."""
    ours = session.get(PortalAccessRow, kept_id, with_for_update=True)
    theirs = session.get(PortalAccessRow, merged_id, with_for_update=True)
    if theirs is None:
        return 0
    if ours is not None and _WORTH[AccessState(ours.state)] >= _WORTH[AccessState(theirs.state)]:
        session.delete(theirs)
    else:
        if ours is not None:
            session.delete(ours)
            session.flush()
        theirs.client_id = kept_id
    session.flush()
    return 1


CLIENT_REFERENCES = (Reference(column=PortalAccessRow.client_id, follow=_follow, words="portal access"),)
