"""Rows of the groups room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.search import KEY
from services.crm.orm import Base


class ClientGroupRow(Base):
    """A company or a household of one agent's clients."""

    __tablename__ = "client_group"
    __table_args__ = (
        UniqueConstraint("agent_id", "kind", "name_key"),
        # An agent's lists, and those of an admin, who sees the agency's.
        *(Index(f"ix_client_group_{whose}_name", f"{whose}_id", "name_key", "id") for whose in ("agent", "agency")),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    # rules.GroupKind.
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))
    # rules.key_of.
    name_key: Mapped[str] = mapped_column(KEY)
    phone: Mapped[str] = mapped_column(String(40))
    website: Mapped[str] = mapped_column(String(300))
    tax_id: Mapped[str] = mapped_column(String(40))
    billing_name: Mapped[str] = mapped_column(String(120))
    billing_email: Mapped[str] = mapped_column(String(254))
    street: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(String(100))
    postal_code: Mapped[str] = mapped_column(String(20))
    # ISO 3166-1 alpha-2, or empty.
    country: Mapped[str] = mapped_column(String(2))
    notes: Mapped[str] = mapped_column(Text)
    # Which import made it, so that its undo can take it back; NULL = an agent did.
    import_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class ClientGroupMemberRow(Base):
    """A client who belongs to a company or household."""

    __tablename__ = "client_group_member"

    group_id: Mapped[str] = mapped_column(ForeignKey("client_group.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), primary_key=True, index=True)
    # Which import brought them in; NULL = an agent did.
    import_id: Mapped[str | None] = mapped_column(String(64), index=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
