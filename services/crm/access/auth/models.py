"""Rows of the auth room: how agents prove who they are, and the count of failed sign-ins."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from chassis.web.lockout import AttemptColumns
from services.crm.orm import Base


class CredentialRow(Base):
    """An agent's password and authenticator."""

    __tablename__ = "credential"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    # argon2id in PHC form; None until the invitation is accepted.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    # The authenticator's secret, encrypted (auth/secrets.py); pending until a first code confirmed it.
    totp_secret_sealed: Mapped[str | None] = mapped_column(String(200))
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The time step of the last accepted code: a code at or before it is a replay.
    totp_last_step: Mapped[int | None]
    invitation_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    invitation_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInAttemptRow(AttemptColumns, Base):
    """Failed sign-ins for an address, whether or not anybody has it: so a lock tells nothing about accounts."""

    __tablename__ = "sign_in_attempt"
