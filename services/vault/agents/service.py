"""The register's door: enrol an agent (O11), change their address, make them an approver (M9), look them up.

Works in the caller's transaction.
"""

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Row, Select, Table, insert, select, update
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import AgentUnknown, InvalidArgument
from services.vault.agents.models import AgentRow
from services.vault.agents.rules import Agent, is_address, mask_address
from services.vault.audit.service import Audit, AuditEntry

__all__ = ["Agent", "AgentRegister", "approvers_of", "enrolled_of", "find_agent", "ids_of_agency", "mask_address"]

_table: Final = cast("Table", AgentRow.__table__)


def find_agent(session: Session, agent_id: str) -> Agent:
    """The enrolled agent. Raises AgentUnknown."""
    row = session.execute(select(_table).where(_table.c.agent_id == agent_id)).first()
    if row is None:
        raise AgentUnknown
    return _agent(row)


def approvers_of(session: Session, agency_id: str) -> list[Agent]:
    """Whom the operator made approvers of the agency's second reveals (M9)."""
    query = select(_table).where(_table.c.agency_id == agency_id, _table.c.approver.is_(True))
    return [_agent(row) for row in session.execute(query)]


def enrolled_of(session: Session, agency_id: str) -> list[Agent]:
    """Everybody enrolled for an agency."""
    query = select(_table).where(_table.c.agency_id == agency_id).order_by(_table.c.agent_id)
    return [_agent(row) for row in session.execute(query)]


def ids_of_agency(agency_id: str) -> Select[str]:
    """The ids of everybody enrolled for an agency, as part of another query."""
    return select(AgentRow.agent_id).where(AgentRow.agency_id == agency_id)


class AgentRegister:
    """Changes the register; each change is audited with the operator as actor."""

    def __init__(self, audit: Audit, *, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    def enrol(
        self, session: Session, *, agent_id: str, agency_id: str, display_name: str, email: str, actor: str
    ) -> datetime:
        """Enrols an agent and says when. Enrolling them again as they are changes nothing.

        Raises InvalidArgument for an address that is none, and when they are enrolled with other particulars: an
        address is changed by `change_email`, so that enrolment can't redirect codes unseen.
        """
        _check_address(email)
        known = session.execute(select(_table).where(_table.c.agent_id == agent_id)).first()
        if known is not None:
            if (known.agency_id, known.email) != (agency_id, email):
                raise InvalidArgument(
                    "This agent is enrolled already, with another agency or address. To change their address, "
                    "use change-agent-email.",
                    field="agent_id",
                )
            return _agent(known).enrolled_at
        now = self._clock.now()
        session.execute(
            insert(_table),
            {
                "agent_id": agent_id,
                "agency_id": agency_id,
                "display_name": display_name,
                "email": email,
                "approver": False,
                "enrolled_at": now,
                "changed_at": now,
            },
        )
        self._record(session, "agent.enrolled", agent_id, actor, mask_address(email))
        return now

    def change_email(self, session: Session, *, agent_id: str, email: str, actor: str) -> datetime:
        """Sends their codes to another address from now on. Raises AgentUnknown, InvalidArgument."""
        _check_address(email)
        before = find_agent(session, agent_id)
        now = self._clock.now()
        session.execute(update(_table).where(_table.c.agent_id == agent_id).values(email=email, changed_at=now))
        reason = f"{mask_address(before.email)} -> {mask_address(email)}"
        self._record(session, "agent.email_changed", agent_id, actor, reason)
        return now

    def set_approver(self, session: Session, *, agent_id: str, approver: bool, actor: str) -> datetime:
        """Lets them approve second reveals for their agency, or no longer (M9). Raises AgentUnknown."""
        before = find_agent(session, agent_id)
        now = self._clock.now()
        if before.approver is not approver:
            session.execute(
                update(_table).where(_table.c.agent_id == agent_id).values(approver=approver, changed_at=now)
            )
            action = "agent.approver_named" if approver else "agent.approver_dismissed"
            self._record(session, action, agent_id, actor, mask_address(before.email))
        return now

    def _record(self, session: Session, action: str, agent_id: str, actor: str, reason: str) -> None:
        self._audit.record(
            session, AuditEntry(action=action, actor=actor, agent_id=agent_id, resource=agent_id, reason=reason)
        )


def _check_address(email: str) -> None:
    if not is_address(email):
        raise InvalidArgument("That is not an e-mail address the vault can mail codes to.", field="email")


def _agent(row: Row[Any]) -> Agent:
    return Agent(
        agent_id=row.agent_id,
        agency_id=row.agency_id,
        display_name=row.display_name,
        email=row.email,
        approver=row.approver,
        enrolled_at=row.enrolled_at,
    )
