"""Rows of the account room."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from chassis.web.lockout import AttemptColumns
from services.portal.orm import Base


class AccountRow(Base):
    """A client's way in. It exists from the agent's first invitation on."""

    __tablename__ = "accounts"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    agent_id: Mapped[str] = mapped_column(String(64))
    username: Mapped[str] = mapped_column(String(60))
    # The username casefolded: what is unique, and what sign-in looks up. None once access was withdrawn.
    username_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254))
    # argon2id in PHC form; None until a password was chosen, and after a withdrawal.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    # The links on which a password is chosen, hashed; each works once.
    invitation_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    invitation_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reset_sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    reset_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignInAttemptRow(AttemptColumns, Base):
    """Failed sign-ins for a username, whether or not anybody has it: so a lock tells nothing about accounts."""

    __tablename__ = "sign_in_attempt"


class ResetRequestRow(Base):
    """Somebody asked for a new password. The page only writes this row, whoever's the username is: the worker looks
    it up, so neither the answer nor its time tells whether there is such an account. Deleted once looked at."""

    __tablename__ = "reset_requests"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    username_key: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
