"""What a service with a database and a queue can't work without, for chassis.health."""

from chassis.bus.port import Bus
from chassis.db import Database
from chassis.db.migrate import Migrations
from chassis.health import Check


def needed(migrations: Migrations, database: Database, bus: Bus | None) -> dict[str, Check]:
    """Checks by part, of the service that the migrations are of; a web process has no bus."""
    checks: dict[str, Check] = {
        "database": database.answers,
        "schema": lambda: migrations.demand_newest(database),
    }
    if bus is not None:
        checks["bus"] = lambda: bus.waiting(migrations.service)
    return checks
