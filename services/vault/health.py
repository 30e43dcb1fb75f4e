"""What the vault's processes need to do their work: as gRPC health and /readyz ask for it."""

from chassis.db.durability import demand_durable
from chassis.health import Readiness
from services.vault.migrations import MIGRATIONS
from services.vault.parts import Dependencies


def readiness(deps: Dependencies) -> Readiness:
    """Of `serve` and `worker`."""
    database = deps.core.database
    return Readiness(
        {
            "database": database.answers,
            "durability": lambda: demand_durable(database),
            "schema": lambda: MIGRATIONS.demand_newest(database),
            "transit": deps.core.transit.health.check,
        }
    )
