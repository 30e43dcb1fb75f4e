"""What the notifier does on client.merged: everything that named the merged client names the kept one from then on."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.db.references import Reference, move_all
from protos.wayvault.events.v1.events_pb2 import ClientMerged
from services.notifier.merges.models import merged_clients


def subscribe(handlers: EventHandlers, references: Iterable[Reference]) -> None:
    """Registers the room's handler."""
    followers = tuple(references)

    def on_merged(session: Session, message: ClientMerged, _: EventMeta) -> None:
        kept_id = merged_clients.record(session, kept_id=message.kept_client_id, merged_id=message.merged_client_id)
        move_all(session, followers, kept_id, message.merged_client_id)

    handlers.on(ClientMerged, on_merged)


def current_client_id(session: Session, client_id: str) -> str:
    """The id under which a client is known today. For handlers: a fact may be older than the merge it arrives after."""
    return merged_clients.current(session, client_id)
