"""Use cases of clients' sign-in: invitation, password, reset, lockout."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.bus.handlers import RetryLater
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id, token_sha256
from chassis.sealing import Letter, LetterSealer, link_letter
from chassis.timestamps import moment_of, stamp
from chassis.typed.names import called, full_name
from chassis.web.lockout import FAILURES_ALLOWED, LOCKED_FOR, Lockout, Visitor
from chassis.web.passwords import Passwords, password_error
from chassis.web.sessions import ServerSessions
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Client,
    ClientPortalActivated,
    ClientPortalInvited,
    PortalMailSealed,
    RegistrationAnswered,
)
from services.portal.account.models import AccountRow, ResetRequestRow, SignInAttemptRow
from services.portal.account.rules import RESET_VALID, RESETS_PER_HOUR, link_is_good, may_mail_reset, username_key
from services.portal.agents.service import Agents, AgentView
from services.portal.merges.service import current_client_id
from services.portal.throttle.service import Throttle

__all__ = ["Accepted", "Accounts", "AgentView", "PresentClient", "Rejected"]

_RESET_BATCH = 50
# A word of tries to sign in is of use for as long.
_NEWS_FOR = timedelta(days=1)
_VOID_LINK = (
    "This link has expired or was used already. Ask for a new one on the sign-in page (“Forgot your password?”), "
    "or ask your agent to invite you again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentClient:
    """The client signed in, as of this request, and the agent they deal with."""

    client_id: str
    agency_id: str
    username: str
    first_name: str
    last_name: str
    email: str
    agent: AgentView

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)

    @property
    def called(self) -> str:
        return called(self.first_name, self.last_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The password was right; `client_id` is who."""

    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """It was not. Nothing here tells whether the account exists."""

    locked: bool


class Accounts:
    """The account room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        agents: Agents,
        throttle: Throttle,
        passwords: Passwords,
        letters: LetterSealer,
        sessions: ServerSessions,
        public_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._agents = agents
        self._throttle = throttle
        self._passwords = passwords
        self._letters = letters
        self._public_url = public_url
        self.sessions = sessions
        self._lockout = Lockout(SignInAttemptRow.__table__, clock)  # type: ignore[arg-type]

    def find(self, client_id: str) -> PresentClient | None:
        """The client whose access stands, or None."""
        with self._database.read() as session:
            row = session.get(AccountRow, client_id)
            if row is None or row.password_hash is None:
                return None
            agent = self._agents.load(session, row.agent_id)
            if agent is None:
                return None
            return PresentClient(
                client_id=row.client_id,
                agency_id=row.agency_id,
                username=row.username,
                first_name=row.first_name,
                last_name=row.last_name,
                email=row.email,
                agent=agent,
            )

    def check_password(self, username: str, password: str, visitor: Visitor | None = None) -> Accepted | Rejected:
        """Same work, same time and same answer whether or not somebody has the username."""
        with self._database.transaction() as session:
            allowed = self._lockout.count(session, username, visitor)
            row = self._by_username(session, username)
            if row is not None and allowed.locks_account:
                self._tell_locked(session, row)
            client_id, stored = (row.client_id, row.password_hash) if row else ("", None)
        right = self._passwords.verify(stored, password)
        if not allowed or not right or stored is None:
            return Rejected(locked=not allowed)
        with self._database.transaction() as session:
            self._lockout.clear(session, username, visitor)
            account = session.get_one(AccountRow, client_id)
            account.last_sign_in_at = self._clock.now()
            if self._passwords.needs_rehash(stored):
                account.password_hash = self._passwords.hash(password)
        return Accepted(client_id=client_id)

    def choose_password(self, token: str, password: str) -> str:
        """Sets the password by an invitation's or a reset's link, which then is used up; returns the client's id.

        Raises NotFound (void link) or InvalidArgument (field "password"). Every session of the client ends.
        """
        digest = token_sha256(token)
        with self._database.read() as session:
            known = self._by_link(session, digest)
            if known is None:
                raise NotFound(_VOID_LINK)
            personal = _personal(known)
        hashed = self._checked_hash(personal, password)
        now = self._clock.now()
        with self._database.transaction() as session:
            row = self._by_link(session, digest, locked=True)
            if row is None:
                raise NotFound(_VOID_LINK)
            row.password_hash = hashed
            row.invitation_sha256 = row.invitation_expires_at = None
            row.reset_sha256 = row.reset_expires_at = None
            self._lockout.clear(session, row.username)
            if row.activated_at is None:
                row.activated_at = now
                self._outbox.add(
                    session,
                    ClientPortalActivated(client_id=row.client_id, at=stamp(now)),
                    aggregate_id=row.client_id,
                    agency_id=row.agency_id,
                )
            row.last_sign_in_at = now
            client_id = row.client_id
        self.sessions.end_all(client_id)
        return client_id

    def change_password(self, client_id: str, old: str, new: str, visitor: Visitor | None = None) -> None:
        """Raises InvalidArgument (field "old" or "password"). Wrong guesses of the old one count towards the lock."""
        with self._database.read() as session:
            row = session.get_one(AccountRow, client_id)
            username, personal = row.username, _personal(row)
        match self.check_password(username, old, visitor):
            case Rejected(locked=True):
                raise InvalidArgument("Too many wrong passwords. Wait 30 minutes and try again.", field="old")
            case Rejected():
                raise InvalidArgument("That is not your current password.", field="old")
            case Accepted():
                hashed = self._checked_hash(personal, new)
                with self._database.transaction() as session:
                    session.get_one(AccountRow, client_id).password_hash = hashed

    def ask_for_reset(self, username: str, ip: str) -> bool:
        """Notes the wish. What comes of it is decided by `mail_resets`, out of the asker's sight.

        False, whoever is meant, when too many wishes came from that address within an hour.
        """
        if not self._throttle.allows("reset", ip, most=RESETS_PER_HOUR):
            return False
        with self._database.transaction() as session:
            session.add(
                ResetRequestRow(id=new_id("reset"), username_key=username_key(username), asked_at=self._clock.now())
            )
        return True

    def mail_resets(self) -> None:
        """Mails a link for each wish that names an account whose access stands (the worker's, each second)."""
        with self._database.read() as session:  # nearly always there is none: nobody need wait for a turn to write
            if session.scalar(select(ResetRequestRow.id).limit(1)) is None:
                return
        with self._database.transaction() as session:
            wishes = session.scalars(
                select(ResetRequestRow).order_by(ResetRequestRow.asked_at).limit(_RESET_BATCH).with_for_update()
            ).all()
            now = self._clock.now()
            for key in dict.fromkeys(wish.username_key for wish in wishes):
                row = self._by_username(session, key)
                if row is not None and may_mail_reset(row.reset_expires_at, now):
                    self._mail_reset(session, row, now)
            session.execute(delete(ResetRequestRow).where(ResetRequestRow.id.in_([wish.id for wish in wishes])))

    def _mail_reset(self, session: Session, row: AccountRow, now: datetime) -> None:
        agent = self._agents.load(session, row.agent_id)
        if agent is None or not row.email:
            return
        data = {
            "client_first_name": called(row.first_name, row.last_name),
            "username": row.username,
            "agent_name": agent.name,
            "agent_phone": agent.contact_phone,
            "minutes": _minutes(RESET_VALID),
        }
        letter = link_letter(
            self._letters,
            template="password_reset",
            to=row.email,
            page=f"{self._public_url}/password?agency={row.agency_id}",
            issued_at=now,
            expires_at=now + RESET_VALID,
            more=data,
        )
        row.reset_sha256, row.reset_expires_at = letter.token_sha256, now + RESET_VALID
        self._mail(session, agent, letter.letter_id, letter.sealed)

    def _tell_locked(self, session: Session, row: AccountRow) -> None:
        """Mails the client that strangers have the account rest."""
        agent = self._agents.load(session, row.agent_id)
        if agent is None or not row.email or row.password_hash is None:
            return
        now = self._clock.now()
        data = {
            "url": f"{self._public_url}/sign-in",
            "first_name": called(row.first_name, row.last_name) or row.username,
            "account": row.username,
            "failures": str(FAILURES_ALLOWED),
            "minutes": _minutes(LOCKED_FOR),
            "contact": f"{agent.name}, {agent.contact_phone}" if agent.contact_phone else agent.name,
        }
        letter = Letter(
            letter_id=new_id("letter"),
            template="portal_sign_in_locked",
            to=row.email,
            data=data,
            issued_at=now,
            expires_at=now + _NEWS_FOR,
        )
        self._mail(session, agent, letter.letter_id, self._letters.seal(letter))

    def _mail(self, session: Session, agent: AgentView, mail_id: str, sealed: str) -> None:
        agency = Agency(
            id=agent.agency_id,
            name=agent.agency_name,
            accent_colour=agent.accent,
            phone=agent.agency_phone,
            email=agent.agency_email,
            time_zone=agent.time_zone,
        )
        self._outbox.add(
            session,
            PortalMailSealed(mail_id=mail_id, sealed_mail=sealed, agency=agency),
            aggregate_id=mail_id,
            agency_id=agent.agency_id,
        )

    def learn_invited(self, session: Session, message: ClientPortalInvited) -> None:
        """Takes in an invitation, or a further one. Only the newest link works; a password in use stays.

        Raises RetryLater while another client still has the username (their renaming is on its way).
        """
        self._agents.learn_if_new(session, message.agent, message.agency)
        row = self._row_for(session, message.client.id, message.username)
        self._describe(row, message.client, message.agent.id, message.agency.id)
        row.invitation_sha256 = message.token_sha256
        row.invitation_expires_at = moment_of(message.expires_at)

    def admit(self, session: Session, message: RegistrationAnswered, password_hash: str) -> None:
        """Gives a registered client their account, with the password that they chose on the mailed link (P10).

        Raises RetryLater while another client still has the username.
        """
        self._agents.learn_if_new(session, message.agent, message.agency)
        row = self._row_for(session, message.client.id, message.username)
        self._describe(row, message.client, message.agent.id, message.agency.id)
        row.password_hash, row.activated_at = password_hash, self._clock.now()
        row.invitation_sha256 = row.invitation_expires_at = None

    def id_of(self, username: str) -> str:
        """Whose username it is; empty when nobody's."""
        with self._database.read() as session:
            row = self._by_username(session, username)
            return row.client_id if row is not None else ""

    def hash_new(self, personal: list[str], password: str) -> str:
        """What is kept of a new password. `personal`: what it may not be made of. Raises InvalidArgument."""
        return self._checked_hash(personal, password)

    def _row_for(self, session: Session, of_client: str, username: str) -> AccountRow:
        """The client's account under this username, made where there is none. Raises RetryLater."""
        key, client_id = username_key(username), current_client_id(session, of_client)
        holder = self._by_username(session, key)
        if holder is not None and holder.client_id != client_id:
            raise RetryLater
        row = session.get(AccountRow, client_id)
        if row is None:
            row = AccountRow(client_id=client_id)
            session.add(row)
        row.username, row.username_key = username.strip()[:60], key
        return row

    def _describe(self, row: AccountRow, client: Client, agent_id: str, agency_id: str) -> None:
        row.agency_id, row.agent_id, row.email = agency_id, agent_id, client.email
        row.first_name, row.last_name = client.first_name[:80], client.last_name[:80]

    def learn_client(self, session: Session, client: Client, agent_id: str) -> None:
        """Takes in the client's newest name, address and agent, if they have an account."""
        row = session.get(AccountRow, current_client_id(session, client.id))
        if row is not None:
            row.first_name, row.last_name = client.first_name[:80], client.last_name[:80]
            row.email, row.agent_id = client.email, agent_id

    def learn_withdrawn(self, session: Session, client_id: str) -> None:
        """Closes the client's way in at once: no password, no link, no session is good any more."""
        row = session.get(AccountRow, current_client_id(session, client_id))
        if row is None:
            return
        row.username_key = row.password_hash = row.activated_at = None
        row.invitation_sha256 = row.invitation_expires_at = None
        row.reset_sha256 = row.reset_expires_at = None

    def sweep(self) -> None:
        """Forgets failures and sessions of long ago."""
        with self._database.transaction() as session:
            self._lockout.sweep(session)
        self.sessions.sweep()

    def _by_username(self, session: Session, username: str) -> AccountRow | None:
        return session.scalars(select(AccountRow).where(AccountRow.username_key == username_key(username))).first()

    def _by_link(self, session: Session, digest: str, *, locked: bool = False) -> AccountRow | None:
        now = self._clock.now()
        for column, expiry in (
            (AccountRow.invitation_sha256, "invitation_expires_at"),
            (AccountRow.reset_sha256, "reset_expires_at"),
        ):
            query = select(AccountRow).where(column == digest)
            row = session.scalars(query.with_for_update() if locked else query).first()
            if row is not None and link_is_good(getattr(row, expiry), now):
                return row
        return None

    def _checked_hash(self, personal: list[str], password: str) -> str:
        if error := password_error(password, personal):
            raise InvalidArgument(error, field="password")
        return self._passwords.hash(password)


def _minutes(time: timedelta) -> str:
    return str(int(time.total_seconds() // 60))


def _personal(row: AccountRow) -> list[str]:
    """What a password may not be made of."""
    return [row.first_name, row.last_name, row.email, row.username]
