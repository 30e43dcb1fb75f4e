"""Use cases of the profile: see it, change it, take in what the CRM says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import ClientProfile, ClientProfileChanged
from services.portal.merges.service import current_client_id
from services.portal.profile.models import ProfileRow
from services.portal.profile.rules import Held, Profile, changed_fields
from services.portal.profile.wire import read_moments, read_profile, write_profile

__all__ = ["ChangedMeanwhile", "Profile", "ProfileView", "Profiles"]


class ChangedMeanwhile(InvalidArgument):
    """The profile is newer than the form that changes it."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(
            "Your profile was changed meanwhile, by your agent or in another window. What you typed is still here: "
            "compare it with your profile, then save again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileView:
    """The profile as the client sees it. `version` is that of what they see; forms bring it back."""

    profile: Profile
    version: int


class Profiles:
    """The profile room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    def get(self, client_id: str) -> ProfileView:
        """Raises NotFound when the CRM has not told of the client yet."""
        with self._database.read() as session:
            row = session.get(ProfileRow, client_id)
            if row is None:
                raise NotFound("Your profile is on its way. Please look again in a minute.")
            return ProfileView(profile=_held(row).shown, version=row.version)

    def forget(self, session: Session, client_id: str) -> None:
        """Drops the profile of someone who is no longer a client, and never had an account."""
        session.execute(delete(ProfileRow).where(ProfileRow.client_id == client_id))

    def change(self, client_id: str, edit: Callable[[Profile], Profile], *, version: int | None) -> ProfileView:
        """Writes what `edit` makes of the profile and tells the CRM, field by field. `version` None = whatever it is
        (adding and taking away, which no older form can undo). Raises NotFound or ChangedMeanwhile."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row = session.get(ProfileRow, client_id, with_for_update=True)
            if row is None:
                raise NotFound("Your profile is on its way. Please look again in a minute.")
            if version is not None and row.version != version:
                raise ChangedMeanwhile(row.version)
            held = _held(row)
            wanted = edit(held.shown)
            fields = changed_fields(held.shown, wanted)
            if fields:
                _write(row, held.change(wanted, now))
                session.flush()
                self._tell(session, row, wanted, fields, now)
            return ProfileView(profile=wanted, version=row.version)

    def learn(self, session: Session, profile: ClientProfile, agency_id: str) -> None:
        """Takes in the CRM's newest word. Hearing it again changes nothing."""
        client_id = current_client_id(session, profile.client.id)
        told, moments = read_profile(profile), read_moments(profile)
        row = session.get(ProfileRow, client_id, with_for_update=True)
        if row is None:
            row = ProfileRow(client_id=client_id)
            session.add(row)
            held = Held(shown=told)
        else:
            held = _held(row).hear(told, moments)
        row.agency_id = agency_id
        _write(row, held)

    def _tell(self, session: Session, row: ProfileRow, wanted: Profile, fields: tuple[str, ...], now: datetime) -> None:
        profile = write_profile(row.client_id, wanted)
        profile.changed_at.CopyFrom(stamp(now))
        for name in fields:
            profile.field_changed_at[name].CopyFrom(stamp(now))
        self._outbox.add(
            session, ClientProfileChanged(profile=profile), aggregate_id=row.client_id, agency_id=row.agency_id
        )


def _held(row: ProfileRow) -> Held:
    return Held(
        shown=read_profile(ClientProfile.FromString(row.shown)),
        pending={name: datetime.fromisoformat(at) for name, at in row.pending.items()},
    )


def _write(row: ProfileRow, held: Held) -> None:
    row.shown = write_profile(row.client_id, held.shown).SerializeToString(deterministic=True)
    row.pending = {name: at.isoformat() for name, at in held.pending.items()}
