"""Under which id a client is known today, and what follows when two profiles became one (C4)."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from chassis.db.references import Reference, move_all
from services.portal.merges.models import merged_clients


def current_client_id(session: Session, client_id: str) -> str:
    """The id under which a client is known today. For handlers: a fact may be older than the merge it arrives after."""
    return merged_clients.current(session, client_id)


def take_merge(session: Session, references: Iterable[Reference], *, kept_id: str, merged_id: str) -> None:
    """Everything that named the merged client names the one who stands in the end. Safe to repeat."""
    final_id = merged_clients.record(session, kept_id=kept_id, merged_id=merged_id)
    move_all(session, references, final_id, merged_id)
