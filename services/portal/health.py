"""What the portal's processes need to do their work, as /readyz asks for it."""

from collections.abc import Callable

from chassis.bus import Bus
from chassis.db import Database
from chassis.health import Readiness
from chassis.rpc import TlsFiles, demand_serving, open_channel
from services.portal.config import PortalSettings
from services.portal.migrations import MIGRATIONS

_SERVICE = "portal"


def readiness(settings: PortalSettings, database: Database, bus: Bus | None = None) -> Readiness:
    """Of a web process, which has no bus, or of a worker. The vault stands beside: pages do without it for a while."""
    tls = TlsFiles(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)
    channel = open_channel(settings.vault_address, tls, settings.vault_server_name)
    return Readiness(_needed(database, bus), beside={"vault": lambda: demand_serving(channel)})


def _needed(database: Database, bus: Bus | None) -> dict[str, Callable[[], object]]:
    checks: dict[str, Callable[[], object]] = {
        "database": database.answers,
        "schema": lambda: MIGRATIONS.demand_newest(database),
    }
    if bus is not None:
        checks["bus"] = lambda: bus.waiting(_SERVICE)
    return checks
