from datetime import timedelta

import pytest

from chassis.typed.page_names import slug_of
from protos.wayvault.events.v1.events_pb2 import Agent, ClientRegistered, QuoteRequested
from services.portal.quotes.rules import REQUESTS_PER_HOUR
from tests.support.portal import PortalWorld
from tests.support.portal_people import GRACE, MAYA, agent_saved, signed_in, tell

WISH = {
    "destination": "Norwegian fjords",
    "begins_on": "2027-06-05",
    "ends_on": "2027-06-12",
    "adults": "2",
    "children": "1",
    "budget": "US$ 9,000",
    "wishes": "A balcony, and whales.",
    "first_name": "Ada",
    "last_name": "Byron",
    "email": "ada@visitor.example",
    "phone": "",
    "request_key": "form-1",
}


def ask(world: PortalWorld, **changed: str) -> int:
    return world.client().post("/a/maya-okafor", data=WISH | changed).status_code


def test_a_visitor_sees_who_the_agent_is_by_name_and_by_id(world: PortalWorld) -> None:
    tell(world, agent_saved())
    page = world.client().get("/a/maya-okafor")
    assert page.status_code == 200
    assert "Maya Okafor" in page.get_data(as_text=True)
    assert "Harbour &amp; Vine Travel" in page.get_data(as_text=True)
    assert world.client().get("/a/agt_1").headers["Location"] == "/a/maya-okafor"


def test_unknown_and_inactive_agents_have_no_page(world: PortalWorld) -> None:
    tell(world, agent_saved(active=False))
    assert world.client().get("/a/maya-okafor").status_code == 404
    assert world.client().get("/a/nobody").status_code == 404


def test_agents_of_one_name_have_an_address_each_and_keep_it(world: PortalWorld) -> None:
    twin = Agent(id="agt_2", name="Maya Okafor", email="other@harbour.example")
    tell(world, agent_saved(), agent_saved(twin), agent_saved(Agent(id="agt_1", name="Maya Weber")))
    first, second = world.deps.agents.agent("agt_1"), world.deps.agents.agent("agt_2")
    assert first is not None
    assert second is not None
    assert first.slug == "maya-okafor"
    assert first.name == "Maya Weber"
    assert second.slug not in ("", first.slug)


@pytest.mark.parametrize(
    ("name", "slug"), [("Zoë Straßer", "zoe-strasser"), ("  O'Neil, Ann ", "o-neil-ann"), ("李小龍", "lixiaolong")]
)
def test_addresses_are_plain_letters(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_request_registers_the_visitor_and_reaches_crm_and_agent(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert ask(world) == 303
    registered, asked = world.published()
    assert isinstance(registered, ClientRegistered)
    assert isinstance(asked, QuoteRequested)
    assert registered.client.email == "ada@visitor.example"
    assert asked.registration_id == registered.registration_id
    assert (asked.destination, asked.begins_on, asked.adults, asked.children) == (
        "Norwegian fjords",
        "2027-06-05",
        2,
        1,
    )
    assert asked.agent.email == MAYA.email


def test_the_form_sent_twice_asks_once(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert ask(world) == ask(world) == 303
    assert len(world.published()) == 2


def test_a_signed_in_client_asks_under_her_own_name_and_registers_nobody(world: PortalWorld) -> None:
    browser = signed_in(world)
    assert 'value="grace@client.example"' in browser.get("/a/maya-okafor").get_data(as_text=True)
    browser.post("/a/maya-okafor", data=WISH)
    asked = world.published()[-1]
    assert isinstance(asked, QuoteRequested)
    assert (asked.client_id, asked.registration_id) == (GRACE.id, "")


def test_who_fills_in_the_field_that_people_do_not_see_is_thanked_and_forgotten(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert ask(world, website="https://spam.example") == 303
    assert world.published() == []


def test_one_address_asks_five_times_an_hour_and_keeps_what_it_typed(world: PortalWorld) -> None:
    tell(world, agent_saved())
    answers = [ask(world, request_key=f"form-{number}") for number in range(REQUESTS_PER_HOUR + 1)]
    assert answers == [303] * REQUESTS_PER_HOUR + [429]
    page = world.client().post("/a/maya-okafor", data=WISH | {"request_key": "late"})
    assert "A balcony, and whales." in page.get_data(as_text=True)
    world.clock.advance(timedelta(hours=1))
    assert ask(world, request_key="later") == 303


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"destination": " "}, "Say where"),
        ({"begins_on": "2020-01-01"}, "begins in the past"),
        ({"ends_on": "2027-06-01"}, "ends before it begins"),
        ({"adults": "0"}, "1 to 20 adults"),
        ({"adults": "many"}, "Enter a whole number"),
        ({"email": "ada"}, "Enter an e-mail address"),
        ({"wishes": "x" * 5000}, "4000"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(world: PortalWorld, wrong: dict[str, str], said: str) -> None:
    tell(world, agent_saved())
    page = world.client().post("/a/maya-okafor", data=WISH | wrong)
    assert page.status_code == 422
    assert said in page.get_data(as_text=True)
    assert 'value="Byron"' in page.get_data(as_text=True)
    assert world.published() == []


def test_open_dates_are_fine(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert ask(world, begins_on="", ends_on="") == 303


def test_a_card_number_among_the_wishes_is_refused(world: PortalWorld) -> None:
    tell(world, agent_saved())
    page = world.client().post("/a/maya-okafor", data=WISH | {"wishes": "Charge 4111 1111 1111 1111"})
    assert page.status_code == 422
    assert "4111" not in page.get_data(as_text=True)
    assert world.published() == []
