"""What is told of clients beside themselves, read for many at once."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from services.crm.access.agency.service import Directory
from services.crm.sales.clients.changes import told_moments_of_many
from services.crm.sales.clients.events import Surroundings
from services.crm.sales.clients.household import load_many_with_changes
from services.crm.sales.clients.rules import ClientDetail


def surroundings_of(session: Session, directory: Directory, clients: Sequence[ClientDetail]) -> dict[str, Surroundings]:
    """Of clients of one agent, by their ids."""
    if not clients:
        return {}
    ids = [client.id for client in clients]
    households, moments = load_many_with_changes(session, ids), told_moments_of_many(session, ids)
    agent = directory.load_agent(session, clients[0].agent_id)
    agency = directory.load_agency(session, clients[0].agency_id)
    return {
        each: Surroundings(household=households[each][0], field_changed_at=moments[each], agent=agent, agency=agency)
        for each in ids
    }
