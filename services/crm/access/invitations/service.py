"""Makes an invitation and mails it."""

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import new_id
from chassis.moments import written_moment, zone_of
from chassis.sealing import Letter, LetterSealer
from services.crm.access.agency.rules import AgentDetail
from services.crm.access.auth.rules import INVITATION_VALID
from services.crm.access.auth.service import SignIn
from services.crm.core.actor import Actor
from services.crm.core.letters import mail_agent

__all__ = ["Invitations"]


class Invitations:
    """The room's one use case."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        sign_in: SignIn,
        letters: LetterSealer,
        public_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._sign_in = sign_in
        self._letters = letters
        self._public_url = public_url

    def send(self, agent: AgentDetail, *, invited_by: Actor) -> str:
        """Mails a fresh link, good once, and returns it; earlier ones are void. The token stands after `#` and, sealed,
        in the letter: in no log, event or database of its own."""
        link = f"{self._public_url}/invitation#{self._sign_in.invite(agent.id)}"
        now = self._clock.now()
        letter = Letter(
            letter_id=new_id("mail"),
            template="agent_invitation",
            to=agent.email,
            data={
                "url": link,
                "agent_name": agent.name,
                "invited_by": invited_by.name,
                "expires": written_moment(now + INVITATION_VALID, zone_of(agent.data.time_zone)),
            },
            issued_at=now,
            expires_at=now + INVITATION_VALID,
        )
        with self._database.transaction() as session:
            mail_agent(
                session,
                self._outbox,
                self._letters,
                letter,
                agency_id=agent.agency_id,
                sender_id=invited_by.agent_id,
                about=agent.id,
            )
        return link
