"""Databases: one per service, SQLite or PostgreSQL by URL, and their migrations."""

from chassis.db.engine import (
    DATABASE_AWAY,
    DATABASE_PATIENCE,
    Database,
    DatabaseUrlError,
    ReadOnlyError,
    open_database,
    remembered,
    sharing_reads,
)
from chassis.db.together import Overtaken, Write, write_together
from chassis.db.types import AsText, NotLeading, UtcDateTime, insert_if_absent, make_metadata

__all__ = [
    "DATABASE_AWAY",
    "DATABASE_PATIENCE",
    "AsText",
    "Database",
    "DatabaseUrlError",
    "NotLeading",
    "Overtaken",
    "ReadOnlyError",
    "UtcDateTime",
    "Write",
    "insert_if_absent",
    "make_metadata",
    "open_database",
    "remembered",
    "sharing_reads",
    "write_together",
]
