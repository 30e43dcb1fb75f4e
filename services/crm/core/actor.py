"""Who is acting. Every use case of the CRM takes an Actor and never looks at the request itself."""

from dataclasses import dataclass
from enum import StrEnum

from chassis.errors import PermissionDenied


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
        """Whether an object of this agent is the actor's own: only then may they change it."""
        return self.agent_id == agent_id

    def demand_admin(self) -> None:
        """Raises PermissionDenied for agents."""
        if not self.is_admin:
            raise PermissionDenied("Only an admin of your agency can do this.")
