"""The composition of the street of sales: clients, their tasks, their way into the portal."""

from collections.abc import Sequence

from chassis.bus import EventHandlers
from chassis.db.references import Reference
from chassis.lifecycle import Loop, every
from chassis.sealing import LetterSealer
from services.crm.access.parts import Access
from services.crm.core.parts import Core
from services.crm.sales.clients.portal_changes import ProfileChanges
from services.crm.sales.clients.profile import Profiles
from services.crm.sales.clients.service import Clients
from services.crm.sales.groups.service import Groups
from services.crm.sales.importing.comparing import Comparisons
from services.crm.sales.importing.runner import ImportRunner
from services.crm.sales.importing.service import Imports
from services.crm.sales.merging.service import Followers, Merges
from services.crm.sales.parts import Sales
from services.crm.sales.portal_access import events as portal_access_events
from services.crm.sales.portal_access.service import PortalAccess
from services.crm.sales.registrations import events as registration_events
from services.crm.sales.registrations.service import Registrations
from services.crm.sales.suppliers.service import Suppliers
from services.crm.sales.tasks.service import Tasks

_MERGES_SECONDS = 60.0
_IMPORTS_SECONDS = 1.0
_FILES_SECONDS = 600.0


def make_sales(
    core: Core, access: Access, letters: LetterSealer, *, references: Sequence[Reference], followers: Followers
) -> Sales:
    """The rooms, joined. `references` and `followers` are what other streets keep of a client (C4)."""
    clients = Clients(database=core.database, outbox=core.outbox, clock=core.clock, directory=access.directory)
    merges = Merges(
        database=core.database, clock=core.clock, clients=clients, references=references, followers=followers
    )
    tasks = Tasks(database=core.database, clock=core.clock, clients=clients)
    portal_access = PortalAccess(
        database=core.database,
        outbox=core.outbox,
        clock=core.clock,
        clients=clients,
        directory=access.directory,
        letters=letters,
        portal_url=core.settings.portal_url,
    )
    return Sales(
        clients=clients,
        profiles=Profiles(database=core.database, clock=core.clock, clients=clients),
        groups=Groups(database=core.database, clock=core.clock, clients=clients),
        tasks=tasks,
        merges=merges,
        imports=Imports(database=core.database, clock=core.clock),
        comparisons=Comparisons(database=core.database, clients=clients),
        import_runner=ImportRunner(
            database=core.database,
            outbox=core.outbox,
            clock=core.clock,
            clients=clients,
            directory=access.directory,
            is_referred=merges.is_referred,
        ),
        suppliers=Suppliers(database=core.database, clock=core.clock),
        portal_access=portal_access,
        registrations=Registrations(
            outbox=core.outbox,
            directory=access.directory,
            clients=clients,
            access=portal_access,
            tasks=tasks,
        ),
    )


def register_events(handlers: EventHandlers, core: Core, sales: Sales) -> None:
    """What the rooms do on events of the portal."""
    portal_access_events.register(handlers, sales.portal_access)
    registration_events.register(handlers, sales.registrations)
    ProfileChanges(clients=sales.clients, clock=core.clock).register(handlers)


def timers(sales: Sales) -> list[tuple[str, Loop]]:
    """What the rooms do by the clock."""
    return [
        ("late references", every(_MERGES_SECONDS, sales.merges.settle, "late references")),
        ("imports", every(_IMPORTS_SECONDS, sales.import_runner.work, "imports")),
        ("files of imports", every(_FILES_SECONDS, sales.imports.forget_files, "files of imports")),
    ]
