"""Who the vault does not know is told so, can't ask for cards, and reads what is to be done (ux 3); agents are invited
by mail (ux 26)."""

import argparse
import shlex
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, Unavailable
from protos.wayvault.events.v1.events_pb2 import MailSealed
from services.crm.access.enrolment.rules import BLOCKED, EnrolmentStatus, enrol_command
from services.vault.operator_commands import add_operator_commands
from tests.support.crm_people import published
from tests.support.crm_site import CrmSite, text_of


def test_the_agent_list_says_who_can_not_ask_for_cards_and_the_agents_page_what_to_do(site: CrmSite) -> None:
    site.vault.unknown_agents.add(site.maya.agent_id)
    ada = site.signed_in(site.ada)
    page = text_of(ada.get("/agency"))
    assert "Not everybody can ask for cards yet" in page
    assert "Not enrolled" in page
    own = ada.get(f"/agency/agents/{site.maya.agent_id}").text
    assert f"enroll-agent --agent-id {site.maya.agent_id} --agency-id {site.maya.agency_id}" in own
    site.vault.unknown_agents.clear()
    assert "Not enrolled" not in text_of(ada.get("/agency"))


def test_who_is_not_enrolled_can_not_send_a_link_and_reads_the_way(site: CrmSite) -> None:
    site.vault.unknown_agents.add(site.maya.agent_id)
    maya = site.signed_in(site.maya)
    page = maya.get(f"/links/new/{site.booking.id}")
    assert BLOCKED in text_of(page)
    assert "/support/new" in page.text
    assert "link-form" not in maya.post(f"/links/new/{site.booking.id}", data={"type": "deposit"}).text
    with pytest.raises(InvalidArgument, match="does not know you yet"):
        site.deps.access.enrolments.require(site.deps.access.directory.agent(site.maya.agent_id))
    site.vault.unknown_agents.clear()
    assert "link-form" in maya.get(f"/links/new/{site.booking.id}").text


def test_a_vault_that_does_not_answer_stops_nobody_and_is_not_asked_at_every_page(site: CrmSite) -> None:
    agent = site.deps.access.directory.agent(site.maya.agent_id)
    site.vault.down = Unavailable()
    assert site.deps.access.enrolments.of(agent).status is EnrolmentStatus.UNKNOWN
    assert "link-form" in site.signed_in(site.maya).get(f"/links/new/{site.booking.id}").text
    site.vault.down = None
    assert site.deps.access.enrolments.of(agent).status is EnrolmentStatus.UNKNOWN
    site.clock.advance(timedelta(seconds=21))
    assert site.deps.access.enrolments.of(agent).status is EnrolmentStatus.ENROLLED


def test_codes_that_go_elsewhere_are_told(site: CrmSite) -> None:
    site.vault.enrolled_hints[site.maya.agent_id] = "m***@old.example"
    page = text_of(site.signed_in(site.ada).get(f"/agency/agents/{site.maya.agent_id}"))
    assert "The vault sends one-time codes to m***@old.example" in page
    assert "link-form" in site.signed_in(site.maya).get(f"/links/new/{site.booking.id}").text


@given(name=st.text(min_size=1), email=st.text(min_size=1))
def test_the_operators_line_is_read_back_as_it_was_meant_whatever_stands_in_a_name(name: str, email: str) -> None:
    parser = argparse.ArgumentParser()
    add_operator_commands(parser.add_subparsers())
    line = enrol_command(agent_id="agent_1", agency_id="agency_1", name=name, email=email)
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "services.vault"]
    read = parser.parse_args(words[3:])
    assert (read.agent_id, read.agency_id, read.name, read.email) == ("agent_1", "agency_1", name, email)


def test_an_invitation_is_mailed_and_can_be_copied_once(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    before = len([event for event in published(site) if isinstance(event, MailSealed)])
    page = ada.post(f"/agency/agents/{site.maya.agent_id}/invite")
    assert f"An e-mail is on its way to {site.maya.email}" in text_of(page)
    assert 'data-wv-copy="invitation-link"' in page.text
    sent = [event for event in published(site) if isinstance(event, MailSealed)][before:]
    assert len(sent) == 1
    assert b"invitation#" not in sent[0].SerializeToString()
