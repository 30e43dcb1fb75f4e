"""Rows of the CVV room."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.orm import Base


class CvvLinkRow(Base):
    """A link that asks for the CVV of a stored card, as the CRM issued it. Holds no CVV, ever."""

    __tablename__ = "cvv_links"

    link_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(String(64), index=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    card_token: Mapped[str] = mapped_column(String(64))
    brand: Mapped[str] = mapped_column(String(20))
    last4: Mapped[str] = mapped_column(String(4))
    token_sha256: Mapped[str] = mapped_column(String(64))
    # The slot at the vault that the page on show has; another link's form can't fill it.
    intake_id: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(12))
    # A serialized wayvault.events.v1.PaymentContext: what the pages say.
    context: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    supplied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cvv_kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
