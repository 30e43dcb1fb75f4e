"""What the CRM makes of somebody who registered in the portal and proved their address (P10)."""

from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import PostalAddress
from protos.wayvault.events.v1.events_pb2 import Agent, Client, ClientSaved, RegistrationAnswered, RegistrationProven
from services.crm.sales.clients.service import ClientData, ClientDetail
from services.crm.sales.portal_access.service import AccessState
from tests.support.crm_paying import CrmHouse

EMAIL = "ada@visitor.example"


def proven(crm: CrmHouse, number: int = 1, *, first_name: str = "Ada", email: str = EMAIL) -> RegistrationProven:
    return RegistrationProven(
        registration_id=f"registration_{number}",
        client=Client(first_name=first_name, last_name="Byron", email=email, phone="+1 305 555 0142"),
        address=PostalAddress(line1="12 Long Lane", city="Springfield", postal_code="62701", country="US"),
        at=stamp(crm.clock.now()),
        agent=Agent(id=crm.maya.agent_id),
    )


def hear(crm: CrmHouse, message: RegistrationProven) -> RegistrationAnswered:
    crm.hear(message)
    return next(one for one in crm.events(RegistrationAnswered) if one.registration_id == message.registration_id)


def ada(crm: CrmHouse, client_id: str) -> ClientDetail:
    return crm.deps.sales.clients.get(crm.maya, client_id)


def known(crm: CrmHouse) -> ClientDetail:
    data = ClientData(first_name="Ada", last_name="Byron", email=EMAIL.upper())
    return crm.deps.sales.clients.create(crm.maya, data)


def state(crm: CrmHouse, client_id: str) -> AccessState | None:
    access = crm.deps.sales.portal_access.of(crm.maya, client_id)
    return access.state if access else None


def test_a_stranger_is_a_client_with_all_they_said_and_the_agent_has_a_task(crm: CrmHouse) -> None:
    answer = hear(crm, proven(crm))
    assert (answer.outcome, answer.username, answer.agent.email) == ("admitted", EMAIL, "maya@harbour.example")
    client = ada(crm, answer.client.id)
    assert (client.data.street, client.data.city, client.data.country) == ("12 Long Lane", "Springfield", "US")
    assert state(crm, client.id) is AccessState.ACTIVE
    assert client.id in {saved.client.id for saved in crm.events(ClientSaved)}
    assert "Welcome Ada Byron, who registered on your public page" in crm.browser(crm.maya).get("/").text


def test_a_client_who_has_that_address_and_name_is_the_one(crm: CrmHouse) -> None:
    client = known(crm)
    answer = hear(crm, proven(crm))
    assert (answer.client.id, answer.outcome) == (client.id, "admitted")


def test_another_name_at_the_same_address_is_somebody_else_with_another_username(crm: CrmHouse) -> None:
    first, second = hear(crm, proven(crm)), hear(crm, proven(crm, 2, first_name="Ralph"))
    assert first.client.id != second.client.id
    assert (first.username, second.username) == (EMAIL, "ralph.byron")


def test_who_was_invited_keeps_the_username_that_their_agent_gave(crm: CrmHouse) -> None:
    client = known(crm)
    crm.deps.sales.portal_access.invite(crm.maya, client.id, "countess")
    assert (answer := hear(crm, proven(crm))).username == "countess"
    assert answer.outcome == "admitted"


def test_who_signed_in_before_is_known_and_nothing_changes(crm: CrmHouse) -> None:
    hear(crm, proven(crm))
    once = crm.browser(crm.maya).get("/").text.count("Welcome Ada Byron")
    again = proven(crm, 2)
    again.at.seconds += 60
    assert hear(crm, again).outcome == "known"
    assert crm.browser(crm.maya).get("/").text.count("Welcome Ada Byron") == once


def test_a_door_that_the_agent_closed_stays_closed_and_they_are_told(crm: CrmHouse) -> None:
    client = known(crm)
    crm.deps.sales.portal_access.invite(crm.maya, client.id, "countess")
    crm.deps.sales.portal_access.withdraw(crm.maya, client.id)
    answer = hear(crm, proven(crm))
    assert (answer.outcome, answer.username) == ("closed", "")
    assert state(crm, client.id) is AccessState.WITHDRAWN
    assert "Ada Byron registered again" in crm.browser(crm.maya).get("/").text


def test_an_address_that_makes_no_username_leaves_the_name(crm: CrmHouse) -> None:
    assert hear(crm, proven(crm, email="o'neil!ada@visitor.example")).username == "ada.byron"
