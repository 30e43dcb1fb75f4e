"""The notifier's tables hang on one metadata; rooms' models import Base from here."""

from sqlalchemy.orm import DeclarativeBase

from chassis.bus import EventTables
from chassis.db import make_metadata


class Base(DeclarativeBase):
    """Base of every row class of the notifier."""

    metadata = make_metadata()


event_tables = EventTables.attach(Base.metadata)
