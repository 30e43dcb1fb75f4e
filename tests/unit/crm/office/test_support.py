"""Support tickets: asked by an agent, answered by an admin (C12)."""

from datetime import timedelta

import pytest

from chassis.errors import InvalidArgument, NotFound
from protos.wayvault.events.v1.events_pb2 import SupportTicketAnswered, SupportTicketOpened
from services.crm.core.errors import ChangedMeanwhile
from services.crm.office.support.rules import TicketFact, TicketState, after
from services.crm.office.support.service import Ticket, TicketFilter
from tests.support.crm_people import published
from tests.support.crm_site import CrmSite, text_of


def _asked(site: CrmSite) -> Ticket:
    return site.deps.office.support.open(site.maya, "A question", "How do I void a payment?")


def test_whoever_writes_takes_a_ticket_up_again_whatever_its_state() -> None:
    for state in TicketState:
        assert after(state, TicketFact.ASKED) is TicketState.OPEN
        assert after(state, TicketFact.ANSWERED) is TicketState.ANSWERED
    assert after(TicketState.CLOSED, TicketFact.CLOSED) is None


def test_a_question_reaches_every_admin_and_its_answer_the_agent(site: CrmSite) -> None:
    ticket = _asked(site)
    support = site.deps.office.support
    (asked,) = [one for one in published(site) if isinstance(one, SupportTicketOpened)]
    assert [admin.email for admin in asked.admins] == ["ada@harbour.example"]
    assert (asked.author.name, asked.text) == ("Maya Okafor", "How do I void a payment?")
    support.write(site.ada, ticket.id, "Press Void.", version=ticket.version)
    (answered,) = [one for one in published(site) if isinstance(one, SupportTicketAnswered)]
    assert (answered.recipient.email, answered.author.name) == ("maya@harbour.example", "Ada Lindqvist")


def test_the_rail_counts_what_waits_for_each(site: CrmSite) -> None:
    support = site.deps.office.support
    ticket = _asked(site)
    assert [site.deps.core.waiting.of(who)["tickets"] for who in (site.maya, site.ada, site.jonas)] == [0, 1, 0]
    support.write(site.ada, ticket.id, "Press Void.", version=ticket.version)
    assert [site.deps.core.waiting.of(who)["tickets"] for who in (site.maya, site.ada, site.jonas)] == [1, 0, 0]
    support.close(site.maya, ticket.id)
    assert site.deps.core.waiting.of(site.maya)["tickets"] == 0


def test_open_pages_of_either_side_follow_a_conversation(site: CrmSite) -> None:
    signs = site.deps.paying.signs

    def news() -> list[str]:
        return [signs.of(who).news for who in (site.maya, site.ada)]

    before = news()
    ticket = _asked(site)
    asked = news()
    site.deps.office.support.write(site.ada, ticket.id, "Press Void.", version=ticket.version)
    assert asked[0] != before[0]
    assert asked[1] != before[1]
    assert news()[0] != asked[0]
    assert signs.of(site.jonas).news == "0.0"


def test_an_agent_sees_her_own_tickets_only_and_an_admin_all(site: CrmSite) -> None:
    ticket = _asked(site)
    support = site.deps.office.support
    totals = [support.list_page(who, TicketFilter(), 1).total for who in (site.maya, site.jonas, site.ada)]
    assert totals == [1, 0, 1]
    with pytest.raises(NotFound):
        support.get(site.jonas, ticket.id)
    with pytest.raises(NotFound):
        support.write(site.jonas, ticket.id, "Let me in", version=ticket.version)


def test_two_admins_who_answer_at_once_do_not_talk_past_each_other(site: CrmSite) -> None:
    ticket = _asked(site)
    support = site.deps.office.support
    site.clock.advance(timedelta(minutes=1))
    support.write(site.ada, ticket.id, "Press Void.", version=ticket.version)
    with pytest.raises(ChangedMeanwhile):
        support.write(site.ada, ticket.id, "Call me.", version=ticket.version)
    assert [message.text for message in support.get(site.maya, ticket.id).messages][1:] == ["Press Void."]


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
def test_an_empty_or_endless_question_is_refused(site: CrmSite, text: str) -> None:
    with pytest.raises(InvalidArgument):
        site.deps.office.support.open(site.maya, "A question", text)


def test_an_agent_asks_reads_the_answer_and_closes_in_the_browser(site: CrmSite) -> None:
    maya, ada = site.signed_in(site.maya), site.signed_in(site.ada)
    maya.get("/support/new")
    refused = maya.post("/support/new", {"subject": "Portal colour", "text": ""})
    assert refused.status_code == 422
    assert "Portal colour" in refused.text
    done = maya.post("/support/new", {"subject": "Portal colour", "text": "Is it ours?"})
    assert done.status_code == 303
    page = ada.get(done.location)
    assert "Is it ours?" in text_of(page)
    assert ada.post(f"{done.location}/reply", {"text": "It is.", "version": "1"}).status_code == 303
    assert "It is." in text_of(maya.get(done.location))
    assert "Answered" in text_of(maya.get("/support"))
    assert maya.post(f"{done.location}/close").status_code == 303
    assert "Portal colour" in text_of(maya.get("/support?state=closed"))
    assert "Portal colour" not in text_of(maya.get("/support?state=open"))


def test_a_card_number_in_a_question_is_refused_and_not_kept(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    maya.get("/support/new")
    refused = maya.post("/support/new", {"subject": "Card", "text": "4111 1111 1111 1111"})
    assert refused.status_code == 422
    assert "4111" not in refused.text
    assert site.deps.office.support.list_page(site.maya, TicketFilter(), 1).total == 0
