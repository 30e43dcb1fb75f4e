"""Rows of the links room."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


@news("link_id", "client_id", "replaces_payment_id")
class LinkRow(Base):
    """A payment authorization link as the CRM issued it, and what happened to it here; or a payment that a signed-in
    client started themselves (P3): the same in all but that no token opens it before it is signed."""

    __tablename__ = "links"

    link_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    payment_id: Mapped[str] = mapped_column(String(40), index=True)
    agency_id: Mapped[str] = mapped_column(String(40))
    # Who is to pay.
    client_id: Mapped[str] = mapped_column(String(64), default="", index=True)
    self_service: Mapped[bool] = mapped_column(default=False)
    # Made with the form on which the client starts a payment: the form sent twice starts one.
    request_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    issue: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # A serialized wayvault.events.v1.PaymentContext: what the pages and the PDF say.
    context: Mapped[bytes] = mapped_column(LargeBinary)
    terms_text: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[str] = mapped_column(String(60))
    replaces_payment_id: Mapped[str] = mapped_column(String(40), default="", index=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claim_id: Mapped[str | None] = mapped_column(String(40))
    claim_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LinkTokenRow(Base):
    """A token that opens a link, hashed. Every letter brings its own; older ones stay good."""

    __tablename__ = "link_tokens"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    link_id: Mapped[str] = mapped_column(ForeignKey("links.link_id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EvidenceRow(Base):
    """A step on the way to the signature. Only ever added to. `ref` tells repetitions of a fact apart; ids are
    UUIDv7, so that steps of the same moment keep their order."""

    __tablename__ = "link_evidence"
    __table_args__ = (UniqueConstraint("link_id", "step", "ref"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    link_id: Mapped[str] = mapped_column(String(40))
    step: Mapped[str] = mapped_column(String(20))
    ref: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    detail: Mapped[str] = mapped_column(String(200), default="")
