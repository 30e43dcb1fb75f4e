"""The demo's company and household."""

from services.crm.core.actor import Actor
from services.crm.parts import Dependencies
from services.crm.sales.groups.rules import GroupData, GroupKind
from services.crm.sales.groups.service import GroupFilter

_COMPANY = GroupData(
    kind=GroupKind.COMPANY,
    name="Whitcombe Orchards",
    phone="+1 617 555 0188",
    website="https://orchards.example",
    tax_id="04-5550188",
    billing_name="Priya Raman",
    billing_email="accounts@orchards.example",
    street="40 Harvest Lane",
    city="Concord",
    region="Massachusetts",
    postal_code="01742",
    country="US",
    notes="Pays by transfer within 14 days. One invoice per trip.",
)
_HOUSEHOLD = GroupData(
    kind=GroupKind.HOUSEHOLD,
    name="Whitcombe household",
    street="18 Beacon Row",
    city="Boston",
    region="Massachusetts",
    postal_code="02108",
    country="US",
)


def add_groups(deps: Dependencies, agent: Actor) -> None:
    """Makes them of the agent's Whitcombes, when there are any and the agent has no group yet."""
    family = [client for client in deps.sales.clients.all_own(agent) if client.data.last_name == "Whitcombe"]
    if not family or deps.sales.groups.list_page(agent, GroupFilter(), 1).total:
        return
    household = deps.sales.groups.add(agent, _HOUSEHOLD)
    for client in family:
        deps.sales.groups.join(agent, household.id, client.id)
    lead = next((client for client in family if client.data.first_name == "Eleanor"), family[0])
    deps.sales.groups.add(agent, _COMPANY, first_member=lead.id)
