"""What waits on a person whom its e-mail missed goes out again from one list, to the address of today (ux 16)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent, MailSealed
from services.crm.core.ports.charging import ChargeState
from services.crm.office.mail_outcomes.rules import Remedy, kind_of
from services.crm.office.mail_outcomes.service import Failure
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.esign.service import SendRequest, TemplateData
from services.crm.signing.insurance.service import OfferRequest
from services.crm.trips.itinerary.rules import Lifetime, ShareRequest
from services.notifier.templates.rules import Mail
from tests.support.crm_charging import FakeCharging, fee
from tests.support.crm_paying import ORIGIN, CrmHouse, usd
from tests.support.crm_visits import asked_for_all

NEW = "grace@mended.example"
# Makes what the mail is about, and says (payment_id, link_id) as the notifier tells of its mail.
Maker = Callable[[CrmHouse], tuple[str, str]]


def _link(crm: CrmHouse) -> tuple[str, str]:
    link = crm.deps.paying.links.of_payment(crm.requested())
    assert link is not None
    return link.payment_id, link.id


def _document(crm: CrmHouse) -> tuple[str, str]:
    template = crm.deps.signing.library.create(crm.maya, TemplateData(title="House rules", body="{ClientName} agrees."))
    wanted = SendRequest(request_key="rules", template_id=template.id, client_ids=[crm.grace_id])
    return "", crm.deps.signing.requests.send(crm.maya, crm.booking_id, wanted)[0].id


def _insurance(crm: CrmHouse) -> tuple[str, str]:
    library = crm.deps.signing.library
    text = library.of_kind(crm.ada, DocumentKind.INSURANCE)
    plain = TemplateData(title=text.title, body="{PlanName}: yes or no?")
    library.change(crm.ada, text.id, plain, version=text.version)
    wanted = OfferRequest(request_key="cover", client_ids=[crm.grace_id], plan="Voyager", price=usd(100_00))
    return "", crm.deps.signing.insurance.offer(crm.maya, crm.booking_id, wanted)[0].id


def _invitation(crm: CrmHouse) -> tuple[str, str]:
    crm.deps.sales.portal_access.invite(crm.maya, crm.grace_id, "grace.hopper")
    return "", crm.grace_id


def _cvv(crm: CrmHouse) -> tuple[str, str]:
    payment_id = crm.retrieved()
    crm.clock.advance(timedelta(hours=73))
    asked = crm.deps.paying.cvv_requests.ask(crm.maya, payment_id, request_key="k1", cvv_gone=False)
    return payment_id, asked.id


def _charge(crm: CrmHouse) -> tuple[str, str]:
    payment_id = fee(crm)
    crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)
    return payment_id, ""


def _itinerary(crm: CrmHouse) -> tuple[str, str]:
    wanted = ShareRequest(request_key="share", client_ids=(crm.grace_id,), lifetime=Lifetime.WEEK, with_prices=True)
    return "", crm.deps.trips.shares.share(crm.maya, crm.booking_id, wanted)[0].id


MAKERS: dict[str, Maker] = {
    "payment_link": _link,
    "esign_request": _document,
    "insurance_offer": _insurance,
    "portal_invitation": _invitation,
    "cvv_request": _cvv,
    "confirm_charge": _charge,
    "itinerary": _itinerary,
    "visit": lambda crm: ("", asked_for_all(crm).id),
}


@pytest.fixture
def crm(tmp_path: Path) -> CrmHouse:
    gateway = FakeCharging()
    gateway.next = ChargeState.NEEDS_CLIENT
    return CrmHouse(tmp_path, charging=gateway)


def failed(crm: CrmHouse, kind: str, payment_id: str, link_id: str, agent_id: str = "") -> Failure:
    message = DeliveryFailed(
        delivery_id=new_id("dlv"),
        kind=kind,
        payment_id=payment_id,
        link_id=link_id,
        agent_id=agent_id or crm.maya.agent_id,
        at=stamp(crm.clock.now()),
        reason="The mailbox does not exist.",
        address="grace@client.example",
    )
    crm.hear(message)
    return crm.deps.office.mail_outcomes.get(crm.ada, message.delivery_id)


def correct(crm: CrmHouse) -> None:
    grace = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    crm.deps.sales.clients.change(crm.maya, grace.id, replace(grace.data, email=NEW), version=grace.version)


@pytest.mark.parametrize("kind", MAKERS)
def test_it_is_sent_again_to_the_corrected_address_and_put_away(crm: CrmHouse, kind: str) -> None:
    failure = failed(crm, kind, *MAKERS[kind](crm))
    correct(crm)
    maya = crm.browser(crm.maya)
    assert f"Send again: {failure.kind.words}" in maya.get("/undelivered").text
    before = len(crm.letters.written)
    assert maya.post(f"/undelivered/{failure.id}/resend").status_code == 303
    (letter,) = crm.letters.written[before:]
    assert (letter.template, letter.to) == (kind, NEW)
    assert failure.kind.words in maya.get("/undelivered?state=settled").text
    # A second click on a page of before finds nothing to send.
    assert maya.post(f"/undelivered/{failure.id}/resend").status_code == 404
    assert len(crm.letters.written) == before + 1


def test_only_whose_it_is_sends_it_again(crm: CrmHouse) -> None:
    failure = failed(crm, "esign_request", *_document(crm))
    before = len(crm.letters.written)
    for who in (crm.ada, crm.jonas):
        assert crm.browser(who).post(f"/undelivered/{failure.id}/resend").status_code == 404
    assert len(crm.letters.written) == before


def test_an_agents_invitation_is_the_admins_who_sent_it(crm: CrmHouse) -> None:
    jonas = crm.deps.access.directory.agent(crm.jonas.agent_id)
    crm.deps.access.invitations.send(jonas, invited_by=crm.ada)
    told = crm.events(MailSealed)[-1]
    assert (told.agent_id, told.link_id) == (crm.ada.agent_id, jonas.id)
    failure = failed(crm, "agent_invitation", "", told.link_id, agent_id=told.agent_id)
    before = len(crm.letters.written)
    ada = crm.browser(crm.ada)
    assert "could not be delivered" in ada.get("/").text
    assert ada.post(f"/undelivered/{failure.id}/resend").status_code == 303
    (letter,) = crm.letters.written[before:]
    assert (letter.template, letter.to) == ("agent_invitation", jonas.email)


def test_what_has_ended_meanwhile_says_so_and_stays_in_the_list(crm: CrmHouse) -> None:
    payment_id, link_id = _document(crm)
    failure = failed(crm, "esign_request", payment_id, link_id)
    crm.deps.signing.requests.withdraw(crm.maya, link_id)
    maya = crm.browser(crm.maya)
    assert maya.post(f"/undelivered/{failure.id}/resend").status_code == 303
    page = maya.get("/undelivered").text
    assert "was taken back, so nobody is reminded" in page
    assert failure.kind.words in page


def test_a_mail_of_any_of_these_kinds_that_left_after_all_settles_the_failures_before_it(crm: CrmHouse) -> None:
    failure = failed(crm, "portal_invitation", *_invitation(crm))
    sent = DeliverySent(
        delivery_id=new_id("dlv"), kind="portal_invitation", link_id=crm.grace_id, at=stamp(crm.clock.now())
    )
    crm.hear(sent)
    assert crm.deps.office.mail_outcomes.get(crm.maya, failure.id).settled_at is not None


def test_every_kind_that_is_sent_again_from_here_has_its_way_and_every_other_says_what_to_do(crm: CrmHouse) -> None:
    names = [mail.value for mail in Mail]
    again = {name for name in names if kind_of(name).remedy is Remedy.RESEND}
    assert again == {*MAKERS, "agent_invitation"}
    unknown = kind_of("of_a_newer_notifier")
    for name in names:
        assert kind_of(name).advice != unknown.advice, f"say in mail_outcomes/rules.py what to do about {name}"
