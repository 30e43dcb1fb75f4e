"""Payment authorization links: sent, resent, revoked, expired (M1)."""

import threading
from datetime import timedelta

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    DeliveryFailed,
    DeliverySent,
    PaymentLinkIssued,
    PaymentLinkOpened,
    PaymentLinkRevoked,
)
from services.crm.paying.links.rules import LinkState
from services.crm.paying.links.service import Link, LinkRequest, Share
from services.crm.paying.links.terms import TERMS_VERSION
from services.crm.paying.payments.rules import PaymentState, PaymentType
from tests.support.crm_paying import CrmHouse, usd


def send(crm: CrmHouse, **kwargs: int) -> list[Link]:
    return crm.deps.paying.links.send(crm.maya, crm.booking_id, crm.link_request(**kwargs))  # type: ignore[arg-type]


def link_of(crm: CrmHouse, payment_id: str) -> Link:
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    return link


def test_each_passenger_gets_a_payment_a_link_and_a_letter_of_their_own(crm: CrmHouse) -> None:
    links = send(crm, clients=2)
    issued = crm.events(PaymentLinkIssued)
    assert [link.email for link in links] == ["grace@client.example", "alan@client.example"]
    assert {event.link_id for event in issued} == {link.id for link in links}
    assert len({event.context.payment_id for event in issued}) == 2
    assert [letter.to for letter in crm.letters.written] == ["grace@client.example", "alan@client.example"]
    assert all(letter.template == "payment_link" for letter in crm.letters.written)


def test_the_token_stands_in_the_sealed_letter_only_and_its_hash_in_the_event(crm: CrmHouse) -> None:
    (link,) = send(crm)
    (event,) = crm.events(PaymentLinkIssued)
    url = crm.letters.written[0].data["url"]
    address, _, token = url.partition("#")
    assert address == f"http://portal.localhost:8102/pay/{link.id}"
    assert len(token) >= 22  # 128 bits in base64 are 22 characters
    assert event.token_sha256 == token_sha256(token)
    assert token.encode() not in event.SerializeToString()


def test_the_event_carries_all_that_its_readers_show(crm: CrmHouse) -> None:
    (link,) = send(crm)
    (event,) = crm.events(PaymentLinkIssued)
    context = event.context
    assert context.agency.name == "Harbour & Vine Travel"
    assert context.agent.email == "maya@harbour.example"
    assert context.payer.first_name == "Grace"
    assert context.segment.supplier_name == "Aurora Cruises"
    assert (context.amount.minor, context.amount.currency) == (124000, "USD")
    assert context.due_on == "2026-12-01"
    assert (context.policy.card_retention_days, context.policy.cvv_retention_hours) == (30, 72)
    assert event.expires_at.ToDatetime() == (link.expires_at).replace(tzinfo=None)
    assert event.issue == 1


def test_the_terms_name_payer_amount_supplier_and_version(crm: CrmHouse) -> None:
    send(crm)
    (event,) = crm.events(PaymentLinkIssued)
    for words in ("I, Grace Hopper,", "US$ 1,240.00", "Aurora Cruises", "Maya Okafor", "30 days", "72 hours"):
        assert words in event.terms_text
    assert event.terms_version == TERMS_VERSION


def test_the_same_form_sent_again_sends_nothing_more(crm: CrmHouse) -> None:
    assert send(crm) == send(crm)
    assert len(crm.events(PaymentLinkIssued)) == 1


def test_a_double_click_at_the_same_moment_sends_once(crm: CrmHouse) -> None:
    start = threading.Barrier(6)
    made: list[list[Link]] = []

    def click() -> None:
        start.wait()
        made.append(send(crm))

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(crm.events(PaymentLinkIssued)) == 1


def test_one_bad_share_sends_nothing_at_all(crm: CrmHouse) -> None:
    good = crm.link_request(clients=2)
    shares = [*good.shares, Share(client_id=crm.tim_id, amount=usd(100))]
    request = LinkRequest(
        request_key=good.request_key,
        segment_id=good.segment_id,
        type=good.type,
        purpose=good.purpose,
        due_on=None,
        shares=shares,
    )
    with pytest.raises(InvalidArgument, match="no e-mail address"):
        crm.deps.paying.links.send(crm.maya, crm.booking_id, request)
    assert crm.events(PaymentLinkIssued) == []
    assert crm.deps.paying.book.of_booking(crm.maya, crm.booking_id) == []


def test_a_service_fee_needs_no_segment(crm: CrmHouse) -> None:
    request = LinkRequest(
        request_key="fee-0123456789abcd",
        segment_id="",
        type=PaymentType.SERVICE_FEE,
        purpose="Planning fee",
        due_on=None,
        shares=[Share(client_id=crm.grace_id, amount=usd(150_00))],
    )
    crm.deps.paying.links.send(crm.maya, crm.booking_id, request)
    (event,) = crm.events(PaymentLinkIssued)
    assert "I authorize Harbour & Vine Travel to charge this card once" in event.terms_text


def test_another_agent_does_not_see_the_booking_and_an_admin_may_not_send(crm: CrmHouse) -> None:
    with pytest.raises(NotFound):
        crm.deps.paying.links.send(crm.jonas, crm.booking_id, crm.link_request())
    with pytest.raises(PermissionDenied):
        crm.deps.paying.links.send(crm.ada, crm.booking_id, crm.link_request())


def test_a_delivered_link_shows_as_sent(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    link = link_of(crm, payment_id)
    assert link.state is LinkState.ISSUED
    crm.hear(DeliverySent(kind="payment_link", link_id=link.id, payment_id=payment_id, at=stamp(crm.clock.now())))
    assert link_of(crm, payment_id).state is LinkState.SENT


def test_a_failed_delivery_is_told_and_a_resend_clears_it(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    link = link_of(crm, payment_id)
    crm.hear(
        DeliveryFailed(
            kind="payment_link",
            link_id=link.id,
            payment_id=payment_id,
            at=stamp(crm.clock.now()),
            reason="The address does not exist.",
            address_hint="g***@client.example",
        )
    )
    assert link_of(crm, payment_id).delivery_problem == "g***@client.example: The address does not exist."
    crm.deps.paying.links.remind(crm.maya, link.id, issue=1)
    assert link_of(crm, payment_id).delivery_problem == ""


def test_opening_moves_link_and_payment_also_when_it_is_heard_before_the_delivery(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    link = link_of(crm, payment_id)
    crm.hear(PaymentLinkOpened(link_id=link.id, payment_id=payment_id, at=stamp(crm.clock.now())))
    crm.hear(DeliverySent(kind="payment_link", link_id=link.id, payment_id=payment_id, at=stamp(crm.clock.now())))
    link = link_of(crm, payment_id)
    assert (link.state, link.sent_at is not None) == (LinkState.OPENED, True)
    assert crm.row(payment_id).state == PaymentState.OPENED


def test_a_resend_gives_a_fresh_token_and_seven_more_days_once_per_click(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    link = link_of(crm, payment_id)
    crm.clock.advance(timedelta(days=3))
    crm.deps.paying.links.remind(crm.maya, link.id, issue=1)
    crm.deps.paying.links.remind(crm.maya, link.id, issue=1)
    first, second = crm.events(PaymentLinkIssued)
    assert (first.issue, second.issue) == (1, 2)
    assert first.token_sha256 != second.token_sha256
    assert link_of(crm, payment_id).expires_at == crm.clock.now() + timedelta(days=7)


def test_an_expired_link_can_be_resent_and_its_payment_waits_again(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    crm.clock.advance(timedelta(days=7))
    assert crm.deps.paying.links.expire_due() == 1
    assert crm.deps.paying.links.expire_due() == 0
    link = link_of(crm, payment_id)
    assert (link.state, crm.row(payment_id).state) == (LinkState.EXPIRED, PaymentState.EXPIRED)
    crm.deps.paying.links.remind(crm.maya, link.id, issue=1)
    assert (link_of(crm, payment_id).state, crm.row(payment_id).state) == (LinkState.ISSUED, PaymentState.REQUESTED)


def test_revoking_tells_the_portal_once_and_is_final(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    link = link_of(crm, payment_id)
    crm.deps.paying.links.withdraw(crm.maya, link.id)
    crm.deps.paying.links.withdraw(crm.maya, link.id)
    assert len(crm.events(PaymentLinkRevoked)) == 1
    assert crm.row(payment_id).state == PaymentState.REVOKED
    with pytest.raises(InvalidArgument):
        crm.deps.paying.links.remind(crm.maya, link.id, issue=1)


def test_a_submitted_link_can_be_neither_revoked_nor_resent(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    link = link_of(crm, payment_id)
    with pytest.raises(InvalidArgument, match="void the payment instead"):
        crm.deps.paying.links.withdraw(crm.maya, link.id)
    with pytest.raises(InvalidArgument):
        crm.deps.paying.links.remind(crm.maya, link.id, issue=1)


def test_somebody_elses_link_does_not_exist(crm: CrmHouse) -> None:
    link = link_of(crm, crm.requested())
    with pytest.raises(NotFound):
        crm.deps.paying.links.withdraw(crm.jonas, link.id)
    with pytest.raises(PermissionDenied):
        crm.deps.paying.links.withdraw(crm.ada, link.id)
