"""What happens when somebody who proved their address has registered: a client, a way in, a task for the agent."""

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.timestamps import moment_of
from chassis.typed.text import clean_line
from protos.wayvault.events.v1.events_pb2 import RegistrationAnswered, RegistrationProven
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.sales.clients.service import ClientData, ClientDetail, Clients, client_snapshot
from services.crm.sales.portal_access.service import Admission, PortalAccess
from services.crm.sales.tasks.service import Tasks

__all__ = ["Registrations"]

# What the agent reads among their tasks.
_TASKS = {
    Admission.ADMITTED: "Welcome {name}, who registered on your public page",
    Admission.CLOSED: "{name} registered again: open the portal to them, or call",
}


class Registrations:
    """The registrations room's use case. It takes part in the caller's transaction."""

    def __init__(
        self, *, outbox: Outbox, directory: Directory, clients: Clients, access: PortalAccess, tasks: Tasks
    ) -> None:
        self._outbox = outbox
        self._directory = directory
        self._clients = clients
        self._access = access
        self._tasks = tasks

    def learn_proven(self, session: Session, message: RegistrationProven, agency_id: str) -> None:
        """Finds the client by address and name or adds them, opens the portal to them unless their agent closed it,
        and answers the portal. Raises NotFound for an agent whom the CRM does not have."""
        agent = self._directory.load_agent(session, message.agent.id)
        data = _data(message)
        client = self._client(session, agency_id, agent.id, data)
        admission, username = self._access.admit(session, client, at=moment_of(message.at))
        if title := _TASKS.get(admission):
            self._tasks.give(session, client, title.format(name=client.name))
        answer = RegistrationAnswered(
            registration_id=message.registration_id,
            client=client_snapshot(client),
            outcome=admission,
            username=username,
            agent=agent_snapshot(agent),
            agency=agency_snapshot(self._directory.load_agency(session, agency_id)),
        )
        self._outbox.add(session, answer, aggregate_id=message.registration_id, agency_id=agency_id)

    def _client(self, session: Session, agency_id: str, agent_id: str, data: ClientData) -> ClientDetail:
        known = self._clients.find_person(session, agent_id=agent_id, data=data)
        if known is None:
            return self._clients.add(session, agency_id=agency_id, agent_id=agent_id, data=data)
        return self._clients.load_many(session, agency_id, [known])[known]


def _data(message: RegistrationProven) -> ClientData:
    client, address = message.client, message.address
    return ClientData(
        first_name=_line(client.first_name, 80),
        last_name=_line(client.last_name, 80),
        email=_line(client.email, 254),
        phone=_line(client.phone, 40),
        street=_line(address.line1, 200),
        city=_line(address.city, 100),
        region=_line(address.region, 100),
        postal_code=_line(address.postal_code, 20),
        country=_line(address.country, 2),
    )


def _line(text: str, length: int) -> str:
    """One line of what somebody typed."""
    return clean_line(text)[:length].strip()
