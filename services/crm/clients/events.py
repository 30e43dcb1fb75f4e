"""What the clients room publishes."""

from protos.wayvault.events.v1 import events_pb2
from services.crm.clients.rules import ClientDetail


def client_snapshot(client: ClientDetail) -> events_pb2.Client:
    """The client as events carry one."""
    return events_pb2.Client(
        id=client.id,
        first_name=client.data.first_name,
        last_name=client.data.last_name,
        email=client.data.email,
        phone=client.data.phone,
    )


def client_saved(client: ClientDetail) -> events_pb2.ClientSaved:
    return events_pb2.ClientSaved(client=client_snapshot(client), agent_id=client.agent_id)
