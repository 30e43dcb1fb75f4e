"""Use cases of the agency and its agents: the directory that the other rooms look people up in."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, remembered
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.typed.names import title_key
from services.crm.access.agency.events import (
    agency_saved,
    agency_snapshot,
    agent_saved,
    agent_snapshot,
    policy_snapshot,
)
from services.crm.access.agency.logo import Logo
from services.crm.access.agency.models import AgencyLogoRow, AgencyRow, AgentRow
from services.crm.access.agency.rules import (
    AgencyData,
    AgencyDetail,
    AgentData,
    AgentDetail,
    agency_errors,
    email_key,
    is_time_zone,
)
from services.crm.core.actor import Actor, Role
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.mail import require_mailable

__all__ = [
    "AgencyData",
    "AgencyDetail",
    "AgentData",
    "AgentDetail",
    "Directory",
    "agency_snapshot",
    "agent_snapshot",
    "policy_snapshot",
]


class Directory:
    """Agencies and agents. Methods that take a session take part in the caller's transaction."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    def agency(self, agency_id: str) -> AgencyDetail:
        with self._database.read() as session:
            return self.load_agency(session, agency_id)

    def load_agency(self, session: Session, agency_id: str) -> AgencyDetail:
        row = _agency_row(session, agency_id)
        if row is None:
            raise NotFound("There is no such agency.")
        return _agency(row)

    def find_agency(self, session: Session, name: str) -> AgencyDetail | None:
        """The first one of that very name, for operators; agencies that share one can't be told apart by it."""
        row = session.scalar(select(AgencyRow).where(AgencyRow.name == name).order_by(AgencyRow.created_at))
        return _agency(row) if row is not None else None

    def load_agent(self, session: Session, agent_id: str) -> AgentDetail:
        """An agent by an id that the caller has from a row of their own."""
        row = session.get(AgentRow, agent_id)
        if row is None:
            raise NotFound("There is no such agent.")
        return _agent(row)

    def agent(self, agent_id: str) -> AgentDetail:
        with self._database.read() as session:
            return self.load_agent(session, agent_id)

    def admins(self, session: Session, agency_id: str) -> list[AgentDetail]:
        """The agency's active admins, by name."""
        query = select(AgentRow).where(
            AgentRow.agency_id == agency_id, AgentRow.role == Role.ADMIN.value, AgentRow.active.is_(True)
        )
        return _by_name(map(_agent, session.scalars(query)))

    def actor(self, agent_id: str) -> Actor | None:
        """The agent as one who acts; None when they do not exist or are no longer active."""
        # Every page shows the agency, too.
        query = select(AgentRow, AgencyRow).join(AgencyRow, AgencyRow.id == AgentRow.agency_id)
        with self._database.read() as session:
            found = session.execute(query.where(AgentRow.id == agent_id)).first()
            if found is None or not found.AgentRow.active:
                return None
            _agency_row(session, found.AgencyRow.id, found.AgencyRow)
            # Kept, because a session knows a row only as long as somebody has it.
            remembered(session, ("agent", agent_id), lambda: found.AgentRow)
            return _actor(found.AgentRow)

    def find_by_email(self, session: Session, email: str) -> AgentDetail | None:
        row = session.scalar(select(AgentRow).where(AgentRow.email_key == email_key(email)))
        return _agent(row) if row is not None else None

    def names(self, session: Session, agency_id: str) -> dict[str, str]:
        """Every agent's name by id, in the names' order."""

        def find() -> dict[str, str]:
            rows = session.execute(select(AgentRow.id, AgentRow.name).where(AgentRow.agency_id == agency_id))
            return {row.id: row.name for row in sorted(rows, key=lambda row: (title_key(row.name), row.id))}

        return dict(remembered(session, ("names of agents", agency_id), find))

    def names_of(self, session: Session, agency_id: str, agent_ids: Collection[str]) -> Mapping[str, str]:
        """The names of these agents of one agency, at least. Of a single one, who mostly is the one who looks and is
        known already, the others are not read."""
        if len(agent_ids) > 1:
            return self.names(session, agency_id)
        rows = (session.get(AgentRow, agent_id) for agent_id in agent_ids)
        return {row.id: row.name for row in rows if row is not None and row.agency_id == agency_id}

    def names_in(self, actor: Actor) -> dict[str, str]:
        """The name of everybody in the actor's agency by id."""
        with self._database.read() as session:
            return self.names(session, actor.agency_id)

    def agents(self, actor: Actor) -> list[AgentDetail]:
        """All agents of the actor's agency, by name. Raises PermissionDenied for non-admins."""
        actor.demand_admin()
        with self._database.read() as session:
            rows = session.scalars(select(AgentRow).where(AgentRow.agency_id == actor.agency_id))
            return _by_name(map(_agent, rows))

    def colleague(self, actor: Actor, agent_id: str) -> AgentDetail:
        """An agent of the actor's own agency, for admins. Raises PermissionDenied or NotFound."""
        actor.demand_admin()
        with self._database.read() as session:
            return _agent(_own_agent_row(session, actor, agent_id))

    def create_agency(self, data: AgencyData) -> AgencyDetail:
        """For operators. Raises InvalidArgument."""
        _check(data)
        now = self._clock.now()
        row = AgencyRow(id=new_id("agency"), logo_sha256="", created_at=now, updated_at=now, **asdict(data))
        with self._database.transaction() as session:
            session.add(row)
            session.flush()
            agency = _agency(row)
            self._publish_agency(session, agency)
            return agency

    def logo(self, actor: Actor) -> bytes:
        """The PNG of the actor's agency. Raises NotFound when it has none."""
        with self._database.read() as session:
            row = session.get(AgencyLogoRow, actor.agency_id)
            if row is None:
                raise NotFound("Your agency has no logo.")
            return row.png

    def change_logo(self, actor: Actor, logo: Logo | None) -> AgencyDetail:
        """Sets the logo, or takes it away; portal and mails follow. Raises PermissionDenied."""
        actor.demand_admin()
        with self._database.transaction() as session:
            row = session.get_one(AgencyRow, actor.agency_id, with_for_update=True)
            kept = session.get(AgencyLogoRow, actor.agency_id)
            if kept is not None:
                session.delete(kept)
                session.flush()
            if logo is not None:
                session.add(AgencyLogoRow(agency_id=actor.agency_id, sha256=logo.sha256, png=logo.png))
            row.logo_sha256 = logo.sha256 if logo else ""
            row.updated_at = self._clock.now()
            session.flush()
            agency = _agency(row)
            self._publish_agency(session, agency)
            return agency

    def change_agency(self, actor: Actor, data: AgencyData, *, version: int) -> AgencyDetail:
        """Raises PermissionDenied, InvalidArgument or ChangedMeanwhile. Readers learn by agent.saved."""
        actor.demand_admin()
        _check(data)
        with self._database.transaction() as session:
            row = session.get_one(AgencyRow, actor.agency_id, with_for_update=True)
            if row.version != version:
                raise ChangedMeanwhile
            _apply(row, asdict(data))
            row.updated_at = self._clock.now()
            session.flush()
            agency = _agency(row)
            self._publish_agency(session, agency)
            for agent in session.scalars(select(AgentRow).where(AgentRow.agency_id == agency.id)):
                self._publish(session, _agent(agent), agency)
            return agency

    def create_agent(self, agency_id: str, data: AgentData) -> AgentDetail:
        """Raises InvalidArgument when the address is taken or none. The caller has checked who may do this."""
        require_mailable(data.email, field="email")
        now = self._clock.now()
        with self._database.transaction() as session:
            agency = self.load_agency(session, agency_id)
            if self.find_by_email(session, data.email):
                raise InvalidArgument("Somebody signs in with this address already.", field="email")
            row = AgentRow(
                id=new_id("agent"),
                agency_id=agency_id,
                email_key=email_key(data.email),
                created_at=now,
                updated_at=now,
                **(asdict(data) | {"role": data.role.value}),
            )
            session.add(row)
            session.flush()
            self._publish(session, _agent(row), agency)
            return _agent(row)

    def change_agent(self, actor: Actor, agent_id: str, data: AgentData, *, version: int) -> AgentDetail:
        """Changes all but the address (the vault's register follows an operator only, O11).

        Raises PermissionDenied, NotFound, InvalidArgument or ChangedMeanwhile.
        """
        actor.demand_admin()
        if actor.agent_id == agent_id and not (data.active and data.role is Role.ADMIN):
            raise InvalidArgument("You can't take your own admin access away; ask another admin to do it.")
        with self._database.transaction() as session:
            row = _own_agent_row(session, actor, agent_id)
            session.refresh(row, with_for_update=True)
            if row.version != version:
                raise ChangedMeanwhile
            _apply(row, asdict(data) | {"role": data.role.value, "email": row.email})
            row.updated_at = self._clock.now()
            session.flush()
            self._publish(session, _agent(row), self.load_agency(session, actor.agency_id))
            return _agent(row)

    def change_self(self, actor: Actor, data: AgentData, *, version: int) -> AgentDetail:
        """What agents change of themselves: name, phone and time zone. Portal, mails and papers to come follow.

        Raises InvalidArgument or ChangedMeanwhile.
        """
        if not is_time_zone(data.time_zone):
            raise InvalidArgument("Choose a time zone from the list.", field="time_zone")
        with self._database.transaction() as session:
            row = session.get_one(AgentRow, actor.agent_id, with_for_update=True)
            if row.version != version:
                raise ChangedMeanwhile
            row.name, row.phone, row.time_zone = data.name, data.phone, data.time_zone
            row.updated_at = self._clock.now()
            session.flush()
            self._publish(session, _agent(row), self.load_agency(session, actor.agency_id))
            return _agent(row)

    def change_email(self, agent_id: str, email: str) -> AgentDetail:
        """For operators (O11). Raises NotFound, or InvalidArgument when the address is taken."""
        require_mailable(email, field="email")
        with self._database.transaction() as session:
            row = session.get(AgentRow, agent_id)
            if row is None:
                raise NotFound("There is no such agent.")
            taken = self.find_by_email(session, email)
            if taken and taken.id != agent_id:
                raise InvalidArgument("Somebody signs in with this address already.", field="email")
            row.email, row.email_key, row.updated_at = email.strip(), email_key(email), self._clock.now()
            session.flush()
            self._publish(session, _agent(row), self.load_agency(session, row.agency_id))
            return _agent(row)

    def learn_page_name(self, session: Session, agent_id: str, agency_id: str, name: str) -> bool:
        """Takes in the short name of an agent's public page; False for no agent of this agency. Nothing of theirs is
        changed by it, so whoever edits the agent meanwhile can save."""
        row = session.get(AgentRow, agent_id)
        if row is None or row.agency_id != agency_id:
            return False
        session.execute(update(AgentRow).where(AgentRow.id == agent_id).values(page_name=name[:80]))
        return True

    def _publish_agency(self, session: Session, agency: AgencyDetail) -> None:
        logo = session.get(AgencyLogoRow, agency.id) if agency.logo_sha256 else None
        saved = agency_saved(agency, logo.png if logo else b"")
        self._outbox.add(session, saved, aggregate_id=agency.id, agency_id=agency.id)

    def _publish(self, session: Session, agent: AgentDetail, agency: AgencyDetail) -> None:
        self._outbox.add(session, agent_saved(agent, agency), aggregate_id=agent.id, agency_id=agency.id)


def _agency_row(session: Session, agency_id: str, row: AgencyRow | None = None) -> AgencyRow | None:
    """The agency's row, `row` if it was fetched already."""
    return remembered(session, ("agency", agency_id), lambda: row or session.get(AgencyRow, agency_id))


def _by_name(agents: Iterable[AgentDetail]) -> list[AgentDetail]:
    return sorted(agents, key=lambda agent: (title_key(agent.name), agent.id))


def _own_agent_row(session: Session, actor: Actor, agent_id: str) -> AgentRow:
    row = session.scalar(select(AgentRow).where(AgentRow.id == agent_id, AgentRow.agency_id == actor.agency_id))
    if row is None:
        raise NotFound("There is no such agent in your agency.")
    return row


def _check(data: AgencyData) -> None:
    for field, message in agency_errors(data).items():
        raise InvalidArgument(message, field=field)


def _apply(row: AgencyRow | AgentRow, values: dict[str, Any]) -> None:  # Any: columns of several types
    for name, value in values.items():
        setattr(row, name, value)


def _agency(row: AgencyRow) -> AgencyDetail:
    data = AgencyData(
        name=row.name,
        accent_colour=row.accent_colour,
        phone=row.phone,
        email=row.email,
        time_zone=row.time_zone,
        paper=row.paper,
        card_retention_days=row.card_retention_days,
        cvv_retention_hours=row.cvv_retention_hours,
        second_reveal=row.second_reveal,
        refund_limit=row.refund_limit,
        charge_code=row.charge_code,
        notice_days=row.notice_days,
    )
    return AgencyDetail(id=row.id, data=data, version=row.version, logo_sha256=row.logo_sha256)


def _agent(row: AgentRow) -> AgentDetail:
    data = AgentData(
        name=row.name,
        email=row.email,
        phone=row.phone,
        time_zone=row.time_zone,
        role=Role(row.role),
        active=row.active,
    )
    # By its id a page is found too, before it has a name.
    return AgentDetail(
        id=row.id, agency_id=row.agency_id, data=data, version=row.version, page_name=row.page_name or row.id
    )


def _actor(row: AgentRow) -> Actor:
    return Actor(
        agent_id=row.id,
        agency_id=row.agency_id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        time_zone=row.time_zone,
    )
