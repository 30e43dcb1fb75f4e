"""How a profile follows when two clients are merged (C4)."""

from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.portal.profile.models import ProfileRow


def _follow(session: Session, kept_id: str, merged_id: str) -> int:
    """The merged profile came with the merge's own event; the other one has nothing to add to it."""
    theirs = session.get(ProfileRow, merged_id, with_for_update=True)
    if theirs is None:
        return 0
    if session.get(ProfileRow, kept_id, with_for_update=True) is None:
        theirs.client_id = kept_id
    else:
        session.delete(theirs)
    session.flush()
    return 1


CLIENT_REFERENCES = (Reference(column=ProfileRow.client_id, follow=_follow),)
