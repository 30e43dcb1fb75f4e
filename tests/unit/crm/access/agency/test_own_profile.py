"""Agents change their own name, phone and time zone; nothing else of themselves, and nobody else."""

from protos.wayvault.events.v1.events_pb2 import AgentSaved
from services.crm.access.agency.rules import AgentDetail
from services.crm.core.actor import Actor
from tests.support.crm_paying import CrmHouse


def form(crm: CrmHouse, who: Actor, **changed: object) -> dict[str, object]:
    known = crm.deps.access.directory.agent(who.agent_id)
    return {
        "version": known.version,
        "name": known.name,
        "phone": known.data.phone,
        "time_zone": known.data.time_zone,
        **changed,
    }


def maya(crm: CrmHouse) -> AgentDetail:
    return crm.deps.access.directory.agent(crm.maya.agent_id)


def test_it_is_saved_told_and_noted_with_what_changed(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    told = len(crm.events(AgentSaved))
    wanted = form(crm, crm.maya, name="Maya O\u2019Kafor", phone="+1 305 555 0142", time_zone="Europe/Oslo")
    assert browser.post("/agency/profile", wanted).status_code == 303
    assert (maya(crm).name, maya(crm).data.phone, maya(crm).data.time_zone) == (
        "Maya O\u2019Kafor",
        "+1 305 555 0142",
        "Europe/Oslo",
    )
    (event,) = crm.events(AgentSaved)[told:]
    assert (event.agent.name, event.agent.time_zone) == ("Maya O\u2019Kafor", "Europe/Oslo")
    trail = crm.browser(crm.ada).get("/audit/office").text
    assert "Own profile changed" in trail


def test_what_an_agent_may_not_change_of_themselves_stays(crm: CrmHouse) -> None:
    wanted = form(crm, crm.maya, email="other@harbour.example", role="admin", active="", agent_id=crm.jonas.agent_id)
    crm.browser(crm.maya).post("/agency/profile", wanted)
    assert (maya(crm).email, maya(crm).data.role.value, maya(crm).data.active) == (
        "maya@harbour.example",
        "agent",
        True,
    )
    assert crm.deps.access.directory.agent(crm.jonas.agent_id).version == 1


def test_a_slip_is_said_beside_its_field_and_what_was_typed_stays(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    answer = browser.post("/agency/profile", form(crm, crm.maya, name=" ", phone="call me"))
    assert answer.status_code == 422
    assert "Enter your name." in answer.text
    assert 'value="call me"' in answer.text
    assert browser.post("/agency/profile", form(crm, crm.maya, time_zone="Mars/Base")).status_code == 422
    assert maya(crm).name == "Maya Okafor"


def test_a_change_of_somebody_else_meanwhile_is_not_overwritten(crm: CrmHouse) -> None:
    stale = form(crm, crm.maya, name="Maya O.")
    browser = crm.browser(crm.maya)
    assert browser.post("/agency/profile", form(crm, crm.maya, phone="+1 305 555 0199")).status_code == 303
    assert browser.post("/agency/profile", stale).status_code == 422
    assert (maya(crm).name, maya(crm).data.phone) == ("Maya Okafor", "+1 305 555 0199")


def test_the_public_pages_address_stands_there_to_be_copied_and_scanned(crm: CrmHouse) -> None:
    page = crm.browser(crm.maya).get("/agency/profile").text
    assert 'data-wv-copy="public-page-address"' in page
    assert 'alt="QR code of your public page"' in page
    assert 'href="/agency/profile"' in crm.browser(crm.jonas).get("/").text
