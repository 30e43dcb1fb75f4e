"""Use cases of public pages: choose the name, state the websites, learn the name that the portal gave."""

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.errors import InvalidArgument
from chassis.typed.page_names import page_name_error, read_page_name
from protos.wayvault.events.v1.events_pb2 import PublicPageChosen
from services.crm.access.agency.service import Directory
from services.crm.access.public_pages.models import PageNameRow, PublicPageRow
from services.crm.access.public_pages.rules import PublicPage, read_websites, with_www
from services.crm.core.actor import Actor

__all__ = ["PublicPage", "PublicPages"]

_TAKEN = "“{name}” is another agent's page, or was. Choose another name."


class PublicPages:
    """The public_pages room's use cases. Methods that take a session take part in the caller's transaction."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, directory: Directory) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._directory = directory

    def of(self, actor: Actor) -> PublicPage:
        """The actor's own page."""
        with self._database.read() as session:
            return self._load(session, actor)

    def choose_name(self, actor: Actor, typed: str) -> PublicPage:
        """Gives the actor's page this name; the former one leads on, and stays theirs. Raises InvalidArgument."""
        name = read_page_name(typed)
        if error := page_name_error(name):
            raise InvalidArgument(error, field="name")
        with self._database.transaction() as session:
            if self._give(session, actor.agent_id, name) != actor.agent_id:
                raise InvalidArgument(_TAKEN.format(name=name), field="name")
            self._directory.learn_page_name(session, actor.agent_id, actor.agency_id, name)
            page = PublicPage(name=name, websites=_websites(session, actor.agent_id))
            self._tell(session, actor, page)
            return page

    def state_websites(self, actor: Actor, typed: str) -> PublicPage:
        """Says which websites may show the form in a frame; none = any. Raises InvalidArgument."""
        websites = read_websites(typed)
        with self._database.transaction() as session:
            row = session.get(PublicPageRow, actor.agent_id, with_for_update=True)
            if row is None:
                row = PublicPageRow(agent_id=actor.agent_id)
                session.add(row)
            row.websites = "\n".join(websites)
            session.flush()
            page = self._load(session, actor)
            self._tell(session, actor, page)
            return page

    def learn_named(self, session: Session, agent_id: str, agency_id: str, name: str) -> None:
        """Takes in by what short name the portal shows an agent's page."""
        if self._directory.learn_page_name(session, agent_id, agency_id, name):
            self._give(session, agent_id, name)

    def _give(self, session: Session, agent_id: str, name: str) -> str:
        """Keeps the name for this agent if nobody has it; returns whose it is."""
        values = {"name": name[:80], "agent_id": agent_id, "given_at": self._clock.now()}
        if insert_if_absent(session, PageNameRow.__table__, values):  # type: ignore[arg-type]
            return agent_id
        return session.get_one(PageNameRow, name[:80]).agent_id

    def _tell(self, session: Session, actor: Actor, page: PublicPage) -> None:
        name = "" if page.name == actor.agent_id else page.name
        event = PublicPageChosen(agent_id=actor.agent_id, name=name, websites=with_www(page.websites))
        self._outbox.add(session, event, aggregate_id=actor.agent_id, agency_id=actor.agency_id)

    def _load(self, session: Session, actor: Actor) -> PublicPage:
        agent = self._directory.load_agent(session, actor.agent_id)
        return PublicPage(name=agent.page_name, websites=_websites(session, actor.agent_id))


def _websites(session: Session, agent_id: str) -> tuple[str, ...]:
    row = session.get(PublicPageRow, agent_id)
    return tuple(row.websites.split()) if row else ()
