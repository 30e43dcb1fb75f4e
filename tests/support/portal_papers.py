"""What the CRM asks clients to sign, and browsers that have opened it."""

from datetime import timedelta
from hashlib import sha256

from flask.testing import FlaskClient

from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.events_pb2 import Client, EsignRequested, InsuranceOffered
from tests.support.portal import PortalWorld
from tests.support.portal_people import AGENCY, GRACE, MAYA

TOKEN = "a-token-that-only-the-letter-holds"
REQUEST = "sign_first"
OFFER = "offer_first"
TEXT = "Terms and conditions\n\nGrace Hopper agrees with Harbour & Vine Travel that <b>rain</b> is nobody's fault."
OFFER_TEXT = "Aurora Travel Care costs US$ 212.00. Without it, medical costs abroad are yours."


def request_document(
    world: PortalWorld,
    request_id: str = REQUEST,
    *,
    token: str = TOKEN,
    text: str = TEXT,
    issue: int = 1,
    days: int = 14,
    signer: Client = GRACE,
) -> EsignRequested:
    """Has the CRM ask for a signature."""
    message = document_requested(world, request_id, token=token, text=text, issue=issue, days=days, signer=signer)
    world.tell(message)
    return message


def document_requested(
    world: PortalWorld,
    request_id: str = REQUEST,
    *,
    token: str = TOKEN,
    text: str = TEXT,
    issue: int = 1,
    days: int = 14,
    signer: Client = GRACE,
) -> EsignRequested:
    """What the CRM says when it asks for a signature."""
    return EsignRequested(
        request_id=request_id,
        booking_id="booking_1",
        booking_title="Norwegian Fjords for two",
        agency=AGENCY,
        agent=MAYA,
        signer=signer,
        title="Terms and conditions",
        text=text,
        text_sha256=sha256(text.encode()).hexdigest(),
        template_version="Terms and conditions v3",
        token_sha256=token_sha256(token),
        expires_at=stamp(world.clock.now() + timedelta(days=days)),
        issue=issue,
    )


def offer_insurance(
    world: PortalWorld, offer_id: str = OFFER, *, token: str = TOKEN, signer: Client = GRACE
) -> InsuranceOffered:
    """Has the CRM offer travel insurance."""
    message = insurance_offered(world, offer_id, token=token, signer=signer)
    world.tell(message)
    return message


def insurance_offered(
    world: PortalWorld, offer_id: str = OFFER, *, token: str = TOKEN, signer: Client = GRACE
) -> InsuranceOffered:
    """What the CRM says when it offers travel insurance."""
    return InsuranceOffered(
        offer_id=offer_id,
        booking_id="booking_1",
        booking_title="Norwegian Fjords for two",
        agency=AGENCY,
        agent=MAYA,
        passenger=signer,
        plan="Aurora Travel Care",
        price=Money(minor=212_00, currency="USD"),
        text=OFFER_TEXT,
        text_sha256=sha256(OFFER_TEXT.encode()).hexdigest(),
        token_sha256=token_sha256(token),
        expires_at=stamp(world.clock.now() + timedelta(days=14)),
        template_version="Travel insurance v1",
        issue=1,
    )


def opened(world: PortalWorld, path: str = f"/sign/{REQUEST}", token: str = TOKEN) -> FlaskClient:
    """A browser that has opened the paper by its link."""
    browser = world.client()
    answer = browser.post(f"{path}/open", data={"token": token})
    assert answer.status_code == 303, answer.status_code
    return browser


def form(**changes: str) -> dict[str, str]:
    """A complete form, with changes to it."""
    typed = {"consent": "y", "signature_kind": "typed", "signature_text": "Grace Hopper", "signature_image": ""}
    return typed | changes


def signed(world: PortalWorld, request_id: str = REQUEST) -> FlaskClient:
    """A browser in which the document was signed."""
    browser = opened(world, f"/sign/{request_id}")
    answer = browser.post(f"/sign/{request_id}/read", data=form())
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return browser
