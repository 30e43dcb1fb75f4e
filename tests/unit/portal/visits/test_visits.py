"""A visit: one link to all that is asked, given part by part in any order, one mail with the copies (C18)."""

from datetime import timedelta

import pytest

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    DeliverySent,
    DocumentSigned,
    EsignOpened,
    EsignSigned,
    EsignWithdrawn,
    InsuranceDecided,
    PaymentAuthorized,
    PaymentLinkOpened,
    PaymentLinkRevoked,
    VisitEnded,
    VisitOpened,
    VisitWithdrawn,
)
from tests.support.portal import LINK, TOKEN, PortalWorld
from tests.support.portal_papers import OFFER, REQUEST, request_document
from tests.support.portal_people import ALAN, GRACE, signed_in
from tests.support.portal_visits import SECOND, VISIT, ask_for_all, pay_part, sign_part, visitor
from tests.unit.portal.esign.test_signing import told, words_of

ALL = f"/visit/{VISIT}/all"
ON_FILE = {"signature_kind": "on_file", "signature_reuse": "y", "signature_text": ""}


def first_signature(world: PortalWorld) -> str:
    found = world.deps.on_file.of(GRACE.id, "agy_1")
    assert found is not None
    return found.document_id


def test_one_link_leads_through_all_parts_and_one_mail_brings_all_copies(world: PortalWorld) -> None:
    ask_for_all(world)
    world.tell(DeliverySent(delivery_id="dlv_1", kind="visit", link_id=VISIT, at=stamp(world.clock.now())))
    browser = visitor(world)
    page = browser.get(ALL).get_data(as_text=True)
    assert "0 of 4 done" in page
    assert "Aurora Travel Care" in page
    assert "US$\u00a01,240.00" in page
    assert sign_part(browser, OFFER, answer="accept").endswith(f"/sign/{REQUEST}/read")
    # The signature was adopted with the first part; each further one is an act of its own, with its own consent.
    adopted = ON_FILE | {"signature_document": first_signature(world)}
    assert "Step 2 of 4" in browser.get(f"/sign/{REQUEST}/read").get_data(as_text=True)
    assert sign_part(browser, REQUEST, **adopted).endswith(f"/sign/{SECOND}/read")
    assert sign_part(browser, SECOND, **adopted).endswith(f"/pay/{LINK}/authorize")
    assert not told(world, VisitEnded)
    assert pay_part(world, browser, **adopted).endswith(ALL)
    assert "All is done" in browser.get(ALL).get_data(as_text=True)

    assert world.deps.visits.settle() == 1
    assert world.deps.visits.settle() == 0
    (ended,) = told(world, VisitEnded)
    assert isinstance(ended, VisitEnded)
    assert [copy.name for copy in ended.copies] == [
        "1-insurance-answer.pdf",
        "2-signed-document.pdf",
        "3-signed-document.pdf",
        "4-credit-card-authorization.pdf",
    ]
    assert ended.left_out == 0
    for kind in (EsignSigned, InsuranceDecided, DocumentSigned):
        for event in told(world, kind):
            assert event.visit_id == VISIT, "the client's copy comes at the end"  # type: ignore[attr-defined]
            assert event.pdf in [copy.pdf for copy in ended.copies]  # type: ignore[attr-defined]
    assert len(told(world, PaymentAuthorized)) == 1
    assert [len(told(world, kind)) for kind in (VisitOpened, PaymentLinkOpened, EsignOpened)] == [1, 1, 2]
    assert world.letters.written[-1].template == "visit_copy"


def test_each_certificate_lists_the_visits_link_as_made_sent_and_opened(world: PortalWorld) -> None:
    world.tell(DeliverySent(delivery_id="dlv_1", kind="visit", link_id=VISIT, at=stamp(world.clock.now())))
    ask_for_all(world)
    browser = visitor(world)
    sign_part(browser, REQUEST)
    text = words_of(browser.get(f"/sign/{REQUEST}/signed.pdf").data)
    for step in ("Link made", "Link sent", "Link opened", "Form submitted", "Document signed"):
        assert text.count(step) == 1, step


def test_consent_is_asked_for_each_part_anew(world: PortalWorld) -> None:
    ask_for_all(world)
    browser = visitor(world)
    sign_part(browser, REQUEST)
    adopted = ON_FILE | {"signature_document": first_signature(world)}
    for lacking in ("consent", "signature_reuse"):
        form = {"consent": "y", **adopted}
        form.pop(lacking)
        assert browser.post(f"/sign/{SECOND}/read", data=form).status_code == 422, lacking
    assert len(told(world, EsignSigned)) == 1


def test_a_browser_that_was_closed_goes_on_where_it_was(world: PortalWorld) -> None:
    ask_for_all(world)
    sign_part(visitor(world), OFFER, answer="decline")
    landing = world.client().get(f"/visit/{VISIT}").get_data(as_text=True)
    assert "1 of 4 done" in landing
    again = visitor(world)
    page = again.get(ALL).get_data(as_text=True)
    assert "Declined" in page
    assert f"/sign/{REQUEST}/read" in page
    assert len(told(world, VisitOpened)) == 1


def test_the_parts_are_nobody_elses_and_lead_to_the_visits_own_link(world: PortalWorld) -> None:
    ask_for_all(world)
    stranger = world.client()
    assert stranger.post(f"/visit/{VISIT}/open", data={"token": "another"}).status_code == 403
    assert stranger.post(f"/visit/{VISIT}/open", data={"token": ""}).status_code == 403
    for path in (f"/sign/{REQUEST}/open", f"/insurance/{OFFER}/open", f"/pay/{LINK}/open"):
        assert stranger.post(path, data={"token": ""}).status_code == 403, path
    for path in (ALL, f"/sign/{REQUEST}/read", f"/insurance/{OFFER}/read", f"/pay/{LINK}/authorize"):
        assert stranger.get(path).location.endswith(f"/visit/{VISIT}"), path
    alan = signed_in(world, ALAN, username="alan")
    assert alan.get(ALL).location.endswith(f"/visit/{VISIT}")
    assert alan.post(f"/visit/{VISIT}/open").status_code == 403
    assert not told(world, VisitOpened)


def test_the_client_who_is_signed_in_needs_no_link(world: PortalWorld) -> None:
    ask_for_all(world)
    grace = signed_in(world)
    assert grace.post(f"/visit/{VISIT}/open").status_code == 303
    assert "What Maya Okafor asks you for" in grace.get(ALL).get_data(as_text=True)
    assert sign_part(grace, REQUEST).endswith(f"/sign/{SECOND}/read")


def test_what_is_taken_back_or_runs_out_is_said_and_the_rest_goes_on(world: PortalWorld) -> None:
    ask_for_all(world)
    browser = visitor(world)
    world.tell(PaymentLinkRevoked(link_id=LINK, payment_id="pay_first"))
    world.tell(EsignWithdrawn(request_id=REQUEST))
    page = browser.get(ALL).get_data(as_text=True)
    assert page.count("Not needed any more") == 2
    assert sign_part(browser, OFFER, answer="accept").endswith(f"/sign/{SECOND}/read")
    assert "Go on" in browser.get(f"/sign/{REQUEST}/read").get_data(as_text=True)
    assert sign_part(browser, SECOND).endswith(ALL)
    assert "There is nothing more to do" in browser.get(ALL).get_data(as_text=True)
    world.deps.visits.settle()
    (ended,) = told(world, VisitEnded)
    assert isinstance(ended, VisitEnded)
    assert (len(ended.copies), ended.left_out) == (2, 2)


def test_time_runs_out_and_what_was_signed_is_mailed(world: PortalWorld) -> None:
    ask_for_all(world)
    browser = visitor(world)
    sign_part(browser, SECOND)
    assert world.deps.visits.settle() == 0
    world.clock.advance(timedelta(days=7, seconds=1))
    assert world.deps.visits.settle() == 1
    (ended,) = told(world, VisitEnded)
    assert isinstance(ended, VisitEnded)
    assert (len(ended.copies), ended.left_out) == (1, 3)
    assert world.client().get(f"/visit/{VISIT}").status_code == 200, "the copies stay within reach"


def test_nothing_is_mailed_where_nothing_was_signed(world: PortalWorld) -> None:
    ask_for_all(world)
    world.clock.advance(timedelta(days=7, seconds=1))
    assert world.deps.visits.settle() == 1
    assert not told(world, VisitEnded)
    assert world.client().get(f"/visit/{VISIT}").status_code == 410
    assert world.client().post(f"/visit/{VISIT}/open", data={"token": TOKEN}).status_code == 410


def test_a_visit_that_is_sent_again_begins_anew_and_keeps_what_was_done(world: PortalWorld) -> None:
    ask_for_all(world)
    sign_part(visitor(world), SECOND)
    world.clock.advance(timedelta(days=8))
    world.deps.visits.settle()
    ask_for_all(world, issue=2, token="the reminder's token")
    browser = visitor(world, token="the reminder's token")
    assert "1 of 4 done" in browser.get(ALL).get_data(as_text=True)
    visitor(world, token=TOKEN)
    sign_part(browser, OFFER, answer="accept")
    assert told(world, InsuranceDecided)[-1].visit_id == VISIT  # type: ignore[attr-defined]


def test_a_part_that_is_answered_after_the_visits_end_is_told_alone(world: PortalWorld) -> None:
    ask_for_all(world)
    world.clock.advance(timedelta(days=8))
    world.deps.visits.settle()
    request_document(world, REQUEST, token="its own", issue=2)
    browser = world.client()
    assert browser.post(f"/sign/{REQUEST}/open", data={"token": "its own"}).status_code == 303
    sign_part(browser, REQUEST)
    (event,) = told(world, EsignSigned)
    assert isinstance(event, EsignSigned)
    assert event.visit_id == ""


def test_a_withdrawn_visit_ends_at_once_with_what_was_signed(world: PortalWorld) -> None:
    ask_for_all(world)
    sign_part(visitor(world), OFFER, answer="accept")
    world.deps.visits.settle()
    for event in (
        EsignWithdrawn(request_id=REQUEST),
        EsignWithdrawn(request_id=SECOND),
        PaymentLinkRevoked(link_id=LINK),
        VisitWithdrawn(visit_id=VISIT),
    ):
        world.tell(event)
    assert world.deps.visits.settle() == 1
    assert len(told(world, VisitEnded)) == 1


@pytest.mark.parametrize("part", [REQUEST, OFFER])
def test_the_same_form_again_signs_once_and_leads_on(world: PortalWorld, part: str) -> None:
    ask_for_all(world)
    browser = visitor(world)
    sign_part(browser, part, answer="accept")
    sign_part(browser, part, answer="accept")
    assert len(told(world, EsignSigned)) + len(told(world, InsuranceDecided)) == 1


def test_a_copy_that_can_not_be_printed_holds_up_no_other_visit(
    world: PortalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for_all(world)
    ask_for_all(world, "visit_second", token="second", ids=("offer_2", "sign_21", "sign_22", "lnk_2"))
    sign_part(visitor(world), OFFER, answer="accept")
    sign_part(visitor(world, "visit_second", "second"), "offer_2", answer="accept")
    world.clock.advance(timedelta(days=8))
    print_now = world.deps.documents.pdf_of_request

    def jammed(request_id: str) -> bytes | None:
        if request_id == OFFER:
            raise ValueError("no paper")
        return print_now(request_id)

    monkeypatch.setattr(world.deps.documents, "pdf_of_request", jammed)
    assert world.deps.visits.settle() == 1
    monkeypatch.undo()
    assert world.deps.visits.settle() == 0
    world.clock.advance(timedelta(seconds=31))
    assert world.deps.visits.settle() == 1
    assert len(told(world, VisitEnded)) == 2


def test_a_visit_told_twice_is_one(world: PortalWorld) -> None:
    message = ask_for_all(world)
    world.tell(message)
    visit = world.deps.visits.find(VISIT)
    assert visit is not None
    assert [part.part_id for part in visit.parts] == [OFFER, REQUEST, SECOND, LINK]
