"""The sealing keys' rows."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.vault.orm import Base


class SealingKeyRow(Base):
    """A key pair. `wrapped` is the private JWK under the transit key `sealing`; NULL once destroyed."""

    __tablename__ = "sealing_keys"
    __table_args__ = (
        CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="wrapped_until_destroyed"),
    )

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    public_jwk: Mapped[str] = mapped_column(Text)
    wrapped: Mapped[str | None] = mapped_column(Text)
    key_version: Mapped[int | None]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
    served_until: Mapped[datetime] = mapped_column(UtcDateTime())
    opens_until: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
    destroyed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
