"""The revisions of this database, in order. `python -m chassis.db.migrate revision MODULE` writes a new one."""

from pathlib import Path

from chassis.db.migrate import Migrations
from services.notifier import models
from services.notifier.orm import Base

__all__ = ["MIGRATIONS", "models"]

MIGRATIONS = Migrations(service="notifier", metadata=Base.metadata, versions=Path(__file__).parent / "versions")
