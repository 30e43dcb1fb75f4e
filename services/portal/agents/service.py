"""Use cases of agents: learn of one, name their page, find one."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.bus.handlers import RetryLater
from chassis.db import Database, insert_if_absent
from chassis.typed.page_names import slug_of
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, PublicPageChosen, PublicPageNamed
from services.portal.agents.models import AgentRow, FormerNameRow
from services.portal.agents.rules import AgentView

__all__ = ["AgentView", "Agents"]

_TOLD_AT_ONCE = 500


class Agents:
    """The agents room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    def learn(self, session: Session, agent: Agent, agency: Agency, *, active: bool) -> None:
        """Takes in what the agent's own events say: the newest word."""
        self.learn_if_new(session, agent, agency)
        row = session.get_one(AgentRow, agent.id)
        row.agent, row.agency, row.agency_id, row.active = _bytes(agent), _bytes(agency), agency.id, active

    def learn_if_new(self, session: Session, agent: Agent, agency: Agency) -> None:
        """Takes in a snapshot that came with another event: it may be older than what is known, so it changes
        nothing that is."""
        if not agent.id or session.get(AgentRow, agent.id) is not None:
            return
        base = slug_of(agent.name)
        for slug in (base, f"{base}-{agent.id[-6:]}", agent.id):
            if session.get(FormerNameRow, slug) is not None:
                continue
            values = {
                "agent_id": agent.id,
                "agency_id": agency.id,
                "slug": slug,
                "active": True,
                "agent": _bytes(agent),
                "agency": _bytes(agency),
                "slug_told": True,
            }
            if insert_if_absent(session, AgentRow.__table__, values):  # type: ignore[arg-type]
                self._tell_slug(session, agent.id, agency.id, slug)
                return

    def learn_chosen(self, session: Session, message: PublicPageChosen, agency_id: str) -> None:
        """Takes in what an agent chose for their page. The former name leads on; a name that another page has, or had,
        is not given, and the CRM is told which one stands. Raises RetryLater for an agent who is on their way."""
        row = session.get(AgentRow, message.agent_id, with_for_update=True)
        if row is None:
            raise RetryLater
        if row.agency_id != agency_id:
            return
        row.websites = "\n".join(message.websites)
        if not message.name or message.name == row.slug:
            return
        if self._is_free(session, message.name, row.agent_id):
            former = {"name": row.slug, "agent_id": row.agent_id}
            insert_if_absent(session, FormerNameRow.__table__, former)  # type: ignore[arg-type]
            row.slug = message.name
        self._tell_slug(session, row.agent_id, row.agency_id, row.slug)

    def _is_free(self, session: Session, name: str, agent_id: str) -> bool:
        former = session.get(FormerNameRow, name)
        if former is not None and former.agent_id != agent_id:
            return False
        return session.scalar(select(AgentRow.agent_id).where(AgentRow.slug == name)) is None

    def tell_slugs(self) -> int:
        """Tells the CRM of pages that got their short name before it was told of any, or by an older process. Returns
        how many."""
        untold = select(AgentRow).where(AgentRow.slug_told.is_(False)).limit(_TOLD_AT_ONCE)
        with self._database.transaction() as session:
            rows = session.scalars(untold.with_for_update(skip_locked=True)).all()
            for row in rows:
                row.slug_told = True
                self._tell_slug(session, row.agent_id, row.agency_id, row.slug)
            return len(rows)

    def _tell_slug(self, session: Session, agent_id: str, agency_id: str, slug: str) -> None:
        event = PublicPageNamed(agent_id=agent_id, name=slug)
        self._outbox.add(session, event, aggregate_id=agent_id, agency_id=agency_id)

    def load(self, session: Session, agent_id: str) -> AgentView | None:
        row = session.get(AgentRow, agent_id[:64])
        return None if row is None else _view(row)

    def snapshots(self, agent_id: str) -> tuple[Agent, Agency] | None:
        """The newest word on an agent and their agency, to be repeated in events."""
        with self._database.read() as session:
            row = session.get(AgentRow, agent_id[:64])
            return None if row is None else (Agent.FromString(row.agent), Agency.FromString(row.agency))

    def agent(self, agent_id: str) -> AgentView | None:
        with self._database.read() as session:
            return self.load(session, agent_id)

    def by_address(self, name: str) -> AgentView | None:
        """An active agent by the end of their page's address: slug, former one, or id."""
        former = select(FormerNameRow.agent_id).where(FormerNameRow.name == name[:80])
        found = or_(AgentRow.slug == name[:80], AgentRow.agent_id == name[:64], AgentRow.agent_id.in_(former))
        with self._database.read() as session:
            query = select(AgentRow).where(found, AgentRow.active.is_(True))
            row = session.scalars(query.order_by((AgentRow.slug == name[:80]).desc())).first()
            return None if row is None else _view(row)


def _bytes(message: Agent | Agency) -> bytes:
    return message.SerializeToString(deterministic=True)


def _view(row: AgentRow) -> AgentView:
    agent, agency = Agent.FromString(row.agent), Agency.FromString(row.agency)
    return AgentView(
        agent_id=row.agent_id,
        slug=row.slug,
        name=agent.name,
        email=agent.email,
        phone=agent.phone,
        active=row.active,
        websites=tuple(row.websites.split()),
        agency_id=row.agency_id,
        agency_name=agency.name,
        accent=agency.accent_colour,
        agency_phone=agency.phone,
        agency_email=agency.email,
        time_zone=agency.time_zone or agent.time_zone or "UTC",
        paper=agency.paper,
    )
