"""What the notifier's processes need to do their work, as /readyz asks for it."""

from chassis.bus import Bus
from chassis.bus.readiness import needed
from chassis.db import Database
from chassis.health import Readiness
from services.notifier.migrations import MIGRATIONS


def readiness(database: Database, bus: Bus | None = None) -> Readiness:
    """Of the mailbox page, which has no bus, or of the worker."""
    return Readiness(needed(MIGRATIONS, database, bus))
