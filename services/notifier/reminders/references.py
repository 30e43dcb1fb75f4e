"""How what the reminders room knows of clients follows when two are merged (C4)."""

from typing import TypeVar

from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.notifier.reminders.models import ReminderBookingRow, ReminderClientRow, ReminderGuestRow

Row = TypeVar("Row", ReminderClientRow, ReminderGuestRow)


def _follow_person(session: Session, kept_id: str, merged_id: str) -> int:
    """The kept profile comes with the merge's own event; the merged one has nothing to add to it."""
    return _keep_one(session, ReminderClientRow, kept_id, merged_id)


def _follow_guest(session: Session, kept_id: str, merged_id: str) -> int:
    """Whoever of the two could sign in, the kept client can."""
    return _keep_one(session, ReminderGuestRow, kept_id, merged_id)


def _keep_one(session: Session, kind: type[Row], kept_id: str, merged_id: str) -> int:
    theirs = session.get(kind, merged_id, with_for_update=True)
    if theirs is None:
        return 0
    if session.get(kind, kept_id, with_for_update=True) is None:
        theirs.client_id = kept_id
    else:
        session.delete(theirs)
    session.flush()
    return 1


CLIENT_REFERENCES = (
    Reference(column=ReminderBookingRow.lead_client_id),
    Reference(column=ReminderClientRow.client_id, follow=_follow_person),
    Reference(column=ReminderGuestRow.client_id, follow=_follow_guest),
)
