"""What the CRM's processes need to do their work, as /readyz asks for it."""

from chassis.bus import Bus
from chassis.bus.readiness import needed
from chassis.db import Database
from chassis.health import Readiness
from chassis.rpc import demand_serving, open_channel
from services.crm.config import CrmSettings
from services.crm.migrations import MIGRATIONS


def readiness(settings: CrmSettings, database: Database, bus: Bus | None = None) -> Readiness:
    """Of a web process, which has no bus, or of a worker. The vault stands beside: pages do without it for a while."""
    channel = open_channel(settings.vault_address, settings.tls, settings.vault_server_name)
    return Readiness(needed(MIGRATIONS, database, bus), beside={"vault": lambda: demand_serving(channel)})
