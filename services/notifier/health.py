"""What the notifier's processes need to do their work, as /readyz asks for it."""

from collections.abc import Callable

from chassis.bus import Bus
from chassis.db import Database
from chassis.health import Readiness
from services.notifier.migrations import MIGRATIONS

_SERVICE = "notifier"


def readiness(database: Database, bus: Bus | None = None) -> Readiness:
    """Of the mailbox page, which has no bus, or of the worker."""
    return Readiness(_needed(database, bus))


def _needed(database: Database, bus: Bus | None) -> dict[str, Callable[[], object]]:
    checks: dict[str, Callable[[], object]] = {
        "database": database.answers,
        "schema": lambda: MIGRATIONS.demand_newest(database),
    }
    if bus is not None:
        checks["bus"] = lambda: bus.waiting(_SERVICE)
    return checks
