"""Use cases of portal access: invite, invite again, withdraw, learn that the client came in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.sealing import LetterSealer, link_letter
from chassis.timestamps import moment_of, stamp
from protos.wayvault.events.v1.events_pb2 import ClientPortalActivated, ClientPortalInvited, ClientPortalWithdrawn
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.mail import require_mailable
from services.crm.core.news import tell
from services.crm.sales.clients.service import ClientDetail, Clients, client_snapshot, current_client_id
from services.crm.sales.portal_access.models import PortalAccessRow
from services.crm.sales.portal_access.rules import (
    INVITATION_VALID,
    AccessFact,
    AccessState,
    Admission,
    activation_counts,
    after,
    own_usernames,
    username_error,
    username_key,
    usernames_of,
)

__all__ = ["Access", "AccessState", "Admission", "PortalAccess"]

_TAKEN = "Another client signs in with this username already. Choose another one."
_NO_ADDRESS = "{name} has no e-mail address, so no invitation can be sent. Enter one in the profile first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A client's way into the portal as pages see it."""

    client_id: str
    username: str
    state: AccessState
    email: str
    issue: int
    invited_at: datetime
    expires_at: datetime
    activated_at: datetime | None
    withdrawn_at: datetime | None
    expired: bool


class PortalAccess:
    """The portal_access room's use cases."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        clients: Clients,
        directory: Directory,
        letters: LetterSealer,
        portal_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._clients = clients
        self._directory = directory
        self._letters = letters
        self._portal_url = portal_url

    def of(self, actor: Actor, client_id: str) -> Access | None:
        """The client's access, or None when nobody invited them. Raises NotFound for a client whom the actor may not
        see."""
        with self._database.read() as session:
            self._clients.load(session, actor, client_id)
            row = session.get(PortalAccessRow, client_id)
            return self._access(row) if row else None

    def who_signs_in(self, session: Session, client_ids: Collection[str]) -> set[str]:
        """Which of these clients have chosen a password: they can open the portal."""
        query = select(PortalAccessRow.client_id).where(
            PortalAccessRow.client_id.in_(client_ids), PortalAccessRow.state == AccessState.ACTIVE
        )
        return set(session.scalars(query))

    def suggestion(self, client: ClientDetail) -> str:
        """A username made of the client's name that nobody has yet; empty when there is no good one."""
        with self._database.read() as session:
            return _first_free(session, usernames_of(client.data.first_name, client.data.last_name))

    def admit(self, session: Session, client: ClientDetail, *, at: datetime) -> tuple[Admission, str]:
        """Opens the portal to a client who registered there and proved the address `at` that moment (P10); also gives
        their username. An agent's withdrawal stands, and who signed in before keeps what they have."""
        row = session.get(PortalAccessRow, client.id, with_for_update=True)
        if row is None:
            row = PortalAccessRow(client_id=client.id, agency_id=client.agency_id, state=AccessState.INVITED, issue=0)
            row.username = _first_free(session, _own_usernames(client)) or new_id("client")[:30]
            row.username_key, row.email = username_key(row.username), client.email
            row.invited_at = row.expires_at = at
            session.add(row)
        match AccessState(row.state):
            case AccessState.WITHDRAWN:
                return Admission.CLOSED, ""
            case AccessState.ACTIVE if row.activated_at != at:
                return Admission.KNOWN, row.username
        row.state, row.activated_at = AccessState.ACTIVE, at
        session.flush()
        return Admission.ADMITTED, row.username

    def invite(self, actor: Actor, client_id: str, username: str) -> Access:
        """Gives the client this username and mails them a link on which they choose a password.

        Again = a fresh link (the older one is void) and, if it differs, the new username.
        Raises NotFound, PermissionDenied, or InvalidArgument (fields "username", "email").
        """
        username = username.strip()
        if error := username_error(username):
            raise InvalidArgument(error, field="username")
        try:
            with self._database.transaction() as session:
                return self._invite(session, actor, client_id, username)
        except IntegrityError:
            raise InvalidArgument(_TAKEN, field="username") from None

    def resend(self, actor: Actor, client_id: str, *, issue: int) -> Access:
        """Mails a fresh link under the same username. `issue` is the number that the page showed: a second click
        finds it outdated and sends nothing. Raises NotFound, PermissionDenied or InvalidArgument."""
        with self._database.transaction() as session:
            client = self._own_client(session, actor, client_id)
            row = session.get(PortalAccessRow, client.id, with_for_update=True)
            if row is None or row.state == AccessState.WITHDRAWN:
                raise NotFound("This client has no invitation to send again.")
            if row.issue != issue:
                return self._access(row)
            return self._invite(session, actor, client_id, row.username)

    def withdraw(self, actor: Actor, client_id: str) -> Access:
        """Closes the portal to the client at once. Safe to repeat. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            client = self._own_client(session, actor, client_id)
            row = session.get(PortalAccessRow, client.id, with_for_update=True)
            if row is None:
                raise NotFound("This client was never invited.")
            state = after(AccessState(row.state), AccessFact.WITHDRAWN)
            if state is not None:
                row.state, row.username_key, row.withdrawn_at = state, None, self._clock.now()
                event = ClientPortalWithdrawn(client_id=client.id)
                self._outbox.add(session, event, aggregate_id=client.id, agency_id=client.agency_id)
            return self._access(row)

    def learn_activated(self, session: Session, message: ClientPortalActivated, agency_id: str) -> None:
        """The client chose their password."""
        client_id = current_client_id(session, message.client_id)
        row = session.get(PortalAccessRow, client_id, with_for_update=True)
        if row is None or row.agency_id != agency_id:
            return
        at = moment_of(message.at)
        state = after(AccessState(row.state), AccessFact.ACTIVATED)
        if state is not None and row.activated_at is None and activation_counts(at, row.invited_at):
            row.state, row.activated_at = state, at
            told = self._clients.load_many(session, agency_id, [client_id])
            tell(session, (client.agent_id for client in told.values()))

    def _invite(self, session: Session, actor: Actor, client_id: str, username: str) -> Access:
        client = self._own_client(session, actor, client_id)
        if not client.email:
            raise InvalidArgument(_NO_ADDRESS.format(name=client.name), field="username")
        require_mailable(client.email, field="username", whose=client.name)
        now, key = self._clock.now(), username_key(username)
        holder = select(PortalAccessRow.client_id).where(
            PortalAccessRow.username_key == key, PortalAccessRow.client_id != client.id
        )
        if session.scalar(holder) is not None:
            raise InvalidArgument(_TAKEN, field="username")
        row = session.get(PortalAccessRow, client.id, with_for_update=True)
        if row is None:
            row = PortalAccessRow(client_id=client.id, agency_id=client.agency_id, state=AccessState.INVITED, issue=0)
            row.invited_at = now
            session.add(row)
        elif row.state == AccessState.WITHDRAWN:
            row.state, row.withdrawn_at, row.activated_at, row.invited_at = AccessState.INVITED, None, None, now
        row.username, row.username_key, row.email = username, key, client.email
        row.issue += 1
        row.expires_at = now + INVITATION_VALID
        self._mail(session, row, client)
        session.flush()
        return self._access(row)

    def _mail(self, session: Session, row: PortalAccessRow, client: ClientDetail) -> None:
        """Makes the link's token, seals it into a letter and publishes both unopened; only the newest link works."""
        agent = self._directory.load_agent(session, client.agent_id)
        letter = link_letter(
            self._letters,
            template="portal_invitation",
            to=client.email,
            page=f"{self._portal_url}/password?agency={client.agency_id}",
            issued_at=self._clock.now(),
            expires_at=row.expires_at,
            more={"username": row.username},
        )
        event = ClientPortalInvited(
            client=client_snapshot(client),
            username=row.username,
            agent=agent_snapshot(agent),
            agency=agency_snapshot(self._directory.load_agency(session, client.agency_id)),
            token_sha256=letter.token_sha256,
            expires_at=stamp(row.expires_at),
            sealed_mail=letter.sealed,
        )
        self._outbox.add(session, event, aggregate_id=client.id, agency_id=client.agency_id)

    def _own_client(self, session: Session, actor: Actor, client_id: str) -> ClientDetail:
        client = self._clients.load(session, actor, client_id)
        if not actor.owns(client.agent_id):
            raise PermissionDenied("Only the client's own agent can invite them to the portal or take access back.")
        return client

    def _access(self, row: PortalAccessRow) -> Access:
        return Access(
            client_id=row.client_id,
            username=row.username,
            state=AccessState(row.state),
            email=row.email,
            issue=row.issue,
            invited_at=row.invited_at,
            expires_at=row.expires_at,
            activated_at=row.activated_at,
            withdrawn_at=row.withdrawn_at,
            expired=row.state == AccessState.INVITED and self._clock.now() >= row.expires_at,
        )


def _own_usernames(client: ClientDetail) -> list[str]:
    return own_usernames(client.email, client.data.first_name, client.data.last_name)


def _first_free(session: Session, wanted: list[str]) -> str:
    """The first of these usernames that nobody has; empty when all are taken."""
    keys = [username_key(name) for name in wanted]
    query = select(PortalAccessRow.username_key).where(PortalAccessRow.username_key.in_(keys))
    taken = set(session.scalars(query))
    return next((name for name in wanted if username_key(name) not in taken), "")
