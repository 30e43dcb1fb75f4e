"""What the notifier does on client.merged: everything that named the merged client names the kept one from then on."""

from collections.abc import Callable, Iterable

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.db.references import Reference
from protos.wayvault.events.v1.events_pb2 import ClientMerged, ClientProfile
from services.notifier.merges.service import take_merge


def subscribe(
    handlers: EventHandlers,
    references: Iterable[Reference],
    learn_profile: Callable[[Session, ClientProfile, EventMeta], None],
) -> None:
    """Registers the room's handler. `learn_profile` takes in what the kept profile is after the merge."""
    followers = tuple(references)

    def on_merged(session: Session, message: ClientMerged, meta: EventMeta) -> None:
        take_merge(session, followers, kept_id=message.kept_client_id, merged_id=message.merged_client_id)
        if message.HasField("profile"):
            learn_profile(session, message.profile, meta)

    handlers.on(ClientMerged, on_merged)
