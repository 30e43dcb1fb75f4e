"""What the vault's processes need to do their work: as gRPC health and /readyz ask for it."""

from chassis.health import Readiness
from services.vault.bootstrap import Vault
from services.vault.migrations import MIGRATIONS


def readiness(vault: Vault) -> Readiness:
    """Of `serve` and `worker`."""
    database = vault.on.database
    return Readiness(
        {
            "database": database.answers,
            "schema": lambda: MIGRATIONS.demand_newest(database),
            "transit": vault.on.transit.health.check,
        }
    )
