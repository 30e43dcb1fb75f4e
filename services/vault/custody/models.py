"""The card's row."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.vault.custody.rules import CardState, CvvState
from services.vault.orm import Base


class CardRow(Base):
    """A card: ciphertexts while it lives, afterwards only what docs/product.md M13 keeps (brand, last four) and times.

    `cipher` opens to {"pan","exp_month","exp_year","name","brand"}, `cvv_cipher` to {"cvv"}: already the JSON that
    the frame gets, so that showing them needs no parsing.
    """

    __tablename__ = "cards"
    __table_args__ = (
        CheckConstraint("(cipher IS NOT NULL) = (state IN ('stored', 'revealed'))", name="cipher_while_live"),
        CheckConstraint("(cvv_cipher IS NOT NULL) = (cvv_state IN ('held', 'linked'))", name="cvv_cipher_while_live"),
        CheckConstraint("state IN ('stored', 'revealed') OR cvv_cipher IS NULL", name="no_cvv_without_card"),
        # A payment has one live card.
        Index(
            "uq_cards_live_payment",
            "agency_id",
            "payment_id",
            unique=True,
            postgresql_where=text("state IN ('stored', 'revealed')"),
            sqlite_where=text("state IN ('stored', 'revealed')"),
        ),
        Index("ix_cards_kept_until_live", "kept_until", postgresql_where=text("cipher IS NOT NULL")),
        Index("ix_cards_cvv_kept_until_live", "cvv_kept_until", postgresql_where=text("cvv_cipher IS NOT NULL")),
        Index("ix_cards_keyed_in", "keyed_in", postgresql_where=text("keyed_in IS NOT NULL")),
    )

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    payment_id: Mapped[str] = mapped_column(String(64))
    owner_agent_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default=CardState.STORED)
    brand: Mapped[str] = mapped_column(String(16))
    last4: Mapped[str] = mapped_column(String(4))
    cipher: Mapped[str | None] = mapped_column(Text)
    key_version: Mapped[int | None]
    cvv_state: Mapped[str] = mapped_column(String(16), default=CvvState.NONE)
    cvv_cipher: Mapped[str | None] = mapped_column(Text)
    cvv_key_version: Mapped[int | None]
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime())
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime())
    cvv_kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime())
    revealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    cvv_shown_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    # The phone session in which the card was keyed; null for one from a form.
    keyed_in: Mapped[str | None] = mapped_column(String(64))
