"""What the CRM asks a client for at once, and browsers that have opened it (C18)."""

from datetime import timedelta

from flask.testing import FlaskClient

from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import Client, VisitAsked, VisitPart
from tests.support.portal import LINK, TOKEN, PortalWorld, context
from tests.support.portal_papers import OFFER, REQUEST, document_requested, form, insurance_offered
from tests.support.portal_people import AGENCY, GRACE, MAYA

VISIT = "visit_first"
SECOND = "sign_second"


def ask_for_all(
    world: PortalWorld,
    visit_id: str = VISIT,
    *,
    token: str = TOKEN,
    issue: int = 1,
    client: Client = GRACE,
    ids: tuple[str, str, str, str] = (OFFER, REQUEST, SECOND, LINK),
) -> VisitAsked:
    """Has the CRM ask for an insurance answer, two documents and a payment, each without a token of its own."""
    offer_id, *documents, link_id = ids
    expires_at = stamp(world.clock.now() + timedelta(days=7))
    offer = insurance_offered(world, offer_id, signer=client)
    papers = [document_requested(world, each, signer=client) for each in documents]
    offer.token_sha256, offer.issue = "", issue
    offer.expires_at.CopyFrom(expires_at)
    for paper in papers:
        paper.token_sha256, paper.issue = "", issue
        paper.expires_at.CopyFrom(expires_at)
    link = world.link_issued(link_id, token="", issue=issue, days=7, about=context(f"pay_{link_id}"))
    message = VisitAsked(
        visit_id=visit_id,
        booking_id="booking_1",
        booking_title="Norwegian Fjords for two",
        agency=AGENCY,
        agent=MAYA,
        client=client,
        token_sha256=token_sha256(token),
        expires_at=expires_at,
        issue=issue,
        parts=[VisitPart(insurance=offer), *(VisitPart(document=each) for each in papers), VisitPart(payment=link)],
    )
    world.tell(message)
    return message


def visitor(world: PortalWorld, visit_id: str = VISIT, token: str = TOKEN) -> FlaskClient:
    """A browser that has opened the visit by its link."""
    browser = world.client()
    answer = browser.post(f"/visit/{visit_id}/open", data={"token": token})
    assert answer.status_code == 303, answer.status_code
    return browser


def sign_part(browser: FlaskClient, request_id: str, **changes: str) -> str:
    """Signs a document, or answers an offer; where the browser is led then."""
    path = f"/insurance/{request_id}" if request_id.startswith("offer") else f"/sign/{request_id}"
    answer = browser.post(f"{path}/read", data=form(**changes))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def pay_part(world: PortalWorld, browser: FlaskClient, link_id: str = LINK, **changes: str) -> str:
    """Authorizes the payment; where the browser is led then."""
    assert browser.get(f"/pay/{link_id}/authorize").status_code == 200
    answer = browser.post(f"/pay/{link_id}/authorize", data=world.form(link_id, **changes))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)
