"""Use cases of signing in: password, authenticator, lockout, invitations."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id, new_link_token, token_sha256
from chassis.sealing import Letter, LetterSealer
from chassis.web.lockout import FAILURES_ALLOWED, LOCKED_FOR, Lockout, Visitor
from chassis.web.passwords import Passwords, password_error
from services.crm.access.agency.service import AgentDetail, Directory
from services.crm.access.auth.models import CredentialRow, SignInAttemptRow
from services.crm.access.auth.rules import INVITATION_VALID, step_at, steps_to_try
from services.crm.access.auth.secrets import (
    AuthenticatorSecrets,
    code_at_step,
    new_authenticator_secret,
    provisioning_uri,
    same_code,
)
from services.crm.core.letters import mail_agent

log = structlog.get_logger("crm.auth")

# A word of tries to sign in is of use for as long.
_NEWS_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The step was passed; `agent_id` is who."""

    agent_id: str
    authenticator_ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The step was not passed. Nothing here tells whether the account exists."""

    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorSetUp:
    """What the set-up page shows: the secret as text, and the address for the QR code."""

    secret: str
    uri: str


class SignIn:
    """The auth room's use cases."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        clock: Clock,
        passwords: Passwords,
        authenticators: AuthenticatorSecrets,
        outbox: Outbox,
        letters: LetterSealer,
        public_url: str,
    ) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._passwords = passwords
        self._authenticators = authenticators
        self._outbox = outbox
        self._letters = letters
        self._public_url = public_url
        self._lockout = Lockout(SignInAttemptRow.__table__, clock)  # type: ignore[arg-type]

    def check_password(self, email: str, password: str, visitor: Visitor | None = None) -> Accepted | Rejected:
        """The first step. Same work, same time and same answer whether or not somebody has the address."""
        with self._database.transaction() as session:
            allowed = self._lockout.count(session, email, visitor)
            agent = self._directory.find_by_email(session, email)
            if agent is not None and allowed.locks_account:
                self._tell_locked(session, agent)
            credential = session.get(CredentialRow, agent.id) if agent else None
            usable = agent is not None and agent.data.active and credential is not None
            stored = credential.password_hash if usable and credential else None
            ready = bool(credential and credential.totp_confirmed_at)
        right = self._passwords.verify(stored, password)
        if not allowed or not right or agent is None or stored is None:
            return Rejected(locked=not allowed)
        with self._database.transaction() as session:
            self._lockout.forgive_one(session, email, visitor)
            if self._passwords.needs_rehash(stored):
                session.get_one(CredentialRow, agent.id).password_hash = self._passwords.hash(password)
        return Accepted(agent_id=agent.id, authenticator_ready=ready)

    def check_code(self, agent_id: str, code: str, visitor: Visitor | None = None) -> Accepted | Rejected:
        """The second step. A code is good once: the time step it stands for is kept, and older ones refused."""
        with self._database.transaction() as session:
            agent = self._directory.load_agent(session, agent_id)
            allowed = self._lockout.count(session, agent.email, visitor)
            credential = session.get_one(CredentialRow, agent_id)
            step = self._matching_step(credential, code)
            if not allowed or step is None or credential.totp_confirmed_at is None or not agent.data.active:
                if allowed.locks_account:
                    self._tell_locked(session, agent)
                return Rejected(locked=not allowed)
            self._pass(session, agent, credential, step, visitor)
        return Accepted(agent_id=agent_id, authenticator_ready=True)

    def prove_again(self, agent_id: str, code: str, visitor: Visitor | None = None) -> Accepted | Rejected:
        """Step-up within a session (M9): the agent shows with a fresh code that they are still the one at the keyboard.

        Counts towards the lock and uses the code up, as a sign-in does; a code that signed them in proves nothing more.
        """
        with self._database.transaction() as session:
            last = session.get_one(CredentialRow, agent_id).last_sign_in_at
        outcome = self.check_code(agent_id, code, visitor)
        if isinstance(outcome, Accepted):
            with self._database.transaction() as session:
                session.get_one(CredentialRow, agent_id).last_sign_in_at = last
        return outcome

    def demand_proof(self, agent_id: str, code: str, visitor: Visitor | None = None) -> None:
        """As `prove_again`, for a form. Raises InvalidArgument (field "code") for a wrong code."""
        outcome = self.prove_again(agent_id, code, visitor)
        if isinstance(outcome, Accepted):
            return
        log.warning("auth.proof_refused", agent_id=agent_id, locked=outcome.locked)
        if outcome.locked:
            raise InvalidArgument("Too many wrong codes. Wait 30 minutes and try again.", field="code")
        raise InvalidArgument(
            "That code is not right, or was used already. Wait for the next one and type it.", field="code"
        )

    def set_up_authenticator(self, agent_id: str) -> AuthenticatorSetUp:
        """The pending secret, made on first call and the same on the next, until a code confirms it.

        Raises InvalidArgument when the authenticator is set up already.
        """
        with self._database.transaction() as session:
            agent = self._directory.load_agent(session, agent_id)
            agency = self._directory.load_agency(session, agent.agency_id)
            credential = session.get_one(CredentialRow, agent_id)
            if credential.totp_confirmed_at is not None:
                raise InvalidArgument("Your authenticator is set up already.")
            if credential.totp_secret_sealed is None:
                secret = new_authenticator_secret()
                credential.totp_secret_sealed = self._authenticators.seal(agent_id, secret)
            else:
                secret = self._authenticators.open(agent_id, credential.totp_secret_sealed)
        return AuthenticatorSetUp(secret=secret, uri=provisioning_uri(secret, agent.email, agency.name))

    def confirm_authenticator(self, agent_id: str, code: str, visitor: Visitor | None = None) -> Accepted | Rejected:
        """Accepts the pending secret when the code proves that the app has it; that also completes the sign-in."""
        with self._database.transaction() as session:
            agent = self._directory.load_agent(session, agent_id)
            allowed = self._lockout.count(session, agent.email, visitor)
            credential = session.get_one(CredentialRow, agent_id)
            step = self._matching_step(credential, code)
            if not allowed or step is None or credential.totp_confirmed_at is not None:
                return Rejected(locked=not allowed)
            credential.totp_confirmed_at = self._clock.now()
            self._pass(session, agent, credential, step, visitor)
        return Accepted(agent_id=agent_id, authenticator_ready=True)

    def invite(self, agent_id: str) -> str:
        """A token for an invitation link, good once and for INVITATION_VALID; earlier ones are void."""
        token = new_link_token()
        with self._database.transaction() as session:
            credential = self._credential(session, agent_id)
            credential.invitation_sha256 = token_sha256(token)
            credential.invitation_expires_at = self._clock.now() + INVITATION_VALID
        return token

    def invited(self, token: str) -> AgentDetail | None:
        """Whom an invitation is for; None when it is unknown, used or expired."""
        with self._database.read() as session:
            credential = self._invitation(session, token)
            return self._directory.load_agent(session, credential.agent_id) if credential else None

    def accept_invitation(self, token: str, password: str) -> AgentDetail:
        """Sets the first password. Raises NotFound (void link) or InvalidArgument (field "password")."""
        agent = self.invited(token)
        if agent is None:
            raise NotFound("This invitation has expired or was used already. Ask your admin for a new one.")
        hashed = self._checked_hash(agent, password)
        with self._database.transaction() as session:
            credential = self._invitation(session, token)
            if credential is None:
                raise NotFound("This invitation has expired or was used already. Ask your admin for a new one.")
            credential.password_hash = hashed
            credential.invitation_sha256 = None
            credential.invitation_expires_at = None
        return agent

    def set_password(self, agent_id: str, password: str) -> None:
        """For operators, and for an agent who has just given their old one. Raises InvalidArgument."""
        agent = self._directory.agent(agent_id)
        hashed = self._checked_hash(agent, password)
        with self._database.transaction() as session:
            self._credential(session, agent_id).password_hash = hashed

    def change_password(self, agent_id: str, old: str, new: str, visitor: Visitor | None = None) -> None:
        """Raises InvalidArgument (field "old" or "new"). Wrong guesses of the old one count towards the lock."""
        agent = self._directory.agent(agent_id)
        match self.check_password(agent.email, old, visitor):
            case Rejected(locked=True):
                raise InvalidArgument("Too many wrong passwords. Wait 30 minutes and try again.", field="old")
            case Rejected():
                raise InvalidArgument("That is not your current password.", field="old")
            case Accepted():
                self.set_password(agent_id, new)

    def enrol_new_authenticator(self, agent_id: str) -> str:
        """Sets a fresh authenticator secret, confirmed, and returns it (demo data only)."""
        secret = new_authenticator_secret()
        with self._database.transaction() as session:
            credential = self._credential(session, agent_id)
            credential.totp_secret_sealed = self._authenticators.seal(agent_id, secret)
            credential.totp_confirmed_at = self._clock.now()
            credential.totp_last_step = None
        return secret

    def reset_authenticator(self, agent_id: str) -> None:
        """Forgets the authenticator (a lost phone): the agent sets up a new one at their next sign-in."""
        with self._database.transaction() as session:
            credential = self._credential(session, agent_id)
            credential.totp_secret_sealed = None
            credential.totp_confirmed_at = None
            credential.totp_last_step = None

    def sweep(self) -> None:
        """Forgets failures of long ago, so that strangers' typing does not fill the table."""
        with self._database.transaction() as session:
            self._lockout.sweep(session)

    def _matching_step(self, credential: CredentialRow, code: str) -> int | None:
        if credential.totp_secret_sealed is None:
            return None
        secret = self._authenticators.open(credential.agent_id, credential.totp_secret_sealed)
        for step in steps_to_try(self._clock.now(), credential.totp_last_step):
            if same_code(code_at_step(secret, step), code):
                return step
        return None

    def _pass(
        self, session: Session, agent: AgentDetail, credential: CredentialRow, step: int, visitor: Visitor | None
    ) -> None:
        credential.totp_last_step = step
        credential.last_sign_in_at = self._clock.now()
        self._lockout.clear(session, agent.email, visitor)

    def _tell_locked(self, session: Session, agent: AgentDetail) -> None:
        """Mails the agent that strangers have their account rest, so that they know of it and of their way in."""
        now = self._clock.now()
        letter = Letter(
            letter_id=new_id("mail"),
            template="sign_in_locked",
            to=agent.email,
            data={
                "agent_name": agent.name,
                # What a former notifier reads, while both run.
                "first_name": agent.name,
                "account": agent.email,
                "failures": str(FAILURES_ALLOWED),
                "minutes": str(int(LOCKED_FOR.total_seconds() // 60)),
                "url": f"{self._public_url}/sign-in",
                "contact": "your admin",
            },
            issued_at=now,
            expires_at=now + _NEWS_FOR,
        )
        mail_agent(session, self._outbox, self._letters, letter, agency_id=agent.agency_id, sender_id=agent.id)

    def _credential(self, session: Session, agent_id: str) -> CredentialRow:
        self._directory.load_agent(session, agent_id)
        row = session.get(CredentialRow, agent_id)
        if row is None:
            row = CredentialRow(agent_id=agent_id)
            session.add(row)
        return row

    def _invitation(self, session: Session, token: str) -> CredentialRow | None:
        row = session.scalar(select(CredentialRow).where(CredentialRow.invitation_sha256 == token_sha256(token)))
        expires = row.invitation_expires_at if row else None
        return row if row and expires and self._clock.now() < expires else None

    def _checked_hash(self, agent: AgentDetail, password: str) -> str:
        if error := password_error(password, [agent.name, agent.email]):
            raise InvalidArgument(error, field="password")
        return self._passwords.hash(password)


def current_code(secret: str, now: datetime) -> tuple[str, int]:
    """The code an authenticator shows now and the seconds it stays (demo data only)."""
    step = step_at(now)
    return code_at_step(secret, step), (step + 1) * 30 - int(now.timestamp())
