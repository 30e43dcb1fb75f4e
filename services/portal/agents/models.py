"""Rows of the agents room."""

from sqlalchemy import ForeignKey, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from services.portal.orm import Base


class AgentRow(Base):
    """An agent as the CRM last told of them."""

    __tablename__ = "agents"

    agent_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64), index=True)
    # The end of their public page's address.
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    # Whether the CRM was told of it, or will be by what stands in the outbox.
    slug_told: Mapped[bool] = mapped_column(default=False, server_default=false())
    active: Mapped[bool]
    # Origins of the websites that may show the page's form, a line each; empty = any.
    websites: Mapped[str] = mapped_column(Text, default="", server_default="")
    # Serialized wayvault.events.v1.Agent and Agency.
    agent: Mapped[bytes] = mapped_column(LargeBinary)
    agency: Mapped[bytes] = mapped_column(LargeBinary)


class FormerNameRow(Base):
    """A name that an agent's page had before: it leads on, so that what they printed on a card stays good."""

    __tablename__ = "former_page_names"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.agent_id"), index=True)
