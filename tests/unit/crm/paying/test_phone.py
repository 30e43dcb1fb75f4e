"""Payments by phone in the CRM (T1 to T5, T8, T9): with a masker of the tests' own."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied, Unavailable
from protos.wayvault.events.v1.events_pb2 import (
    EsignRequested,
    PaymentLinkIssued,
    PaymentLinkRevoked,
    PaymentTakenByPhone,
)
from services.crm.paying.links.rules import LinkState
from services.crm.paying.payments.record import BillingAddress
from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.phone.rules import FIRST_SCRIPT, Field, Flow, Result, read_out, script_problem
from services.crm.paying.phone.service import CallFilter, PhonePayments
from tests.support.crm_paying import CrmHouse

HOLDER = {"name": "Grace Hopper", "line1": "1 Bridge Street", "city": "Arlington", "region": "VA", "country": "US"}
BILLING = BillingAddress(line1="1 Bridge Street", line2="", city="Arlington", region="VA", postal_code="", country="US")


def phone(crm: CrmHouse) -> PhonePayments:
    return crm.deps.paying.phone


def asked(crm: CrmHouse, key: str = "form-1-0123456789") -> str:
    """A payment to be taken by phone."""
    return crm.deps.paying.links.open_without_link(crm.maya, crm.booking_id, crm.link_request(key=key))


def started(crm: CrmHouse, payment_id: str) -> str:
    call_id, opened = phone(crm).start(crm.maya, payment_id, script="Read out")
    assert opened.pin == "123456"
    return call_id


def stored(crm: CrmHouse) -> str:
    payment_id = asked(crm)
    crm.vault.hold("card_phone_1")
    phone(crm).storing.finish(crm.maya, started(crm, payment_id), name="Grace Hopper", billing=BILLING)
    return payment_id


def test_a_keyed_card_is_a_pending_payment_like_any_other_marked_by_phone(crm: CrmHouse) -> None:
    payment_id = stored(crm)
    payment = crm.deps.paying.book.get(crm.maya, payment_id)
    assert payment.state is PaymentState.AUTHORIZED
    assert payment.by_phone
    assert (payment.card_words, payment.cardholder_name) == ("Visa ending in 4242", "Grace Hopper")
    assert payment.billing == BILLING
    assert [each.id for each in crm.deps.paying.book.pending(crm.maya)] == [payment_id]
    (told,) = crm.events(PaymentTakenByPhone)
    assert (told.context.payment_id, told.last4) == (payment_id, "4242")


def test_the_authorization_is_mailed_for_signature_at_once_and_outstanding_until_it_came(crm: CrmHouse) -> None:
    payment_id = stored(crm)
    (request,) = crm.events(EsignRequested)
    assert "Visa ending in 4242" in request.text
    assert "keyed on my telephone" in request.text
    call = phone(crm).of_payment(payment_id)
    assert call is not None
    assert phone(crm).signature_outstanding(call)
    page = crm.browser(crm.maya).get(f"/payments/{payment_id}").text
    assert "By phone" in page
    assert "Signature outstanding" in page


def test_the_policy_and_the_flow_of_the_agency_go_to_the_masker(crm: CrmHouse) -> None:
    phone(crm).change_flow(crm.ada, Flow(order=(Field.EXPIRY, Field.NUMBER, Field.CVV), field_seconds=20))
    phone(crm).change_desk(crm.maya, "201")
    started(crm, asked(crm))
    (session,) = crm.masker.opened
    assert (session.desk, session.flow.field_seconds, session.card_days, session.cvv_hours) == ("201", 20, 30, 72)


def test_the_same_form_twice_asks_for_one_payment(crm: CrmHouse) -> None:
    assert asked(crm) == asked(crm)
    assert len(crm.deps.paying.book.of_booking(crm.maya, crm.booking_id)) == 1


def test_a_card_taken_by_phone_ends_the_link_that_waited(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    phone(crm).storing.finish(crm.maya, started(crm, payment_id), name="Grace Hopper", billing=BILLING)
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    assert link.state is LinkState.REVOKED
    assert len(crm.events(PaymentLinkRevoked)) == 1
    assert crm.deps.paying.book.get(crm.maya, payment_id).state is PaymentState.AUTHORIZED


def test_a_link_instead_keeps_amount_and_purpose(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    call_id = started(crm, payment_id)
    browser = crm.browser(crm.maya)
    answer = browser.post(f"/payments/{payment_id}/phone/link", {"call": call_id})
    assert answer.status_code == 303
    (issued,) = crm.events(PaymentLinkIssued)
    row = crm.row(payment_id)
    assert (issued.context.amount.minor, issued.context.purpose) == (row.amount_minor, row.purpose)
    assert phone(crm).calls(crm.maya, CallFilter())[0].result is Result.CANCELLED


@pytest.mark.parametrize(
    "result", ["cancelled", "timed_out", "hung_up", "held", "transferred", "refused", "pin_expired"]
)
def test_how_a_session_ended_is_recorded_once(crm: CrmHouse, result: str) -> None:
    call_id = started(crm, asked(crm))
    crm.masker.set("phone_1", state="ended", result=result)
    list(phone(crm).watch(crm.maya, call_id, 1.0))
    crm.masker.set("phone_1", result="cancelled")
    list(phone(crm).watch(crm.maya, call_id, 1.0))
    (call,) = phone(crm).calls(crm.maya, CallFilter())
    assert call.result == result
    assert crm.deps.paying.book.get(crm.maya, call.payment_id).state is PaymentState.REQUESTED


def test_a_masker_that_lost_the_session_is_said_at_once_and_nothing_is_half_stored(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    call_id = started(crm, payment_id)
    crm.masker.sessions.clear()
    events = crm.browser(crm.maya).get(f"/phone/{call_id}/stream").text
    assert "event: lost" in events
    assert "Nothing was stored" in events
    with pytest.raises(NotFound):
        phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    assert crm.row(payment_id).state == PaymentState.REQUESTED
    assert phone(crm).calls(crm.maya, CallFilter())[0].result is Result.LOST


def test_the_panel_shows_dots_brand_and_reasons_and_never_a_digit(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    browser = crm.browser(crm.maya)
    page = browser.get(f"/payments/{payment_id}/phone").text
    assert "Read this to the client" in page
    assert "{ClientName}" not in page
    refused = browser.send(f"/payments/{payment_id}/phone/start", {})
    assert refused.status_code == 422
    answer = browser.send(f"/payments/{payment_id}/phone/start", {"agreed": True}).get_json()
    call = answer["call"]
    crm.masker.set("phone_1", state="tied")
    shown = browser.send(f"/phone/{call}/field", {"field": "number"}).get_json()
    assert (shown["state"], shown["open"]) == ("tied", "number")
    fields = {**crm.masker.sessions["phone_1"].fields}
    fields[Field.NUMBER] = type(fields[Field.NUMBER])(digits=9, taken=False, refusal="too_short", asked=1)
    crm.masker.set("phone_1", fields=fields, brand="visa")
    events = browser.get(answer["stream"]).text
    told = json.loads(events.split("event: progress\ndata: ")[1].split("\n")[0])
    assert told["fields"]["number"]["digits"] == 9
    assert told["fields"]["number"]["refusal"].startswith("Too short")
    assert told["brand"] == "Visa"
    assert told["silent"] == ""
    crm.masker.set("phone_1", silent=("exchange", "vault", "what a later masker says"))
    told = browser.send(f"/phone/{call}/back", {}).get_json()
    assert "telephone exchange does not answer" in told["silent"]
    assert "vault does not answer" in told["silent"]
    browser.send(f"/phone/{call}/field", {"field": "number"})
    assert browser.send(f"/phone/{call}/field", {"field": "pan"}).status_code == 422
    assert browser.send(f"/phone/{call}/back", {}).get_json()["open"] is None


def test_what_the_agent_types_is_checked_and_the_vaults_refusal_is_said(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    call_id = started(crm, payment_id)
    browser = crm.browser(crm.maya)
    bare: Mapping[str, str] = {"name": ""}
    refused = browser.send(f"/phone/{call_id}/finish", bare)
    assert refused.status_code == 422
    assert refused.get_json()["error"]["field"] == "name"
    crm.masker.refuses = "The name has characters that can't be used."
    assert browser.send(f"/phone/{call_id}/finish", HOLDER).status_code == 422
    crm.masker.refuses = ""
    done = browser.send(f"/phone/{call_id}/finish", HOLDER)
    assert done.get_json()["url"] == f"/payments/{payment_id}"


def test_only_the_owner_takes_cards_for_a_payment(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    with pytest.raises(NotFound):
        phone(crm).start(crm.jonas, payment_id, script="")
    with pytest.raises(PermissionDenied):
        phone(crm).start(crm.ada, payment_id, script="")
    call_id = started(crm, payment_id)
    for actor in (crm.jonas, crm.ada):
        with pytest.raises(NotFound):
            phone(crm).cancel(actor, call_id)


def test_a_payment_that_waits_for_no_card_can_not_be_taken(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    with pytest.raises(InvalidArgument):
        phone(crm).start(crm.maya, payment_id, script="")
    assert crm.browser(crm.maya).get(f"/payments/{payment_id}/phone").status_code == 303


def test_the_report_is_an_agents_own_and_an_admins_agencys(crm: CrmHouse) -> None:
    stored(crm)
    started(crm, asked(crm, key="form-2-0123456789"))
    assert len(phone(crm).calls(crm.maya, CallFilter())) == 2
    assert len(phone(crm).calls(crm.ada, CallFilter())) == 2
    assert phone(crm).calls(crm.jonas, CallFilter()) == []
    assert [call.result for call in phone(crm).calls(crm.ada, CallFilter(result=Result.STORED))] == [Result.STORED]
    page = crm.browser(crm.ada).get("/phone/calls").text
    assert "Card stored" in page
    assert "Under way" in page
    lines = crm.browser(crm.maya).get("/phone/calls.csv").text.splitlines()
    assert len(lines) == 3


def test_a_session_that_nobody_saw_end_is_recorded_as_interrupted(crm: CrmHouse) -> None:
    started(crm, asked(crm))
    assert phone(crm).storing.settle() == 0
    crm.clock.advance(timedelta(hours=2))
    assert phone(crm).storing.settle() == 1
    assert phone(crm).calls(crm.maya, CallFilter())[0].result is Result.LOST


def test_an_admin_sets_script_and_times_and_sees_whether_phones_are_ready(crm: CrmHouse) -> None:
    browser = crm.browser(crm.ada)
    page = browser.get("/phone/settings").text
    assert "Last heard" in page
    assert "None since the masker started" in page
    good = {
        "order": "number,cvv,expiry",
        "script": "Hello {ClientName}",
        "field_seconds": "30",
        "idle_seconds": "60",
        "total_seconds": "300",
    }
    assert browser.post("/phone/settings", good).status_code == 303
    assert phone(crm).flow(crm.agency_id).order == (Field.NUMBER, Field.CVV, Field.EXPIRY)
    for wrong in ({"script": "Hello {Nobody}"}, {"field_seconds": "3"}, {"total_seconds": "soon"}):
        assert browser.post("/phone/settings", {**good, **wrong}).status_code == 422
    crm.masker.away = True
    assert "does not answer" in browser.get("/phone/settings").text
    assert crm.browser(crm.maya).get("/phone/settings").status_code == 404


def test_a_script_is_read_out_with_its_tags_filled() -> None:
    values = {"ClientName": "Grace", "Amount": "US$ 5"}
    assert read_out("Dear {ClientName},\n\npay {Amount}.", values) == ["Dear Grace,", "pay US$ 5."]
    assert script_problem(FIRST_SCRIPT) == ""
    assert "{Pan}" in script_problem("Say {Pan}")


def test_a_masker_out_of_reach_is_said_in_words(crm: CrmHouse) -> None:
    crm.masker.away = True
    with pytest.raises(Unavailable):
        started(crm, asked(crm))
    answer = crm.browser(crm.maya).send(f"/payments/{asked(crm)}/phone/start", {"agreed": True})
    assert answer.status_code == 503
