"""The register's rows."""

from datetime import datetime

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.vault.orm import Base


class AgentRow(Base):
    """An enrolled agent. Nobody but the operator writes here (VaultAdmin), so a taken-over CRM can't redirect codes."""

    __tablename__ = "agents"

    agent_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    display_name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    # May approve second reveals for their agency (M9).
    approver: Mapped[bool] = mapped_column(Boolean(), default=False)
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime())
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime())
