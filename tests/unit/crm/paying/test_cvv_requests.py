"""Asking the client for the CVV again, and what comes of it (M10)."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import CvvRequested, CvvResupplied, DeliveryFailed, DeliverySent
from services.crm.paying.cvv_requests.rules import LIFETIME, CvvRequestState
from services.crm.paying.cvv_requests.service import CvvRequest
from tests.support.crm_paying import CrmHouse


def without_cvv(crm: CrmHouse) -> str:
    """A shown card whose CVV is past its time."""
    payment_id = crm.retrieved()
    crm.clock.advance(timedelta(hours=73))
    return payment_id


def ask(crm: CrmHouse, payment_id: str, key: str = "k1") -> CvvRequest:
    return crm.deps.paying.cvv_requests.ask(crm.maya, payment_id, request_key=key, cvv_gone=False)


def resupplied(crm: CrmHouse, payment_id: str, request: CvvRequest) -> CvvResupplied:
    now = crm.clock.now()
    return CvvResupplied(
        link_id=request.id, payment_id=payment_id, cvv_kept_until=stamp(now + timedelta(hours=72)), at=stamp(now)
    )


def test_the_client_gets_a_letter_with_a_link_whose_token_stands_after_the_hash(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    request = ask(crm, payment_id)
    (event,) = crm.events(CvvRequested)
    letter = crm.letters.written[-1]
    address, _, token = letter.data["url"].partition("#")
    assert (letter.template, letter.to) == ("cvv_request", "grace@client.example")
    assert address.endswith(f"/cvv/{request.id}")
    assert event.token_sha256 == token_sha256(token)
    assert token not in event.SerializeToString().decode("latin-1")
    assert (event.brand, event.last4, event.card_token) == ("visa", "1111", crm.row(payment_id).card_token)
    assert event.context.policy.cvv_retention_hours == 72


def test_a_double_click_asks_once(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    results: list[CvvRequest] = []
    threads = [threading.Thread(target=lambda: results.append(ask(crm, payment_id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.id for one in results}) == 1
    assert len(crm.events(CvvRequested)) == 1


def test_asking_again_replaces_the_earlier_link(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    first, second = ask(crm, payment_id), ask(crm, payment_id, "k2")
    assert first.id != second.id
    assert len(crm.events(CvvRequested)) == 2
    assert ask(crm, payment_id, "k1").state is CvvRequestState.REPLACED


def test_a_held_cvv_is_not_asked_for_unless_the_vault_says_it_is_gone(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    with pytest.raises(InvalidArgument, match="still has the CVV"):
        ask(crm, payment_id)
    crm.deps.paying.cvv_requests.ask(crm.maya, payment_id, request_key="k", cvv_gone=True)


def test_an_agency_that_never_stores_a_cvv_asks_by_phone(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    agency = crm.deps.access.directory.agency(crm.agency_id)
    crm.deps.access.directory.change_agency(
        crm.ada, replace(agency.data, cvv_retention_hours=0), version=agency.version
    )
    with pytest.raises(InvalidArgument, match="never stores a CVV"):
        ask(crm, payment_id)


def test_only_the_owner_of_an_open_payment_asks(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    requests = crm.deps.paying.cvv_requests
    with pytest.raises(NotFound):
        requests.ask(crm.jonas, payment_id, request_key="k", cvv_gone=False)
    with pytest.raises(PermissionDenied):
        requests.ask(crm.ada, payment_id, request_key="k", cvv_gone=False)
    with pytest.raises(InvalidArgument, match="does not wait"):
        ask(crm, crm.requested("form-2-0123456789"))


def test_a_cvv_given_again_is_held_again_and_told_once(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    request = ask(crm, payment_id)
    event = resupplied(crm, payment_id, request)
    for _ in range(2):
        crm.hear(event)
    payment = crm.deps.paying.book.get(crm.maya, payment_id)
    assert payment.cvv_held(crm.clock.now())
    done = crm.deps.paying.cvv_requests.of_payment(payment_id)
    assert done is not None
    assert done.state is CvvRequestState.SUPPLIED


def test_an_event_that_comes_after_the_new_cvv_was_shown_brings_nothing_back(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    event = resupplied(crm, payment_id, ask(crm, payment_id))
    crm.clock.advance(timedelta(minutes=1))
    crm.deps.paying.reveals._record_cvv_shown(crm.row(payment_id).card_token or "", crm.maya.agent_id, crm.clock.now())
    crm.hear(event)
    assert crm.row(payment_id).cvv_shown_at is not None


def test_a_foreign_or_unknown_link_changes_nothing(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    before = crm.row(payment_id).cvv_kept_until
    request = ask(crm, payment_id)
    for link_id, about in (("cvvlink_nothing", payment_id), (request.id, "pay_other")):
        event = resupplied(crm, payment_id, request)
        event.link_id, event.payment_id = link_id, about
        crm.hear(event)
    assert crm.row(payment_id).cvv_kept_until == before


def test_what_becomes_of_the_mail_stands_with_the_request(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    request = ask(crm, payment_id)
    crm.hear(DeliveryFailed(payment_id=payment_id, link_id=request.id, kind="cvv_request", reason="Mailbox full."))
    shown = crm.deps.paying.cvv_requests.of_payment(payment_id)
    assert shown is not None
    assert shown.delivery_problem == "Mailbox full."
    sent = DeliverySent(payment_id=payment_id, link_id=request.id, kind="cvv_request", at=stamp(crm.clock.now()))
    crm.hear(sent)
    shown = crm.deps.paying.cvv_requests.of_payment(payment_id)
    assert shown is not None
    assert (shown.state, shown.delivery_problem) == (CvvRequestState.SENT, "")


def test_a_request_ends_after_three_days_or_with_the_card(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    request = ask(crm, payment_id)
    assert request.expires_at == crm.clock.now() + LIFETIME
    crm.clock.advance(LIFETIME)
    shown = crm.deps.paying.cvv_requests.of_payment(payment_id)
    assert shown is not None
    assert not shown.open


def test_the_payment_area_asks_with_one_click(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    maya = crm.browser(crm.maya)
    page = maya.get(f"/payments/{payment_id}").text
    assert "Ask for the CVV again" in page
    done = maya.post(f"/payments/{payment_id}/cvv-again", {"cvv-again-request_key": "page-1"})
    assert done.status_code == 303
    assert "was asked for it" in maya.get(f"/payments/{payment_id}").text
    assert len(crm.events(CvvRequested)) == 1


def test_strangers_ask_nobody(crm: CrmHouse) -> None:
    payment_id = without_cvv(crm)
    path = f"/payments/{payment_id}/cvv-again"
    assert crm.browser(crm.jonas).post(path, {"cvv-again-request_key": "x"}).status_code == 404
    assert crm.events(CvvRequested) == []
