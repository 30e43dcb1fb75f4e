"""What the portal knows of an agent and their agency, and the address of their public page. Pure."""

from dataclasses import dataclass

from services.portal.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView(House):
    """An agent with the agency they work for."""

    agent_id: str
    slug: str
    name: str
    email: str
    phone: str
    active: bool
    # Origins of the websites that may show the page's form in a frame; none = any.
    websites: tuple[str, ...] = ()

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name.split() else self.name

    # The names under which pages/_agent macros show whom to call.
    @property
    def agent_name(self) -> str:
        return self.name

    @property
    def contact_phone(self) -> str:
        return self.phone or self.agency_phone

    @property
    def contact_email(self) -> str:
        return self.email or self.agency_email
