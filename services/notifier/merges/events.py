"""What the notifier does on client.merged: everything that named the merged client names the kept one from then on."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.db.references import Reference
from protos.wayvault.events.v1.events_pb2 import ClientMerged
from services.notifier.merges.service import take_merge


def subscribe(handlers: EventHandlers, references: Iterable[Reference]) -> None:
    """Registers the room's handler."""
    followers = tuple(references)

    def on_merged(session: Session, message: ClientMerged, _: EventMeta) -> None:
        take_merge(session, followers, kept_id=message.kept_client_id, merged_id=message.merged_client_id)

    handlers.on(ClientMerged, on_merged)
