"""The pages of the street of sales."""

from flask import Blueprint, Flask

from services.crm.sales.clients.household_views import blueprint as household
from services.crm.sales.clients.service import ClientMoved
from services.crm.sales.clients.views import blueprint as clients
from services.crm.sales.clients.views import follow_merge
from services.crm.sales.groups.views import blueprint as groups
from services.crm.sales.importing.views import blueprint as importing
from services.crm.sales.merging.views import blueprint as merging
from services.crm.sales.portal_access.views import blueprint as portal_access
from services.crm.sales.suppliers.views import blueprint as suppliers
from services.crm.sales.tasks.views import blueprint as tasks

ROOMS: tuple[Blueprint, ...] = (clients, importing, household, groups, tasks, merging, portal_access, suppliers)


def join(app: Flask) -> None:
    """Adds what isn't a blueprint: addresses of merged profiles lead on, wherever they are met."""
    app.register_error_handler(ClientMoved, follow_merge)
