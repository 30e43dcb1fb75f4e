"""What the CRM sends to be signed the portal lets sign; what was signed there the CRM keeps, byte for byte (C7, C8)."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from google.protobuf.message import Message

from protos.wayvault.events.v1.events_pb2 import EsignSigned, InsuranceDecided, VisitEnded
from services.crm.office.visits.rules import Shown
from services.crm.office.visits.service import VisitRequest
from services.crm.signing.esign.rules import DocumentKind, RequestState, Required
from services.crm.signing.esign.service import SendRequest, TemplateData
from services.crm.signing.insurance.service import OfferRequest, OfferState
from tests.support.crm_paying import OpenLetters, usd
from tests.support.crm_people import published, tell
from tests.support.crm_site import CrmSite
from tests.support.portal import PortalWorld
from tests.support.portal_papers import form


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmSite]:
    made = CrmSite(tmp_path)
    yield made
    made.close()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[PortalWorld]:
    made = PortalWorld(tmp_path)
    yield made
    made.close()


def carry(crm: CrmSite, portal: PortalWorld) -> str:
    """Brings the CRM's newest event and its letter over; the letter's link, as far as its path and token."""
    portal.tell(published(crm)[-1])
    letters = crm.deps.signing.requests._issuing._letters  # the fake that bootstrap was given
    assert isinstance(letters, OpenLetters)
    return "/" + letters.written[-1].data["url"].split("/", 3)[3]


def answer(portal: PortalWorld, link: str, **fields: str) -> Message:
    """The client opens the link and signs; what the portal tells of it."""
    path, _, token = link.partition("#")
    browser = portal.client()
    assert browser.post(f"{path}/open", data={"token": token}).status_code == 303
    assert browser.post(f"{path}/read", data=form(**fields)).status_code == 303
    return portal.published()[-1]


def test_a_document_goes_there_and_its_signed_pdf_comes_back(crm: CrmSite, portal: PortalWorld) -> None:
    signing = crm.deps.signing
    template = signing.library.create(crm.maya, TemplateData(title="House rules", body="{ClientName} agrees."))
    wanted = SendRequest(request_key="a form's own key", template_id=template.id, client_ids=[crm.client.id])
    (asked,) = signing.requests.send(crm.maya, crm.booking.id, wanted)
    event = answer(portal, carry(crm, portal))
    assert isinstance(event, EsignSigned)
    assert event.text_sha256 == asked.text_sha256
    tell(crm, event)
    kept, paper = signing.book.get(crm.maya, asked.id)
    assert kept.state is RequestState.SIGNED
    assert paper is not None
    pdf = signing.book.pdf(crm.maya, asked.id)
    assert pdf == portal.deps.documents.pdf_of_request(asked.id)
    assert sha256(pdf).hexdigest() == paper.pdf_sha256 == event.pdf_sha256
    known = portal.deps.documents.known_by_hash(paper.pdf_sha256)
    assert known is not None
    assert known.document_id == paper.id


def test_a_reminder_and_a_withdrawal_reach_the_portal(crm: CrmSite, portal: PortalWorld) -> None:
    signing = crm.deps.signing
    template = signing.library.create(crm.maya, TemplateData(title="House rules", body="{ClientName} agrees."))
    wanted = SendRequest(request_key="a form's own key", template_id=template.id, client_ids=[crm.client.id])
    (asked,) = signing.requests.send(crm.maya, crm.booking.id, wanted)
    carry(crm, portal)
    signing.requests.remind(crm.maya, asked.id, issue=1)
    path, _, token = carry(crm, portal).partition("#")
    assert portal.client().post(f"{path}/open", data={"token": token}).status_code == 303
    signing.requests.withdraw(crm.maya, asked.id)
    carry(crm, portal)
    assert portal.client().get(path).status_code == 410


def test_an_offer_goes_there_and_its_answer_comes_back(crm: CrmSite, portal: PortalWorld) -> None:
    library, insurance = crm.deps.signing.library, crm.deps.signing.insurance
    text = library.of_kind(crm.ada, DocumentKind.INSURANCE)
    data = TemplateData(title=text.title, body="{PlanName} at {PlanPrice}.", required=Required.NEVER)
    library.change(crm.ada, text.id, data, version=text.version)
    wanted = OfferRequest(request_key="key", client_ids=[crm.client.id], plan="Voyager Care", price=usd(212_00))
    (made,) = insurance.offer(crm.maya, crm.booking.id, wanted)
    event = answer(portal, carry(crm, portal), answer="decline")
    assert isinstance(event, InsuranceDecided)
    tell(crm, event)
    assert insurance.of_booking(crm.booking)[0].state is OfferState.DECLINED
    assert insurance.pdf(crm.maya, made.id) == portal.deps.documents.pdf_of_request(made.id)


def test_a_visit_goes_there_is_given_in_one_go_and_comes_back_whole(crm: CrmSite, portal: PortalWorld) -> None:
    signing, visits = crm.deps.signing, crm.deps.office.visits
    documents = [
        signing.library.create(crm.maya, TemplateData(title=title, body="{ClientName} agrees.")).id
        for title in ("House rules", "Checklist")
    ]
    wanted = VisitRequest(request_key="a form's own key", client_id=crm.client.id, document_ids=documents)
    visit = visits.send(crm.maya, crm.booking.id, wanted)
    path, _, token = carry(crm, portal).partition("#")
    assert path == f"/visit/{visit.id}"
    browser = portal.client()
    assert browser.post(f"{path}/open", data={"token": token}).status_code == 303
    for part in visit.parts:
        assert browser.post(f"/sign/{part.id}/read", data=form()).status_code == 303
    portal.deps.visits.settle()
    events = portal.published()
    assert isinstance(events[-1], VisitEnded)
    tell(crm, *events)
    kept = visits.get(crm.maya, visit.id)
    assert (kept.shown, kept.done) == (Shown.DONE, 2)
    # Asked for in one moment of the test's clock, they are in no order of their own here.
    assert {copy.pdf for copy in events[-1].copies} == {signing.book.pdf(crm.maya, part.id) for part in visit.parts}
