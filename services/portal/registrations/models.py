"""Rows of the registrations room."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.orm import Base


class RegistrationRow(Base):
    """Somebody registers. Deleted when its link has expired, or a day after it was answered."""

    __tablename__ = "registrations"

    registration_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    # Made with the form, so that the form sent twice registers once.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    agent_id: Mapped[str] = mapped_column(String(64))
    agency_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    # Serialized wayvault.events.v1.ClientProfile: who they say they are. Empty once the CRM has it.
    person: Mapped[bytes] = mapped_column(LargeBinary)
    # Of the mailed link; None once it was used.
    token_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    # argon2id in PHC form, from the proof until the CRM has answered.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    username: Mapped[str] = mapped_column(String(60))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
