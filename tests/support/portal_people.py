"""Clients of the portal who can sign in: what the CRM tells of them, and browsers in which they have."""

from datetime import timedelta

from flask.testing import FlaskClient
from google.protobuf.message import Message

from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Agent,
    AgentSaved,
    Client,
    ClientPortalInvited,
    ClientProfile,
    ClientSaved,
)
from tests.support.portal import PortalWorld

PASSWORD = "harbour lantern velvet ostrich"
AGENCY = Agency(
    id="agy_1",
    name="Harbour & Vine Travel",
    accent_colour="#0f5b61",
    phone="+1 (212) 555 0100",
    email="hello@harbour.example",
    time_zone="America/New_York",
)
MAYA = Agent(id="agt_1", name="Maya Okafor", email="maya@harbour.example", phone="+1 (212) 555 0142")
GRACE = Client(id="cli_1", first_name="Grace", last_name="Hopper", email="grace@client.example")
ALAN = Client(id="cli_2", first_name="Alan", last_name="Turing", email="alan@client.example")


def agent_saved(agent: Agent = MAYA, *, active: bool = True) -> AgentSaved:
    return AgentSaved(agent=agent, agency=AGENCY, active=active)


def client_saved(client: Client = GRACE, profile: ClientProfile | None = None) -> ClientSaved:
    profile = profile or ClientProfile(client=client)
    return ClientSaved(client=client, agent_id=MAYA.id, profile=profile, agent=MAYA, agency=AGENCY)


def invited(
    world: PortalWorld, client: Client = GRACE, *, username: str = "grace", token: str = "invitation"
) -> ClientPortalInvited:
    return ClientPortalInvited(
        client=client,
        username=username,
        agent=MAYA,
        agency=AGENCY,
        token_sha256=token_sha256(token),
        expires_at=stamp(world.clock.now() + timedelta(days=14)),
    )


def tell(world: PortalWorld, *messages: Message) -> None:
    for message in messages:
        world.tell(message)


def with_account(world: PortalWorld, client: Client = GRACE, *, username: str = "grace") -> None:
    """The client was invited and has chosen PASSWORD."""
    token = f"invitation of {client.id}"
    tell(world, agent_saved(), client_saved(client), invited(world, client, username=username, token=token))
    world.deps.accounts.choose_password(token, PASSWORD)


def signed_in(world: PortalWorld, client: Client = GRACE, *, username: str = "grace") -> FlaskClient:
    """A browser in which the client has signed in; makes the account when there is none."""
    if world.deps.accounts.find(client.id) is None:
        with_account(world, client, username=username)
    browser = world.client()
    answer = browser.post("/sign-in", data={"username": username, "password": PASSWORD})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return browser
