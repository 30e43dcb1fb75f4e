"""A document is read and signed, by its link or signed in; an insurance offer is answered (C7, C8, P5, P7)."""

import io
import threading
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    ClientMerged,
    DeliverySent,
    EsignOpened,
    EsignRequested,
    EsignSigned,
    EsignWithdrawn,
    InsuranceDecided,
    InsuranceWithdrawn,
)
from services.portal.course import Fact
from services.portal.esign.request_rules import COURSE, RequestKind, RequestState
from services.portal.esign.requests import Signing, TextChanged
from services.portal.esign.rules import Signature, SignatureKind
from services.portal.origin import Origin
from tests.support.portal import PortalWorld, signature_png
from tests.support.portal_papers import (
    OFFER,
    OFFER_TEXT,
    REQUEST,
    TEXT,
    TOKEN,
    form,
    offer_insurance,
    opened,
    request_document,
    signed,
)
from tests.support.portal_people import ALAN, GRACE, signed_in

READ = f"/sign/{REQUEST}/read"


def words_of(pdf: bytes) -> str:
    return " ".join(
        " ".join(page.extract_text().replace("\0", "").split()) for page in PdfReader(io.BytesIO(pdf)).pages
    )


def told(world: PortalWorld, kind: type) -> list[object]:
    return [message for message in world.published() if isinstance(message, kind)]


def test_a_document_is_opened_read_and_signed_without_an_account(world: PortalWorld) -> None:
    request_document(world)
    world.tell(DeliverySent(delivery_id="dlv_1", kind="esign_request", link_id=REQUEST, at=stamp(world.clock.now())))
    browser = opened(world)
    page = browser.get(READ).get_data(as_text=True)
    assert "&lt;b&gt;rain&lt;/b&gt;" in page, "the text is shown as it is, never as markup"
    assert "Maya Okafor" in page
    assert browser.post(READ, data=form()).location.endswith(READ)
    assert "is signed" in browser.get(READ).get_data(as_text=True)

    (event,) = told(world, EsignSigned)
    assert isinstance(event, EsignSigned)
    assert event.text_sha256 == sha256(TEXT.encode()).hexdigest()
    assert event.pdf_sha256 == sha256(event.pdf).hexdigest()
    assert event.signer_name == "Grace Hopper"
    assert event.request_id == REQUEST
    assert browser.get(f"/sign/{REQUEST}/signed.pdf").data == event.pdf
    text = words_of(event.pdf)
    assert "<b>rain</b>" in text
    for step in ("Link made", "Link sent", "Link opened", "Form submitted", "Document signed", "127.0.0.1", "/verify"):
        assert step in text, step
    assert event.document_id in text


def test_the_copy_that_is_mailed_leads_back_to_what_was_signed(world: PortalWorld) -> None:
    request_document(world)
    signed(world)
    letter = world.letters.written[-1]
    assert (letter.template, letter.to) == ("esign_copy", GRACE.email)
    path, _, token = letter.data["url"].partition("#")
    assert path.endswith(f"/sign/{REQUEST}")
    again = opened(world, token=token)
    assert "is signed" in again.get(READ).get_data(as_text=True)


def test_looking_changes_nothing_and_a_wrong_token_opens_nothing(world: PortalWorld) -> None:
    request_document(world)
    browser = world.client()
    for _ in range(3):
        assert browser.get(f"/sign/{REQUEST}").status_code == 200
    assert browser.get(READ).status_code == 303
    assert browser.post(READ, data=form()).status_code == 303
    assert browser.post(f"/sign/{REQUEST}/open", data={"token": "wrong"}).status_code == 403
    assert browser.get(f"/sign/{REQUEST}/signed.pdf").status_code == 303
    assert world.published() == []
    for path in ("/sign/sign_unknown", "/sign/sign_unknown/read", "/sign/sign_unknown/signed.pdf"):
        assert browser.get(path).status_code == 404
    assert browser.post("/sign/sign_unknown/open", data={"token": TOKEN}).status_code == 404


def test_the_agent_is_told_of_the_first_opening_only(world: PortalWorld) -> None:
    request_document(world)
    opened(world)
    opened(world)
    assert len(told(world, EsignOpened)) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"consent": ""}, "Tick the box"),
        ({"signature_text": ""}, "Please sign"),
        ({"signature_text": "..."}, "Please sign"),
        ({"signature_kind": "drawn", "signature_image": "data:,"}, "could not be read"),
    ],
)
def test_without_signature_and_consent_nothing_is_signed_and_what_was_typed_stays(
    world: PortalWorld, changes: dict[str, str], words: str
) -> None:
    request_document(world)
    browser = opened(world)
    answer = browser.post(READ, data=form(**changes))
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert words in page
    assert form(**changes)["signature_text"] in page
    assert told(world, EsignSigned) == []


def test_a_drawn_signature_is_signed_in_the_name_of_who_was_asked(world: PortalWorld) -> None:
    request_document(world)
    drawn = form(signature_kind="drawn", signature_image=signature_png(), signature_text="")
    assert opened(world).post(READ, data=drawn).status_code == 303
    (event,) = told(world, EsignSigned)
    assert isinstance(event, EsignSigned)
    assert (event.signature_kind, event.signer_name) == ("drawn", "Grace Hopper")


def test_signed_from_two_windows_at_once_it_is_signed_once(world: PortalWorld) -> None:
    request_document(world)
    opened(world)
    ready = threading.Barrier(4)
    documents: list[str] = []

    def sign(name: str) -> None:
        ready.wait()
        done = world.deps.sign_requests.sign(
            REQUEST,
            RequestKind.DOCUMENT,
            Signing(
                signature=Signature(kind=SignatureKind.TYPED, signer_name=name),
                origin=Origin(ip="203.0.113.9", user_agent="test"),
            ),
        )
        assert done is not None
        documents.append(done.document_id)

    threads = [threading.Thread(target=sign, args=(f"Grace {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(documents)) == 1
    assert len(documents) == 4
    assert len(told(world, EsignSigned)) == 1


def test_what_was_taken_back_while_it_lay_open_can_not_be_signed(world: PortalWorld) -> None:
    request_document(world)
    browser = opened(world)
    browser.get(READ)
    world.tell(EsignWithdrawn(request_id=REQUEST))
    assert browser.post(READ, data=form()).status_code == 303
    closed = browser.get(READ)
    assert closed.status_code == 410
    assert "took this request back" in closed.get_data(as_text=True)
    assert told(world, EsignSigned) == []


def test_what_was_signed_stays_signed_when_it_is_taken_back_or_sent_again(world: PortalWorld) -> None:
    request_document(world)
    browser = signed(world)
    world.tell(EsignWithdrawn(request_id=REQUEST))
    request_document(world, issue=2, token="another")
    assert "is signed" in browser.get(READ).get_data(as_text=True)
    assert "is signed" in opened(world, token="another").get(READ).get_data(as_text=True)


def test_an_expired_request_says_so_and_a_reminder_opens_it_again_with_old_and_new_link(world: PortalWorld) -> None:
    request_document(world)
    world.clock.advance(timedelta(days=15))
    assert world.client().get(f"/sign/{REQUEST}").status_code == 410
    request_document(world, issue=2, token="the reminder's")
    for token in (TOKEN, "the reminder's"):
        assert opened(world, token=token).get(READ).status_code == 200


def test_an_overtaken_reminder_changes_nothing(world: PortalWorld) -> None:
    request_document(world, issue=2, days=14, token="second")
    request_document(world, issue=1, days=1, token="first")
    world.clock.advance(timedelta(days=3))
    assert opened(world, token="first").get(READ).status_code == 200


def test_a_text_that_is_not_what_its_fingerprint_says_is_refused(world: PortalWorld) -> None:
    message = EsignRequested()
    message.CopyFrom(request_document(world))
    message.request_id, message.text = "sign_other", "Something else."
    with pytest.raises(TextChanged):
        world.tell(message)
    assert world.client().get("/sign/sign_other").status_code == 404


@given(st.lists(st.sampled_from(list(Fact)), max_size=12))
def test_once_signed_always_signed_and_once_taken_back_never_signed(facts: list[Fact]) -> None:
    state, ended = RequestState.ISSUED, None
    for fact in facts:
        state = COURSE.after(state, fact)
        if ended is None and state in (RequestState.SIGNED, RequestState.WITHDRAWN):
            ended = state
        assert ended is None or state is ended


def test_signed_in_a_client_finds_what_waits_counts_it_on_the_tab_and_signs_without_the_link(
    world: PortalWorld,
) -> None:
    browser = signed_in(world)
    request_document(world)
    offer_insurance(world)
    page = browser.get("/sign").get_data(as_text=True)
    assert "Terms and conditions" in page
    assert "Aurora Travel Care" in page
    assert '<b class="wv-count">2</b>' in page
    assert browser.post(f"/sign/{REQUEST}/open").location.endswith(READ)
    assert browser.post(READ, data=form()).status_code == 303
    page = browser.get("/sign").get_data(as_text=True)
    assert '<b class="wv-count">1</b>' in page
    (event,) = told(world, EsignSigned)
    assert isinstance(event, EsignSigned)
    assert browser.get(f"/sign/documents/{event.document_id}.pdf").data == event.pdf


def test_another_client_sees_nothing_of_it(world: PortalWorld) -> None:
    request_document(world)
    signed(world)
    (event,) = told(world, EsignSigned)
    assert isinstance(event, EsignSigned)
    alan = signed_in(world, ALAN, username="alan")
    assert "Terms and conditions" not in alan.get("/sign").get_data(as_text=True)
    assert alan.get(f"/sign/documents/{event.document_id}.pdf").status_code == 404
    assert alan.post(f"/sign/{REQUEST}/open").status_code == 403
    assert alan.get(READ).status_code == 303
    assert world.client().get("/sign").location.startswith("/sign-in")


def test_papers_follow_when_two_clients_become_one(world: PortalWorld) -> None:
    request_document(world, signer=ALAN)
    world.tell(ClientMerged(kept_client_id=GRACE.id, merged_client_id=ALAN.id))
    request_document(world, "sign_later", signer=ALAN, token="later")
    waiting = world.deps.sign_requests.waiting(GRACE.id)
    assert {paper.request_id for paper in waiting} == {REQUEST, "sign_later"}


@pytest.mark.parametrize(("answer", "word"), [("accept", "Accepted"), ("decline", "Declined")])
def test_an_offer_is_answered_and_signed(world: PortalWorld, answer: str, word: str) -> None:
    offer_insurance(world)
    browser = opened(world, f"/insurance/{OFFER}")
    page = browser.get(f"/insurance/{OFFER}/read").get_data(as_text=True)
    assert "US$\u00a0212.00" in page
    assert OFFER_TEXT.split(".")[-2].strip() in page
    unanswered = browser.post(f"/insurance/{OFFER}/read", data=form())
    assert unanswered.status_code == 422
    assert "Say whether you want the insurance." in unanswered.get_data(as_text=True)
    assert browser.post(f"/insurance/{OFFER}/read", data=form(answer="maybe")).status_code == 422
    assert browser.post(f"/insurance/{OFFER}/read", data=form(answer=answer)).status_code == 303
    (event,) = told(world, InsuranceDecided)
    assert isinstance(event, InsuranceDecided)
    assert event.accepted == (answer == "accept")
    assert event.document_id
    assert word in words_of(event.pdf)
    assert word.lower() in browser.get(f"/insurance/{OFFER}/read").get_data(as_text=True)
    assert browser.get(f"/insurance/{OFFER}/signed.pdf").data == event.pdf


def test_an_offer_that_was_taken_back_can_not_be_answered(world: PortalWorld) -> None:
    offer_insurance(world)
    browser = opened(world, f"/insurance/{OFFER}")
    world.tell(InsuranceWithdrawn(offer_id=OFFER))
    browser.post(f"/insurance/{OFFER}/read", data=form(answer="accept"))
    assert told(world, InsuranceDecided) == []


def test_a_document_is_no_insurance_offer_and_the_other_way_round(world: PortalWorld) -> None:
    request_document(world)
    offer_insurance(world)
    assert world.client().get(f"/insurance/{REQUEST}").status_code == 404
    assert world.client().get(f"/sign/{OFFER}").status_code == 404


def test_characters_that_the_pdf_cannot_show_are_named_before_the_document_is_signed(world: PortalWorld) -> None:
    request_document(world)
    assert "can't be printed" not in opened(world).get(READ).get_data(as_text=True)
    request_document(world, "sign_odd", token="odd", text="We ride 𠀁.")
    browser = world.client()
    assert browser.post("/sign/sign_odd/open", data={"token": "odd"}).status_code == 303
    assert "“𠀁” (cjk unified ideograph-20001)" in browser.get("/sign/sign_odd/read").get_data(as_text=True)
