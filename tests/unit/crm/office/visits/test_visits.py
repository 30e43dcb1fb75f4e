"""An agent asks a client for everything at once: one letter, one link, each part under its own room's rules (C18)."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id, token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    DeliveryFailed,
    DeliverySent,
    EsignRequested,
    EsignSigned,
    EsignWithdrawn,
    InsuranceDecided,
    InsuranceOffered,
    InsuranceWithdrawn,
    PaymentLinkIssued,
    PaymentLinkRevoked,
    VisitAsked,
    VisitEnded,
    VisitOpened,
    VisitWithdrawn,
)
from services.crm.office.visits.rules import PartState, Shown, VisitState, can_remind, shown
from services.crm.office.visits.service import Visit, VisitRequest
from services.crm.paying.links.rules import LinkState
from services.crm.signing.esign.rules import RequestState
from tests.support.crm_paying import CrmHouse, signed_pdf
from tests.support.crm_visits import asked_for_all, everything, furnish_library

STATES = st.sampled_from(PartState)


def now(crm: CrmHouse, visit: Visit) -> Visit:
    return crm.deps.office.visits.get(crm.maya, visit.id)


def asked_of(crm: CrmHouse) -> VisitAsked:
    return crm.events(VisitAsked)[-1]


def sign(crm: CrmHouse, request_id: str) -> None:
    crm.hear(EsignSigned(request_id=request_id, document_id=new_id("doc"), pdf=signed_pdf()))


def test_one_letter_and_one_event_ask_for_all_and_the_parts_have_none(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    (letter,) = crm.letters.written
    assert (letter.template, letter.to) == ("visit", "grace@client.example")
    address, _, token = letter.data["url"].partition("#")
    assert address.endswith(f"/visit/{visit.id}")
    event = asked_of(crm)
    assert event.token_sha256 == token_sha256(token)
    assert token.encode() not in event.SerializeToString()
    assert [part.WhichOneof("asked") for part in event.parts] == ["insurance", "document", "document", "payment"]
    assert {part.payment.token_sha256 + part.payment.sealed_mail for part in event.parts} == {""}
    assert {part.document.token_sha256 + part.insurance.token_sha256 for part in event.parts} == {""}
    for alone in (PaymentLinkIssued, EsignRequested, InsuranceOffered):
        assert crm.events(alone) == [], "the visit tells of its parts"
    assert len(visit.parts) == 4
    assert visit.shown is Shown.SENDING


def test_the_parts_are_requests_of_their_rooms_like_any_other(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    booking = crm.deps.trips.bookings.get(crm.maya, crm.booking_id)
    (link,) = crm.deps.paying.links.of_booking(crm.maya, booking.id)
    requests = crm.deps.signing.book.of_booking(booking)
    (offer,) = crm.deps.signing.insurance.of_booking(booking)
    assert {link.visit_id, offer.visit_id, *(each.visit_id for each in requests)} == {visit.id}
    assert {link.expires_at, offer.expires_at, *(each.expires_at for each in requests)} == {visit.expires_at}
    (payment,) = crm.deps.paying.book.of_booking(crm.maya, booking.id)
    assert payment.id == link.payment_id
    # One that is reminded of alone gets a letter and a token of its own.
    crm.deps.signing.requests.remind(crm.maya, requests[0].id, issue=1)
    assert crm.letters.written[-1].template == "esign_request"
    assert crm.events(EsignRequested)[-1].token_sha256


def test_the_same_form_again_asks_once(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    visits = crm.deps.office.visits
    first = visits.send(crm.maya, crm.booking_id, everything(crm, documents))
    again = visits.send(crm.maya, crm.booking_id, everything(crm, documents))
    assert again.id == first.id
    assert again.fresh_url == "", "a link is shown once"
    assert len(crm.letters.written) == 1
    assert len(crm.deps.paying.book.of_booking(crm.maya, crm.booking_id)) == 1


def test_its_letters_fate_is_its_parts_too(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    crm.hear(DeliverySent(kind="visit", link_id=visit.id, at=stamp(crm.clock.now())))
    assert now(crm, visit).shown is Shown.SENT
    (link,) = crm.deps.paying.links.of_booking(crm.maya, crm.booking_id)
    assert link.state is LinkState.SENT
    crm.hear(DeliveryFailed(kind="visit", link_id=visit.id, reason="The mailbox is full."))
    assert "full" in now(crm, visit).delivery_problem


def test_what_is_answered_shows_and_the_end_is_told(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    crm.hear(VisitOpened(visit_id=visit.id, at=stamp(crm.clock.now())))
    assert now(crm, visit).shown is Shown.OPENED
    event = asked_of(crm)
    crm.hear(InsuranceDecided(offer_id=event.parts[0].insurance.offer_id, accepted=True, document_id=new_id("doc")))
    sign(crm, event.parts[1].document.request_id)
    assert now(crm, visit).shown is Shown.PARTLY
    assert (now(crm, visit).done, now(crm, visit).parts[0].outcome) == (2, "Accepted")
    sign(crm, event.parts[2].document.request_id)
    crm.deps.paying.links.withdraw(crm.maya, event.parts[3].payment.link_id)
    assert now(crm, visit).shown is Shown.DONE
    crm.hear(VisitEnded(visit_id=visit.id, left_out=1))
    assert now(crm, visit).state is VisitState.OPENED
    crm.hear(VisitEnded(visit_id=visit.id))
    assert now(crm, visit).state is VisitState.DONE
    assert not now(crm, visit).can_remind


def test_a_reminder_asks_for_what_is_left_with_fresh_time_and_a_second_click_for_nothing(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    sign(crm, asked_of(crm).parts[1].document.request_id)
    crm.clock.advance(timedelta(days=3))
    again = crm.deps.office.visits.remind(crm.maya, visit.id, issue=1)
    assert again.expires_at == crm.clock.now() + timedelta(days=7)
    event = asked_of(crm)
    assert event.issue == 2
    assert [part.WhichOneof("asked") for part in event.parts] == ["insurance", "document", "payment"]
    assert event.parts[1].document.issue == 2
    crm.deps.office.visits.remind(crm.maya, visit.id, issue=1)
    assert len(crm.letters.written) == 2


def test_what_ran_out_is_sent_again_to_the_address_of_today(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    crm.clock.advance(timedelta(days=8))
    rooms = (crm.deps.paying.links, crm.deps.signing.requests, crm.deps.signing.insurance, crm.deps.office.visits)
    assert [room.expire_due() for room in rooms] == [1, 2, 1, 1]
    assert now(crm, visit).shown is Shown.EXPIRED
    grace = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    mended = replace(grace.data, email="grace@mended.example")
    crm.deps.sales.clients.change(crm.maya, grace.id, mended, version=grace.version)
    crm.deps.office.visits.remind(crm.maya, visit.id, issue=1)
    assert crm.letters.written[-1].to == "grace@mended.example"
    event = asked_of(crm)
    assert {event.client.email, event.parts[-1].payment.context.payer.email} == {"grace@mended.example"}
    assert now(crm, visit).shown is Shown.SENDING


def test_taken_back_as_a_whole_what_was_signed_stays(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    signed = asked_of(crm).parts[1].document.request_id
    sign(crm, signed)
    withdrawn = crm.deps.office.visits.withdraw(crm.maya, visit.id)
    assert withdrawn.state is VisitState.WITHDRAWN
    assert [len(crm.events(kind)) for kind in (VisitWithdrawn, PaymentLinkRevoked, InsuranceWithdrawn)] == [1, 1, 1]
    assert len(crm.events(EsignWithdrawn)) == 1
    kept, _ = crm.deps.signing.book.get(crm.maya, signed)
    assert kept.state is RequestState.SIGNED
    assert (now(crm, visit).shown, now(crm, visit).done) == (Shown.WITHDRAWN, 1)
    crm.deps.office.visits.withdraw(crm.maya, visit.id)
    with pytest.raises(InvalidArgument):
        crm.deps.office.visits.remind(crm.maya, visit.id, issue=1)


def test_what_can_not_be_asked_for_is_refused_and_nothing_is_left_half_asked(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    visits, wanted = crm.deps.office.visits, everything(crm, documents)
    with pytest.raises(InvalidArgument):
        visits.send(crm.maya, crm.booking_id, VisitRequest(request_key="k", client_id=crm.grace_id))
    with pytest.raises(InvalidArgument):
        visits.send(crm.maya, crm.booking_id, replace(wanted, client_id=crm.tim_id))  # travels without an address
    with pytest.raises(InvalidArgument):
        visits.send(crm.maya, crm.booking_id, replace(wanted, document_ids=[*documents, "template_unknown"]))
    assert crm.events(VisitAsked) == []
    assert crm.deps.paying.book.of_booking(crm.maya, crm.booking_id) == []
    with pytest.raises(PermissionDenied):
        visits.send(crm.ada, crm.booking_id, wanted)
    with pytest.raises(NotFound):
        visits.send(crm.jonas, crm.booking_id, wanted)


def test_only_its_agent_acts_on_it_and_an_admin_may_look(crm: CrmHouse) -> None:
    visit = asked_for_all(crm)
    visits = crm.deps.office.visits
    assert visits.get(crm.ada, visit.id).id == visit.id
    assert [each.id for each in visits.newest(crm.ada)] == [visit.id]
    assert visits.newest(crm.jonas) == []
    for who, refusal in ((crm.ada, PermissionDenied), (crm.jonas, NotFound)):
        with pytest.raises(refusal):
            visits.remind(who, visit.id, issue=1)
        with pytest.raises(refusal):
            visits.withdraw(who, visit.id)


@given(st.sampled_from(VisitState), st.lists(STATES, min_size=1, max_size=6))
def test_how_far_a_visit_is_follows_from_its_parts(state: VisitState, parts: list[PartState]) -> None:
    said = shown(state, parts)
    waits = PartState.WAITING in parts
    assert waits == (said in {Shown.SENDING, Shown.SENT, Shown.OPENED, Shown.PARTLY})
    assert (said is Shown.PARTLY) == (waits and PartState.DONE in parts)
    if said is Shown.DONE:
        assert PartState.DONE in parts
        assert not can_remind(state, parts)


# ------------------------------------------------------------------ the pages
def form_of(crm: CrmHouse, documents: list[str], **changes: object) -> dict[str, object]:
    typed: dict[str, object] = {
        "request_key": "a form's key of its own",
        "client_id": crm.grace_id,
        "ask_insurance": "y",
        "plan": "Voyager Care",
        "price": "212.00",
        "document_ids": documents,
        "ask_payment": "y",
        "type": "deposit",
        "segment_id": crm.segment_id,
        "amount": "1240.00",
        "purpose": "Deposit for your cabin",
    }
    return typed | changes


def test_the_form_previews_the_letter_and_then_sends_it(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    maya = crm.browser(crm.maya)
    assert "Ask for everything at once" in maya.get(f"/bookings/{crm.booking_id}").text
    path = f"/visits/new/{crm.booking_id}"
    assert maya.get(path).status_code == 200
    preview = maya.post(path, form_of(crm, documents, look="yes", overpay_ok="y"))
    assert "Nothing was sent yet" in preview.text
    assert "Read and sign “House rules”" in preview.text
    assert crm.letters.written == []
    sent = maya.post(path, form_of(crm, documents, overpay_ok="y"))
    assert sent.status_code == 303, sent.text
    page = maya.get(f"/bookings/{crm.booking_id}").text
    assert "0 of 4 done" in page
    assert "0 of 4 done" in maya.get("/links").text


def test_what_is_not_asked_for_need_not_be_filled_in_and_what_is_must(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    maya = crm.browser(crm.maya)
    path = f"/visits/new/{crm.booking_id}"
    nothing = maya.post(path, {"request_key": "a form's key of its own", "client_id": crm.grace_id})
    assert nothing.status_code == 422
    assert "Choose what you ask for" in nothing.text
    lacking = maya.post(path, form_of(crm, documents, plan="", amount="", purpose=""))
    assert lacking.status_code == 422
    for words in ("Name the plan", "Enter the amount", "Say what the payment is for"):
        assert words in lacking.text, words
    only = {"request_key": "a form's key of its own", "client_id": crm.grace_id, "document_ids": documents}
    assert maya.post(path, only).status_code == 303
    assert [part.WhichOneof("asked") for part in asked_of(crm).parts] == ["document", "document"]


def test_what_was_typed_without_its_tick_is_asked_about_where_no_page_hid_it(crm: CrmHouse) -> None:
    """A browser without :has hides nothing; what a page hid was left out on purpose."""
    documents = furnish_library(crm)
    maya = crm.browser(crm.maya)
    path = f"/visits/new/{crm.booking_id}"
    assert 'name="parts_shown" type="hidden" value="all"' in maya.get(path).text
    without = form_of(crm, documents, overpay_ok="y")
    del without["ask_insurance"]
    asked = html.unescape(maya.post(path, without).text)
    for field, typed in (("plan", "Voyager Care"), ("price", "212.00")):
        beside = asked.partition(f'id="{field}-error"')[2].partition("</p>")[0]
        assert "“An insurance answer” is not ticked, so this would not be asked for." in beside
        assert f'value="{typed}"' in asked
    assert crm.letters.written == []
    assert maya.post(path, without | {"parts_shown": "ticked"}).status_code == 303
    assert "offer" not in [part.WhichOneof("asked") for part in asked_of(crm).parts]


def test_what_the_form_filled_in_itself_is_not_asked_about(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    maya = crm.browser(crm.maya)
    path = f"/visits/new/{crm.booking_id}"
    shown = maya.get(path).text
    amount, purpose = (re.search(f'<input[^>]*name="{name}"[^>]*>', shown) for name in ("amount", "purpose"))
    filled = {
        name: html.unescape(found[1]) if field and (found := re.search('value="([^"]*)"', field[0])) else ""
        for name, field in (("amount", amount), ("purpose", purpose))
    }
    assert filled["amount"]
    only = form_of(crm, documents, **filled)
    del only["ask_payment"]
    assert maya.post(path, only).status_code == 303


def test_a_payment_that_does_not_fit_is_asked_about_first(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    maya = crm.browser(crm.maya)
    path = f"/visits/new/{crm.booking_id}"
    doubted = maya.post(path, form_of(crm, documents, amount="999999.00"))
    assert doubted.status_code == 422
    assert "Send it all the same" in doubted.text
    assert crm.letters.written == []


def test_a_double_click_asks_once_and_is_not_asked_about_its_own_payment(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    maya = crm.browser(crm.maya)
    path = f"/visits/new/{crm.booking_id}"
    first = maya.post(path, form_of(crm, documents, overpay_ok="y"))
    again = maya.post(path, form_of(crm, documents))
    assert (first.status_code, again.status_code) == (303, 303)
    assert len(crm.letters.written) == 1


def test_the_link_is_shown_once_and_buttons_remind_and_take_back(crm: CrmHouse) -> None:
    documents = furnish_library(crm)
    maya = crm.browser(crm.maya)
    shown_once = maya.post(f"/visits/new/{crm.booking_id}", form_of(crm, documents, show="yes", overpay_ok="y"))
    assert crm.letters.written[-1].data["url"] in shown_once.text
    visit_id = asked_of(crm).visit_id
    for _ in range(2):
        assert maya.post(f"/visits/{visit_id}/remind", {"issue": "1", "from": "links"}).location.endswith(
            "/links#visits"
        )
    assert len(crm.letters.written) == 2
    assert maya.post(f"/visits/{visit_id}/withdraw").status_code == 303
    assert "Taken back" in maya.get(f"/bookings/{crm.booking_id}").text
