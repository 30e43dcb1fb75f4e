"""Who is acting. Every use case of the CRM takes an Actor and never looks at the request itself."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute


class Role(StrEnum):
    """What an agent may do. An admin manages the agency and sees all its bookings, but never a card."""

    AGENT = "agent"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A signed-in agent, as of this request."""

    agent_id: str
    agency_id: str
    name: str
    email: str
    role: Role
    # IANA zone in which this person reads times.
    time_zone: str

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    def owns(self, agent_id: str) -> bool:
        """Whether an object of this agent is the actor's own: only then may she change it."""
        return self.agent_id == agent_id


def visible_to(
    actor: Actor, agency_id: InstrumentedAttribute[str], agent_id: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """The one rule of sight: an agent sees her own objects, an admin those of the whole agency (SECURITY.md, 8.2.2)."""
    own_agency = agency_id == actor.agency_id
    return own_agency if actor.is_admin else and_(own_agency, agent_id == actor.agent_id)
