"""Use cases of registrations: register, prove the address, learn what the CRM says to it."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.errors import NotFound
from chassis.ids import new_id, token_sha256
from chassis.sealing import LetterSealer, LinkLetter, link_letter
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import PostalAddress
from protos.wayvault.events.v1.events_pb2 import (
    Client,
    ClientProfile,
    PortalMailSealed,
    RegistrationAnswered,
    RegistrationProven,
)
from services.portal.account.service import Accounts
from services.portal.agents.service import Agents, AgentView
from services.portal.registrations.models import RegistrationRow
from services.portal.registrations.rules import KEPT_FOR, LINK_VALID, Registrant, Registration, RegistrationState

__all__ = ["Registrant", "Registration", "RegistrationState", "Registrations"]

_VOID_LINK = "This link has expired or was used already. Register again, or sign in if you did so before."


class Registrations:
    """The registrations room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        agents: Agents,
        accounts: Accounts,
        letters: LetterSealer,
        public_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._agents = agents
        self._accounts = accounts
        self._letters = letters
        self._public_url = public_url

    def register(self, agent: AgentView, registrant: Registrant, *, request_key: str) -> None:
        """Keeps what was typed and mails a link to the address. Nobody is looked up: whoever's the address is, the same
        happens. The same form again does nothing more."""
        now = self._clock.now()
        with self._database.transaction() as session:
            if session.scalar(
                select(RegistrationRow.registration_id).where(RegistrationRow.request_key == request_key)
            ):
                return
            letter = self._letter(agent, registrant.email, now)
            values = {
                "registration_id": new_id("registration"),
                "request_key": request_key,
                "agent_id": agent.agent_id,
                "agency_id": agent.agency_id,
                "state": RegistrationState.ASKED,
                "person": _person(registrant).SerializeToString(),
                "token_sha256": letter.token_sha256,
                "username": "",
                "expires_at": now + LINK_VALID,
            }
            # The same form, sent at the same moment, may have been faster.
            if insert_if_absent(session, RegistrationRow.__table__, values):  # type: ignore[arg-type]
                self._mail(session, agent, letter)

    def _letter(self, agent: AgentView, to: str, now: datetime) -> LinkLetter:
        # Nothing of what was typed goes out: anybody can type any address, and any text, on a public page.
        return link_letter(
            self._letters,
            template="registration_link",
            to=to,
            page=f"{self._public_url}/registration?agency={agent.agency_id}",
            issued_at=now,
            expires_at=now + LINK_VALID,
            more={
                "agent_name": agent.name,
                "agent_phone": agent.contact_phone,
                "hours": str(int(LINK_VALID.total_seconds() // 3600)),
            },
        )

    def prove(self, token: str, password: str) -> str:
        """The link reached its address, and this is the password that goes with it; returns the registration's id.

        Raises NotFound (void link) or InvalidArgument (field "password").
        """
        digest = token_sha256(token)
        with self._database.read() as session:
            known = self._by_link(session, digest)
            if known is None:
                raise NotFound(_VOID_LINK)
            client = ClientProfile.FromString(known.person).client
        hashed = self._accounts.hash_new([client.first_name, client.last_name, client.email], password)
        with self._database.transaction() as session:
            row = self._by_link(session, digest, locked=True)
            if row is None:
                raise NotFound(_VOID_LINK)
            self._tell(session, row)
            row.state, row.token_sha256, row.password_hash = RegistrationState.PROVEN, None, hashed
            row.expires_at = self._clock.now() + KEPT_FOR
            return row.registration_id

    def learn_answered(self, session: Session, message: RegistrationAnswered) -> None:
        """Takes in what the CRM says: who is admitted has an account with the password that they chose. Told again, it
        changes nothing."""
        row = session.get(RegistrationRow, message.registration_id, with_for_update=True)
        if row is None or row.state != RegistrationState.PROVEN or row.password_hash is None:
            return
        if message.outcome == RegistrationState.ADMITTED:
            self._accounts.admit(session, message, row.password_hash)
        row.state, row.username = RegistrationState(message.outcome), message.username[:60]
        row.password_hash, row.person = None, b""
        row.expires_at = self._clock.now() + KEPT_FOR

    def find(self, registration_id: str) -> Registration | None:
        """How far it has come."""
        with self._database.read() as session:
            row = session.get(RegistrationRow, registration_id[:40])
            if row is None:
                return None
            return Registration(
                registration_id=row.registration_id,
                agent_id=row.agent_id,
                state=RegistrationState(row.state),
                username=row.username,
            )

    def sweep(self) -> None:
        """Forgets what nobody proved, and what was answered long ago. What the CRM has not answered yet stays."""
        over = RegistrationRow.expires_at < self._clock.now()
        with self._database.transaction() as session:
            session.execute(delete(RegistrationRow).where(over, RegistrationRow.state != RegistrationState.PROVEN))

    def _by_link(self, session: Session, digest: str, *, locked: bool = False) -> RegistrationRow | None:
        query = select(RegistrationRow).where(
            RegistrationRow.token_sha256 == digest, RegistrationRow.expires_at > self._clock.now()
        )
        return session.scalars(query.with_for_update() if locked else query).first()

    def _mail(self, session: Session, agent: AgentView, letter: LinkLetter) -> None:
        found = self._agents.snapshots(agent.agent_id)
        event = PortalMailSealed(mail_id=letter.letter_id, sealed_mail=letter.sealed)
        if found is not None:
            event.agency.CopyFrom(found[1])
        self._outbox.add(session, event, aggregate_id=letter.letter_id, agency_id=agent.agency_id)

    def _tell(self, session: Session, row: RegistrationRow) -> None:
        person = ClientProfile.FromString(row.person)
        event = RegistrationProven(
            registration_id=row.registration_id,
            client=person.client,
            address=person.address,
            at=stamp(self._clock.now()),
        )
        if (found := self._agents.snapshots(row.agent_id)) is not None:
            event.agent.CopyFrom(found[0])
            event.agency.CopyFrom(found[1])
        self._outbox.add(session, event, aggregate_id=row.registration_id, agency_id=row.agency_id)


def _person(registrant: Registrant) -> ClientProfile:
    return ClientProfile(
        client=Client(
            first_name=registrant.first_name,
            last_name=registrant.last_name,
            email=registrant.email,
            phone=registrant.phone,
        ),
        address=PostalAddress(
            line1=registrant.street,
            city=registrant.city,
            region=registrant.region,
            postal_code=registrant.postal_code,
            country=registrant.country,
        ),
    )
