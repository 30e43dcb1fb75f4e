"""The CRM's declarative base. Rooms' models.py import Base from here; models.py gathers them all."""

from sqlalchemy.orm import DeclarativeBase

from chassis.bus import EventTables
from chassis.db import make_metadata
from chassis.web.drafts import draft_table
from chassis.web.sessions import SessionTables


class Base(DeclarativeBase):
    metadata = make_metadata()


event_tables = EventTables.attach(Base.metadata)
session_tables = SessionTables.attach(Base.metadata)
drafts = draft_table(Base.metadata)
