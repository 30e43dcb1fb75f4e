"""The short name of an agent's public page: given by the portal, shown by the CRM (P11, ux 27)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from chassis.bus.handlers import RetryLater
from protos.wayvault.events.v1.events_pb2 import AgentSaved, PublicPageChosen
from services.portal.agents.models import AgentRow
from tests.support.crm_paying import CrmHouse
from tests.support.portal import PortalWorld
from tests.support.portal_people import tell


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmHouse]:
    (tmp_path / "crm").mkdir()
    house = CrmHouse(tmp_path / "crm")
    yield house
    house.deps.core.database.dispose()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[PortalWorld]:
    (tmp_path / "portal").mkdir()
    made = PortalWorld(tmp_path / "portal")
    yield made
    made.close()


def test_the_crm_shows_the_address_that_the_portal_gave(crm: CrmHouse, portal: PortalWorld) -> None:
    before = crm.browser(crm.maya).get("/quotes").text
    assert f"/a/{crm.maya.agent_id}</a>" in before
    tell(portal, *crm.events(AgentSaved))
    for message in portal.page_names():
        crm.hear(message)
    page = crm.browser(crm.maya).get("/quotes").text
    assert "/a/maya-okafor</a>" in page
    assert crm.maya.agent_id not in page.partition('id="public-page"')[2].partition("</section>")[0]
    assert portal.client().get("/a/maya-okafor").status_code == 200


def test_a_name_is_told_once_and_whoever_edits_the_agent_meanwhile_can_save(crm: CrmHouse, portal: PortalWorld) -> None:
    saved = crm.events(AgentSaved)
    tell(portal, *saved)
    tell(portal, *saved)
    told = portal.page_names()
    assert sorted(one.agent_id for one in told) == sorted({message.agent.id for message in saved})
    version = crm.deps.access.directory.agent(crm.maya.agent_id).version
    for message in told:
        crm.hear(message)
    shown = crm.deps.access.directory.agent(crm.maya.agent_id)
    assert (shown.version, shown.page_name) == (version, "maya-okafor")


def test_names_of_before_and_of_an_older_process_are_told_too(crm: CrmHouse, portal: PortalWorld) -> None:
    saved = crm.events(AgentSaved)
    tell(portal, *saved)
    told = len(portal.page_names())
    with portal.deps.core.database.transaction() as session:
        session.execute(update(AgentRow).values(slug_told=False))
    assert portal.deps.agents.tell_slugs() == told
    assert portal.deps.agents.tell_slugs() == 0
    assert len(portal.page_names()) == 2 * told


def test_the_name_that_an_agent_chose_is_the_address_on_both_sides(crm: CrmHouse, portal: PortalWorld) -> None:
    tell(portal, *crm.events(AgentSaved))
    for message in portal.page_names():
        crm.hear(message)
    for name in ("fjords", "maya-travels"):
        assert crm.browser(crm.maya).post("/public-page/name", {"name": name}).status_code == 303
        (event,) = (event for event in crm.events(PublicPageChosen) if event.name == name)
        portal.tell(event, agency_id=crm.maya.agency_id)
    for former in ("maya-okafor", "fjords"):
        assert portal.client().get(f"/a/{former}").headers["Location"] == "/a/maya-travels"
    for message in portal.page_names():
        if message.name == "maya-travels":
            crm.hear(message)
    assert "/a/maya-travels</a>" in crm.browser(crm.maya).get("/quotes").text
    assert crm.browser(crm.jonas).post("/public-page/name", {"name": "maya-okafor"}).status_code == 422


def test_a_choice_that_arrives_before_its_agent_waits_and_one_that_lost_a_race_is_put_right(
    crm: CrmHouse, portal: PortalWorld
) -> None:
    with pytest.raises(RetryLater):
        tell(portal, PublicPageChosen(agent_id=crm.maya.agent_id, name="fjords"))
    tell(portal, *crm.events(AgentSaved))
    known = len(portal.page_names())
    portal.tell(PublicPageChosen(agent_id=crm.maya.agent_id, name="jonas-weber"), agency_id=crm.maya.agency_id)
    told = [message.name for message in portal.page_names() if message.agent_id == crm.maya.agent_id]
    assert (len(portal.page_names()), set(told)) == (known + 1, {"maya-okafor"})


def test_another_agencys_word_names_nobodys_page(crm: CrmHouse) -> None:
    directory = crm.deps.access.directory
    with crm.deps.core.database.transaction() as session:
        directory.learn_page_name(session, crm.maya.agent_id, "agency_other", "not-hers")
    assert directory.agent(crm.maya.agent_id).page_name == crm.maya.agent_id
