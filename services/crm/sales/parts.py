"""What the street of sales holds: clients, and what one does for them before a trip is booked."""

from dataclasses import dataclass

from chassis.web.parts import held
from services.crm.sales.clients.profile import Profiles
from services.crm.sales.clients.service import Clients
from services.crm.sales.groups.service import Groups
from services.crm.sales.importing.comparing import Comparisons
from services.crm.sales.importing.runner import ImportRunner
from services.crm.sales.importing.service import Imports
from services.crm.sales.merging.service import Merges
from services.crm.sales.portal_access.service import PortalAccess
from services.crm.sales.registrations.service import Registrations
from services.crm.sales.suppliers.service import Suppliers
from services.crm.sales.tasks.service import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """The street's use cases."""

    clients: Clients
    profiles: Profiles
    groups: Groups
    tasks: Tasks
    merges: Merges
    portal_access: PortalAccess
    registrations: Registrations
    suppliers: Suppliers
    imports: Imports
    comparisons: Comparisons
    import_runner: ImportRunner


def sales() -> Sales:
    """The use cases, in a page."""
    return held(Sales)
