"""The revisions of this database, in order. `python -m chassis.db.migrate revision MODULE` writes a new one."""

from pathlib import Path

from chassis.db.migrate import Migrations
from services.portal import models
from services.portal.orm import Base

__all__ = ["MIGRATIONS", "models"]

MIGRATIONS = Migrations(service="portal", metadata=Base.metadata, versions=Path(__file__).parent / "versions")
