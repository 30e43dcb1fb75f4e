"""Travel insurance: offered to passengers, answered with a signature, seen on the booking (C7)."""

import re
from datetime import timedelta
from hashlib import sha256

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id, token_sha256
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.events.v1.events_pb2 import DeliverySent, InsuranceDecided, InsuranceOffered, InsuranceWithdrawn
from services.crm.signing.esign.rules import DocumentKind, Required
from services.crm.signing.esign.service import TemplateData
from services.crm.signing.insurance.events import UnknownOffer
from services.crm.signing.insurance.service import Offer, OfferRequest, OfferState
from services.crm.trips.bookings.service import SegmentData, SegmentKind
from tests.support.crm_paying import usd
from tests.support.crm_people import published, tell
from tests.support.crm_site import CrmSite, text_of

PDF = b"%PDF-1.7 answered"
TEXT = "{ClientName} is offered {PlanName} for {PlanPrice}."


@pytest.fixture(autouse=True)
def text(site: CrmSite) -> None:
    """A text that this booking can fill."""
    library = site.deps.signing.library
    found = library.of_kind(site.ada, DocumentKind.INSURANCE)
    data = TemplateData(title=found.title, body=TEXT, required=Required.NEVER)
    library.change(site.ada, found.id, data, version=found.version)


def offer(site: CrmSite, *, key: str = "a form's own key, made with it") -> Offer:
    wanted = OfferRequest(request_key=key, client_ids=[site.client.id], plan="Voyager Care", price=usd(212_00))
    (made,) = site.deps.signing.insurance.offer(site.maya, site.booking.id, wanted)
    return made


def decided(site: CrmSite, made: Offer, *, accepted: bool = True) -> InsuranceDecided:
    return InsuranceDecided(
        offer_id=made.id,
        accepted=accepted,
        signer_name="Eleanor Whitcombe",
        signature_kind="drawn",
        at=stamp(site.clock.now()),
        origin=Origin(ip="203.0.113.9"),
        pdf=PDF,
        pdf_sha256=sha256(PDF).hexdigest(),
        document_id="doc_1",
    )


def state_of(site: CrmSite) -> OfferState:
    return site.deps.signing.insurance.of_booking(site.booking)[0].state


def test_the_offer_goes_out_once_with_its_exact_text_and_a_token_in_the_letter_only(site: CrmSite) -> None:
    made = offer(site)
    assert offer(site).id == made.id
    (event,) = [message for message in published(site) if isinstance(message, InsuranceOffered)]
    assert event.text == "Eleanor Whitcombe is offered Voyager Care for US$212.00." or "US$" in event.text
    assert event.text_sha256 == sha256(event.text.encode()).hexdigest()
    assert event.template_version == "Travel insurance offer v2"
    assert event.price.minor == 212_00
    letter = site.deps.signing.insurance._letters.written[-1]  # type: ignore[attr-defined]  # the tests' fake
    path, _, token = letter.data["url"].partition("#")
    assert path.endswith(f"/insurance/{made.id}")
    assert event.token_sha256 == token_sha256(token)


@pytest.mark.parametrize("accepted", [True, False])
def test_the_answer_with_its_signature_is_kept_and_shown_on_the_booking(site: CrmSite, accepted: bool) -> None:
    made = offer(site)
    tell(site, DeliverySent(kind="insurance_offer", link_id=made.id, at=stamp(site.clock.now())))
    assert state_of(site) is OfferState.SENT
    event = decided(site, made, accepted=accepted)
    tell(site, event, event)
    assert state_of(site) is (OfferState.ACCEPTED if accepted else OfferState.DECLINED)
    assert site.deps.signing.insurance.pdf(site.maya, made.id) == PDF
    page = text_of(site.signed_in(site.maya).get(f"/bookings/{site.booking.id}"))
    assert "Voyager Care" in page
    assert ("Accepted" if accepted else "Declined") in page
    with pytest.raises(InvalidArgument, match="answered already"):
        site.deps.signing.insurance.withdraw(site.maya, made.id)


def test_taken_back_it_is_told_once_and_an_answer_that_crossed_it_stands(site: CrmSite) -> None:
    made = offer(site)
    for _ in range(2):
        site.deps.signing.insurance.withdraw(site.maya, made.id)
    assert len([message for message in published(site) if isinstance(message, InsuranceWithdrawn)]) == 1
    tell(site, decided(site, made, accepted=False))
    assert state_of(site) is OfferState.DECLINED


def test_it_expires_and_can_be_sent_again(site: CrmSite) -> None:
    made = offer(site)
    site.clock.advance(timedelta(days=15))
    assert site.deps.signing.insurance.expire_due() == 1
    assert state_of(site) is OfferState.EXPIRED
    again = site.deps.signing.insurance.remind(site.maya, made.id, issue=1)
    assert site.deps.signing.insurance.remind(site.maya, made.id, issue=1).issue == again.issue == 2
    assert state_of(site) is OfferState.ISSUED


def test_strangers_and_unknown_offers(site: CrmSite) -> None:
    made = offer(site)
    insurance = site.deps.signing.insurance
    with pytest.raises(NotFound):
        insurance.withdraw(site.jonas, made.id)
    with pytest.raises(PermissionDenied):
        insurance.withdraw(site.ada, made.id)
    with pytest.raises(UnknownOffer):
        tell(site, decided(site, made), agency_id="agency_other")
    jonas = site.signed_in(site.jonas)
    for address in (f"/insurance/{made.id}/remind", f"/insurance/{made.id}/withdraw"):
        assert jonas.post(address).status_code == 404
    for address in (f"/insurance/{made.id}/answer.pdf", f"/insurance/new/{site.booking.id}"):
        assert jonas.get(address).status_code == 404
    assert site.signed_in(site.maya).get(f"/insurance/{new_id('offer')}/answer.pdf").status_code == 404


def test_the_form_keeps_what_was_typed_and_says_what_is_missing(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    address = f"/insurance/new/{site.booking.id}"
    found = re.search(r'name="request_key"[^>]*value="([^"]+)"', maya.get(address).text)
    assert found
    form = {"request_key": found.group(1), "plan": "Voyager Care", "price": "two hundred"}
    refused = maya.post(address, form)
    assert refused.status_code == 422
    assert "two hundred" in refused.text
    assert "Tick at least one passenger" in text_of(refused)
    assert maya.post(address, {**form, "price": "212", "pick_0": "y"}).status_code == 303
    assert state_of(site) is OfferState.ISSUED


def test_a_text_that_the_booking_can_not_fill_is_refused_with_what_is_missing(site: CrmSite) -> None:
    library = site.deps.signing.library
    found = library.of_kind(site.ada, DocumentKind.INSURANCE)
    data = TemplateData(title=found.title, body="Until {EndTravelDate}: {PlanName}", required=Required.NEVER)
    library.change(site.ada, found.id, data, version=found.version)
    with pytest.raises(InvalidArgument, match="EndTravelDate"):
        offer(site)
    booking = site.deps.trips.bookings.get(site.maya, site.booking.id)
    day = site.clock.now().date() + timedelta(days=60)
    segment = SegmentData(supplier_name="Aurora", kind=SegmentKind.HOTEL, begins_on=day, ends_on=day)
    site.deps.trips.bookings.add_segment(site.maya, booking.id, segment, version=booking.version)
    assert offer(site).state is OfferState.ISSUED
