"""Second reveals in the CRM: asking, proving oneself, approving, refusing (M9)."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from chassis.errors import AlreadyRevealed, InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from protos.wayvault.events.v1.events_pb2 import (
    MailSealed,
    PaymentRetrieved,
    SecondRevealDecided,
    SecondRevealRequested,
)
from services.crm.core.actor import Actor, Role
from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.second_reveals.rules import PROOF_LASTS, proof_holds
from services.crm.paying.second_reveals.service import SecondReveal, SecondStatus
from tests.support.crm_paying import ORIGIN, Browser, CrmHouse


@pytest.fixture
def house(crm: CrmHouse) -> CrmHouse:
    allow(crm, True)
    return crm


def allow(crm: CrmHouse, allowed: bool) -> None:
    agency = crm.deps.access.directory.agency(crm.agency_id)
    crm.deps.access.directory.change_agency(
        crm.ada, replace(agency.data, second_reveal=allowed), version=agency.version
    )


def ask(
    crm: CrmHouse, payment_id: str, reason: str = "The supplier's page crashed", agent: Actor | None = None
) -> SecondReveal:
    return crm.deps.paying.second_reveals.ask(agent or crm.maya, payment_id, reason=reason, origin=ORIGIN)


def approve(crm: CrmHouse, second: SecondReveal, admin: Actor | None = None) -> SecondReveal:
    rooms = crm.deps.paying.second_reveals
    sent = rooms.send_code(admin or crm.ada, second.id, request_key=new_id("key"), origin=ORIGIN)
    return rooms.approve(admin or crm.ada, second.id, sealed_request=f"{sent.challenge_id}:sealed", origin=ORIGIN)


def test_second_reveals_are_off_until_the_admin_allows_them(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    with pytest.raises(InvalidArgument, match="does not allow"):
        ask(crm, payment_id)
    assert crm.vault.second_of == {}


def test_asking_mails_every_other_admin_once(house: CrmHouse) -> None:
    second_admin = house._agent(house.agency_id, "Olga Ivanova", "olga@harbour.example", Role.ADMIN)
    payment_id = house.retrieved()
    first = ask(house, payment_id)
    assert ask(house, payment_id, reason="Once more") == first
    (event,) = house.events(SecondRevealRequested)
    assert event.reason == "The supplier's page crashed"
    assert {admin.id for admin in event.admins} == {house.ada.agent_id, second_admin.agent_id}
    assert event.context.payment_id == payment_id


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_needed(house: CrmHouse, reason: str) -> None:
    with pytest.raises(InvalidArgument):
        ask(house, house.retrieved(), reason=reason)


def test_only_a_shown_card_of_an_open_payment_can_be_asked_for(house: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="was shown"):
        ask(house, house.authorized())


def test_a_destroyed_card_can_not_be_asked_for(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    house.deps.paying.removals.by_hand(house.maya, payment_id, typed="REMOVE", origin=ORIGIN)
    with pytest.raises(InvalidArgument, match="destroyed"):
        ask(house, payment_id)


def test_only_the_owner_asks(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    with pytest.raises(NotFound):
        ask(house, payment_id, agent=house.jonas)
    with pytest.raises(PermissionDenied):
        ask(house, payment_id, agent=house.ada)


def test_an_approved_second_reveal_lets_the_card_be_retrieved_once_more(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    second = approve(house, ask(house, payment_id))
    assert second.status is SecondStatus.APPROVED
    assert house.reveal(payment_id).card_token == house.row(payment_id).card_token
    assert house.row(payment_id).state == PaymentState.RETRIEVED
    used = house.deps.paying.second_reveals.of_payment(payment_id)
    assert used is not None
    assert used.status is SecondStatus.USED
    assert len(house.events(PaymentRetrieved)) == 2
    with pytest.raises(AlreadyRevealed):
        house.reveal(payment_id)


def test_without_an_approval_no_code_is_sent(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    ask(house, payment_id)
    with pytest.raises(AlreadyRevealed):
        house.reveal(payment_id)


def test_an_approval_ends_after_half_an_hour(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    approve(house, ask(house, payment_id))
    house.clock.advance(timedelta(minutes=30))
    with pytest.raises(AlreadyRevealed):
        house.reveal(payment_id)
    assert ask(house, payment_id).status is SecondStatus.REQUESTED


def test_the_decision_is_told_to_the_agent_once(house: CrmHouse) -> None:
    second = ask(house, house.retrieved())
    rooms = house.deps.paying.second_reveals
    sent = rooms.send_code(house.ada, second.id, request_key="k", origin=ORIGIN)
    sealed = f"{sent.challenge_id}:sealed"
    first = rooms.approve(house.ada, second.id, sealed_request=sealed, origin=ORIGIN)
    assert rooms.approve(house.ada, second.id, sealed_request=sealed, origin=ORIGIN) == first
    (event,) = house.events(SecondRevealDecided)
    assert (event.approved, event.decided_by) == (True, "Ada Lindqvist")


def test_a_refusal_carries_its_word(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    second = ask(house, payment_id)
    house.deps.paying.second_reveals.refuse(house.ada, second.id, word="Ask the client instead", origin=ORIGIN)
    (event,) = house.events(SecondRevealDecided)
    assert (event.approved, event.word) == (False, "Ask the client instead")
    assert house.vault.refused == [(second.id, house.ada.agent_id, "Ask the client instead")]
    with pytest.raises(InvalidArgument, match="refused already"):
        approve(house, second)


def test_an_admin_cannot_decide_her_own_request(house: CrmHouse) -> None:
    # Ada owns nothing here, so the rule is asked with the request's own agent made an admin.
    second = ask(house, house.retrieved())
    maya_as_admin = replace(house.maya, role=Role.ADMIN)
    rooms = house.deps.paying.second_reveals
    with pytest.raises(PermissionDenied):
        rooms.send_code(maya_as_admin, second.id, request_key="k", origin=ORIGIN)
    with pytest.raises(PermissionDenied):
        rooms.refuse(maya_as_admin, second.id, word="", origin=ORIGIN)


def test_a_request_is_hidden_from_agents_and_other_agencies(house: CrmHouse) -> None:
    second = ask(house, house.retrieved())
    rooms = house.deps.paying.second_reveals
    for stranger in (house.jonas, replace(house.ada, agency_id="agency_other")):
        with pytest.raises(NotFound):
            rooms.get(stranger, second.id)
        with pytest.raises(NotFound):
            rooms.send_code(stranger, second.id, request_key="k", origin=ORIGIN)


def test_switching_the_policy_off_stops_what_is_not_approved(house: CrmHouse) -> None:
    second = ask(house, house.retrieved())
    allow(house, False)
    with pytest.raises(InvalidArgument, match="any more"):
        approve(house, second)


def test_a_reveal_whose_record_was_lost_is_found_again(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    approve(house, ask(house, payment_id))
    house.clock.advance(timedelta(seconds=5))
    reveals = house.deps.paying.reveals
    sent = reveals.send_card_code(house.maya, payment_id, request_key="k2", supplier_ready=True, origin=ORIGIN)
    house.vault.confirm_reveal(
        agent_id=house.maya.agent_id, sealed_request=f"{sent.challenge_id}:sealed", origin=ORIGIN
    )
    reveals.settle()
    used = house.deps.paying.second_reveals.of_payment(payment_id)
    assert used is not None
    assert used.status is SecondStatus.USED


def test_an_approvers_mail_trouble_is_not_shown_to_the_owner(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    second = ask(house, payment_id)
    house.deps.paying.second_reveals.send_code(house.ada, second.id, request_key="k", origin=ORIGIN)
    assert len(house.events(MailSealed)) == 2
    assert house.deps.paying.reveals.latest_problem(payment_id) == ""


def test_a_proof_is_for_one_request_and_ten_minutes(house: CrmHouse) -> None:
    now = house.clock.now()
    proof = {"for": "second_1", "at": int(now.timestamp())}
    assert proof_holds(proof, "second_1", now)
    assert not proof_holds(proof, "second_2", now)
    assert not proof_holds(proof, "second_1", now + PROOF_LASTS)
    for nonsense in (None, {}, {"for": "second_1"}, {"for": "second_1", "at": "now"}, "second_1"):
        assert not proof_holds(nonsense, "second_1", now)


# ---------------------------------------------------------------- the pages


def ready(house: CrmHouse) -> tuple[SecondReveal, Browser, str]:
    """A request, Ada's browser, and her authenticator's secret."""
    second = ask(house, house.retrieved())
    house.deps.access.sign_in.set_password(house.ada.agent_id, "harbour lantern velvet ostrich")
    secret = house.deps.access.sign_in.enrol_new_authenticator(house.ada.agent_id)
    return second, house.browser(house.ada), secret


def test_an_admin_is_told_on_every_page_that_a_request_waits(house: CrmHouse) -> None:
    before = house.browser(house.ada).get("/").text
    ask(house, house.retrieved())
    page = house.browser(house.ada).get("/").text
    assert "An agent waits for you" in page
    assert "An agent waits for you" not in before
    assert re.search(r'Approvals</span><b class="wv-count">1</b>', page)
    assert "An agent waits for you" not in house.browser(house.maya).get("/").text


def test_what_admins_decide_about_is_news_to_each_of_them_and_to_nobody_else(house: CrmHouse) -> None:
    signs, payment_id = house.deps.paying.signs, house.retrieved()
    before = {who.agent_id: signs.of(who).news for who in (house.ada, house.jonas)}
    second = ask(house, payment_id)
    asked = {who.agent_id: signs.of(who).news for who in (house.ada, house.jonas)}
    assert asked[house.ada.agent_id] != before[house.ada.agent_id]
    assert asked[house.jonas.agent_id] == before[house.jonas.agent_id]
    house.deps.paying.second_reveals.refuse(house.ada, second.id, word="No", origin=ORIGIN)
    assert signs.of(house.ada).news != asked[house.ada.agent_id]
    # The rail of every page follows, also where nothing else does.
    for page in ("/", "/approvals", "/agency"):
        assert 'id="wv-rail" aria-label="Main" data-wv-live' in house.browser(house.ada).get(page).text


def current(house: CrmHouse, secret: str) -> str:
    return pyotp.TOTP(secret).at(house.clock.now())


def test_nothing_is_approved_before_a_fresh_authenticator_code(house: CrmHouse) -> None:
    second, browser, secret = ready(house)
    assert "Email me my code" not in browser.get(f"/approvals/{second.id}").text
    assert browser.send(f"/approvals/{second.id}/code", {"request_key": "k"}).status_code == 403
    assert browser.send(f"/approvals/{second.id}/approve", {"jwe": "x"}).status_code == 403
    wrong = browser.post(f"/approvals/{second.id}/prove", {"prove-code": "000000"})
    assert wrong.status_code == 422
    assert "That code is not right" in wrong.text
    assert browser.post(f"/approvals/{second.id}/prove", {"prove-code": current(house, secret)}).status_code == 303
    assert "Email me my code" in browser.get(f"/approvals/{second.id}").text


def test_an_authenticator_code_proves_once(house: CrmHouse) -> None:
    second, browser, secret = ready(house)
    code = current(house, secret)
    assert browser.post(f"/approvals/{second.id}/prove", {"prove-code": code}).status_code == 303
    assert house.browser(house.ada).post(f"/approvals/{second.id}/prove", {"prove-code": code}).status_code == 422


def test_a_proof_is_of_one_session_only(house: CrmHouse) -> None:
    second, browser, secret = ready(house)
    browser.post(f"/approvals/{second.id}/prove", {"prove-code": current(house, secret)})
    other = house.browser(house.ada)
    assert other.send(f"/approvals/{second.id}/code", {"request_key": "k"}).status_code == 403


def test_the_whole_way_by_the_pages(house: CrmHouse) -> None:
    second, browser, secret = ready(house)
    browser.post(f"/approvals/{second.id}/prove", {"prove-code": current(house, secret)})
    sent = browser.send(f"/approvals/{second.id}/code", {"request_key": "k"})
    assert sent.get_json()["kind"] == "approve"
    done = browser.send(f"/approvals/{second.id}/approve", {"jwe": f"{sent.get_json()['challenge_id']}:sealed"})
    assert done.get_json()["accepted"] is True
    assert "approved it" in browser.get(f"/approvals/{second.id}").text
    assert "Retrieve the card once more" in house.browser(house.maya).get(f"/payments/{second.payment_id}").text


def test_the_admins_pages_never_show_a_frame_for_the_card(house: CrmHouse) -> None:
    second, browser, _ = ready(house)
    approve(house, second)
    page = browser.get(f"/payments/{second.payment_id}").text
    assert "retrieve-form" not in page
    assert "Only the agent who owns this payment" in page


def test_agents_find_no_approvals(house: CrmHouse) -> None:
    second, _, _ = ready(house)
    maya = house.browser(house.maya)
    for path in ("/approvals", f"/approvals/{second.id}"):
        assert maya.get(path).status_code == 404
    for path in ("prove", "refuse"):
        assert maya.post(f"/approvals/{second.id}/{path}").status_code == 404


def test_asking_on_the_page_keeps_what_was_typed(house: CrmHouse) -> None:
    payment_id = house.retrieved()
    maya = house.browser(house.maya)
    assert "Ask an admin for a second reveal" in maya.get(f"/payments/{payment_id}").text
    long = "y" * 201
    again = maya.post(f"/payments/{payment_id}/second-reveal", {"second-reason": long})
    assert again.status_code == 422
    assert long in again.text
    assert maya.post(f"/payments/{payment_id}/second-reveal", {"second-reason": "Lost it"}).status_code == 303
    assert "You asked for a second reveal" in maya.get(f"/payments/{payment_id}").text


def test_a_refusal_on_the_page_reaches_the_owner_with_its_word(house: CrmHouse) -> None:
    second, browser, _ = ready(house)
    assert browser.post(f"/approvals/{second.id}/refuse", {"refuse-word": "Call me first"}).status_code == 303
    page = house.browser(house.maya).get(f"/payments/{second.payment_id}").text
    assert "The second reveal was refused" in page
    assert "Call me first" in page
