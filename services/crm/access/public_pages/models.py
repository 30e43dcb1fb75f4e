"""Rows of the public_pages room."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class PageNameRow(Base):
    """A name that a public page has, or had: what is printed on a card stays good, so no other page ever gets it."""

    __tablename__ = "page_name"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), index=True)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PublicPageRow(Base):
    """What an agent said of their page beside its name."""

    __tablename__ = "public_page"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    # Origins of the websites that may show the form in a frame, a line each; empty = any.
    websites: Mapped[str] = mapped_column(Text)
