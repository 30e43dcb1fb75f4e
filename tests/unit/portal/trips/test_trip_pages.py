"""A client's trips on screen, and the payment that they start themselves (P3, P9)."""

import re
from datetime import timedelta

from flask.testing import FlaskClient
from icalendar import Calendar

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    Client,
    ClientMerged,
    DocumentSigned,
    PaymentAuthorized,
    PaymentRetrieved,
    PaymentType,
    PaymentVoided,
)
from tests.support.portal import PortalWorld, context
from tests.support.portal_people import ALAN, GRACE, client_saved, signed_in, tell
from tests.support.portal_trips import booking_saved, cruise, processed, usd

PAY = "/trips/bkg_1/pay/seg_1"


def started(browser: FlaskClient, **typed: str) -> str:
    """The link of a payment that the client has started."""
    form = {"type": "deposit", "amount": "1,240.00", "request_key": "form-1", **typed}
    answer = browser.post(PAY, data=form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    found = re.fullmatch(r"/pay/(own_[a-z2-7]+)/authorize", answer.headers["Location"])
    assert found is not None, answer.headers["Location"]
    return found[1]


def authorized(world: PortalWorld, browser: FlaskClient, link_id: str) -> None:
    browser.get(f"/pay/{link_id}/authorize")
    answer = browser.post(f"/pay/{link_id}/authorize", data=world.form(link_id))
    assert answer.headers["Location"] == f"/pay/{link_id}/status"


def test_trips_ahead_come_first_and_those_that_are_over_below(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(
        world,
        booking_saved("bkg_1"),
        booking_saved(
            "bkg_2", title="Lisbon", segments=(cruise("seg_2", begins_on="2026-01-02", ends_on="2026-01-09"),)
        ),
        booking_saved("bkg_3", title="A quote", status="quote"),
        booking_saved("bkg_4", title="Not hers", passengers=(ALAN,)),
    )
    page = browser.get("/trips").get_data(as_text=True)
    assert page.index("Norwegian fjords for two") < page.index("Past trips") < page.index("Lisbon")
    assert "A quote" not in page
    assert "Not hers" not in page
    assert "US$\u00a01,240.00" in page


def test_a_client_without_trips_reads_what_will_stand_here(world: PortalWorld) -> None:
    assert "No trips yet" in signed_in(world).get("/trips").get_data(as_text=True)


def test_a_trip_shows_what_everybody_paid_and_what_is_left(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved(), processed(world, 1240))
    page = browser.get("/trips/bkg_1").get_data(as_text=True)
    sums = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page))
    assert (sums["Price"], sums["Paid"], sums["Left to pay"]) == (
        "US$\u00a04,000.00",
        "US$\u00a01,240.00",
        "US$\u00a02,760.00",
    )
    assert "K-5521" not in page, "Alan's payment is his own business"


def test_a_service_fee_is_no_part_of_the_price(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved(), processed(world, 150, kind=PaymentType.PAYMENT_TYPE_SERVICE_FEE))
    assert "US$\u00a04,000.00</dd></div>" in browser.get("/trips/bkg_1").get_data(as_text=True)


def test_foreign_and_unknown_trips_answer_alike(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved("bkg_4", passengers=(ALAN,)), booking_saved("bkg_5", status="quote"), booking_saved())
    for booking_id in ("bkg_4", "bkg_5", "bkg_none"):
        for path in ("", "/pay/seg_1", "/calendar.ics", "/itinerary.pdf"):
            assert browser.get(f"/trips/{booking_id}{path}").status_code == 404
    assert browser.get("/trips/bkg_1/pay/seg_none").status_code == 404


def test_somebody_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(world: PortalWorld) -> None:
    answer = world.client().get("/trips/bkg_1")
    assert answer.headers["Location"] == "/sign-in?next=/trips/bkg_1"


def test_a_payment_she_starts_is_authorized_like_any_other_and_told_to_the_crm(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    link_id = started(browser)
    page = browser.get(f"/pay/{link_id}/authorize").get_data(as_text=True)
    assert "You authorize Maya Okafor to pay" in page
    assert "I, Grace Hopper, am the cardholder" in page
    assert "in the amount of US$ 1,240.00, as a deposit for Balcony cabin on deck 7" in page
    authorized(world, browser, link_id)

    told = [message for message in world.published() if isinstance(message, PaymentAuthorized)]
    assert len(told) == 1
    assert told[0].self_service
    assert told[0].link_id == ""
    assert told[0].context.payer.id == GRACE.id
    assert told[0].context.agent.email == "maya@harbour.example"
    assert told[0].context.booking_id == "bkg_1"
    assert told[0].context.segment.id == "seg_1"
    assert told[0].context.due_on == "2026-12-01"
    assert world.intake.opened[-1]["payment_id"] == told[0].context.payment_id
    assert any(isinstance(message, DocumentSigned) for message in world.published())
    sums = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", browser.get("/trips/bkg_1").get_data(as_text=True)))
    assert sums["Authorized, being taken"] == "US$\u00a01,240.00"
    assert sums["Left to pay"] == "US$\u00a02,760.00"


def test_the_form_sent_twice_starts_one_payment_and_another_clients_same_key_is_another(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    assert started(browser) == started(browser)
    assert started(browser, request_key="form-2") != started(browser)
    alan = signed_in(world, ALAN, username="alan")
    assert started(alan) != started(browser)


def test_what_can_not_be_paid_is_said_and_what_was_typed_stays(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    answer = browser.post(PAY, data={"type": "regular", "amount": "4,000.01", "request_key": "k"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "At most US$\u00a04,000.00 is left to pay." in page
    assert 'value="4,000.01"' in page
    assert browser.post(PAY, data={"type": "service_fee", "amount": "5", "request_key": "k"}).status_code == 422
    assert browser.post(PAY, data={"type": "deposit", "amount": "a lot", "request_key": "k"}).status_code == 422
    assert browser.post(PAY, data={"type": "deposit", "amount": "-5", "request_key": "k"}).status_code == 422


def test_when_all_is_paid_there_is_nothing_to_add(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved(), processed(world, 4000))
    assert "Nothing to pay here" in browser.get(PAY).get_data(as_text=True)
    assert "Add payment" not in browser.get("/trips/bkg_1").get_data(as_text=True)
    # A form opened before, sent late.
    assert browser.post(PAY, data={"type": "final", "amount": "10", "request_key": "k"}).status_code == 200
    assert world.intake.opened == []


def test_nobody_but_the_client_herself_gets_at_a_payment_she_started(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    link_id = started(browser)
    stranger, alan = world.client(), signed_in(world, ALAN, username="alan")
    assert "/sign-in" in stranger.get(f"/pay/{link_id}/authorize").headers["Location"]
    assert stranger.get(f"/pay/{link_id}").headers["Location"] == "/trips/bkg_1"
    assert alan.get(f"/pay/{link_id}/authorize").status_code == 404
    assert alan.post(f"/pay/{link_id}/authorize", data=world.form(link_id, intake_id="int_9")).status_code == 404
    assert not any(isinstance(message, PaymentAuthorized) for message in world.published())


def test_what_somebody_else_paid_meanwhile_is_not_paid_twice(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    link_id = started(browser, type="final", amount="4,000.00")
    browser.get(f"/pay/{link_id}/authorize")
    tell(world, processed(world, 1240))
    answer = browser.post(f"/pay/{link_id}/authorize", data=world.form(link_id))
    assert answer.status_code == 409
    assert "At most US$\u00a02,760.00 is left to pay." in answer.get_data(as_text=True)
    assert world.intake.stores == 0


def test_a_session_that_ended_while_she_typed_says_how_to_go_on(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    link_id = started(browser)
    browser.get(f"/pay/{link_id}/authorize")
    world.clock.advance(timedelta(minutes=16))
    answer = browser.post(f"/pay/{link_id}/authorize", data=world.form(link_id), headers={"Accept": "application/json"})
    assert answer.get_json()["error"]["code"] == "SIGNED_OUT"
    assert answer.get_json()["next"] == f"/sign-in?next=/pay/{link_id}/authorize"


def test_a_payment_left_lying_for_a_day_is_closed_and_leads_back_to_the_trip(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    link_id = started(browser)
    world.clock.advance(timedelta(hours=25))
    browser = signed_in(world)
    answer = browser.get(f"/pay/{link_id}/authorize", follow_redirects=True)
    assert "waited too long" in answer.get_data(as_text=True)
    assert answer.request.path == "/trips/bkg_1"


def test_what_her_agent_asks_of_her_waits_on_her_trips_and_opens_without_the_mail(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    world.issue()
    assert "Maya Okafor asks you to pay" in browser.get("/trips").get_data(as_text=True)
    answer = browser.post("/payments/requests/lnk_first")
    assert answer.headers["Location"] == "/pay/lnk_first/authorize"
    assert browser.get("/pay/lnk_first/authorize").status_code == 200
    assert "PaymentLinkOpened" in world.published_types()
    alan = signed_in(world, ALAN, username="alan")
    assert alan.post("/payments/requests/lnk_first").status_code == 404
    assert alan.get("/pay/lnk_first/authorize").headers["Location"] == "/pay/lnk_first"


def test_after_a_merge_the_kept_client_has_the_trips_and_payments_of_both(world: PortalWorld) -> None:
    browser = signed_in(world)
    old = Client(id="cli_old", first_name="Grace", last_name="Hooper", email="old@client.example")
    tell(
        world,
        client_saved(old),
        booking_saved("bkg_1", passengers=(GRACE, old)),
        booking_saved("bkg_2", title="Lisbon", passengers=(old,)),
        processed(world, 100, payer=old),
    )
    tell(world, ClientMerged(kept_client_id=GRACE.id, merged_client_id=old.id, agent_id="agt_1"))
    assert "Lisbon" in browser.get("/trips").get_data(as_text=True)
    assert browser.get("/payments/pay_past").status_code == 200
    # A word from before the merge that comes late.
    tell(world, booking_saved("bkg_6", title="Late news", passengers=(old,)))
    assert "Late news" in browser.get("/trips").get_data(as_text=True)


def test_the_calendar_file_keeps_its_ids_and_counts_changes(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    answer = browser.get("/trips/bkg_1/calendar.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    first = {str(event["UID"]): event for event in Calendar.from_ical(answer.data).walk("VEVENT")}
    assert set(first) == {"seg_1@wayvault", "seg_1-deposit@wayvault", "seg_1-final@wayvault"}
    assert str(first["seg_1@wayvault"].decoded("dtend")) == "2027-06-13"
    tell(world, booking_saved(version=2, status="cancelled"))
    again = {
        str(event["UID"]): event
        for event in Calendar.from_ical(browser.get("/trips/bkg_1/calendar.ics").data).walk("VEVENT")
    }
    assert set(again) == set(first)
    assert all(event["SEQUENCE"] == 2 and event["STATUS"] == "CANCELLED" for event in again.values())


def test_a_removed_part_and_due_date_go_out_once_more_as_cancelled(world: PortalWorld) -> None:
    browser = signed_in(world)
    undated = cruise("seg_1")
    undated.ClearField("deposit_due_on")
    tell(world, booking_saved(segments=(cruise("seg_1"), cruise("seg_2"))))
    tell(world, booking_saved(version=2, segments=(undated,)))
    tell(world, booking_saved(version=3, segments=(undated,)))

    def events() -> dict[str, tuple[str, int]]:
        found = Calendar.from_ical(browser.get("/trips/bkg_1/calendar.ics").data).walk("VEVENT")
        return {str(each["UID"]): (str(each["STATUS"]), int(str(each["SEQUENCE"]))) for each in found}

    gone = {"seg_2@wayvault", "seg_2-deposit@wayvault", "seg_2-final@wayvault", "seg_1-deposit@wayvault"}
    assert {uid for uid, (status, _) in events().items() if status == "CANCELLED"} == gone
    assert {sequence for _, sequence in events().values()} == {3}
    tell(world, booking_saved(version=4, segments=(cruise("seg_1"),)))
    assert events()["seg_1-deposit@wayvault"] == ("CONFIRMED", 4)


def test_the_itinerary_is_a_pdf_without_amounts(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    answer = browser.get("/trips/bkg_1/itinerary.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_the_payments_page_tells_states_in_words_and_who_saw_the_card(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    link_id = started(browser)
    authorized(world, browser, link_id)
    payment_id = next(m for m in world.published() if isinstance(m, PaymentAuthorized)).context.payment_id
    assert "Authorized" in browser.get("/payments").get_data(as_text=True)
    assert browser.get(f"/payments/{payment_id}/receipt").status_code == 404
    tell(world, PaymentRetrieved(payment_id=payment_id, agent_name="Maya Okafor", at=stamp(world.clock.now())))
    tell(world, processed(world, 1240, payment_id=payment_id, payer=GRACE))
    page = browser.get(f"/payments/{payment_id}").get_data(as_text=True)
    assert "viewed once by <strong>Maya Okafor</strong>" in page
    receipt = browser.get(f"/payments/{payment_id}/receipt").get_data(as_text=True)
    assert "K-5521" in receipt
    assert "Your card was viewed once by Maya Okafor at" in receipt
    assert browser.get(f"/payments/{payment_id}/receipt.pdf").data.startswith(b"%PDF-")
    assert browser.get(f"/payments/{payment_id}/authorization.pdf").data.startswith(b"%PDF-")
    alan = signed_in(world, ALAN, username="alan")
    for path in ("", "/receipt", "/receipt.pdf", "/authorization.pdf"):
        assert alan.get(f"/payments/{payment_id}{path}").status_code == 404


def test_a_payment_that_did_not_come_through_the_portal_has_its_page_and_receipt(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved(), processed(world, 500, payer=GRACE))
    assert "Your payment is done" in browser.get("/payments/pay_past").get_data(as_text=True)
    assert browser.get("/payments/pay_past/receipt").status_code == 200
    assert browser.get("/payments/pay_past/authorization.pdf").status_code == 404


def test_a_voided_payment_counts_for_nothing(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved())
    voided = PaymentVoided(
        payment_id="pay_v",
        reason="Changed plans",
        at=stamp(world.clock.now()),
        context=context("pay_v", booking_id="bkg_1", amount=usd(10)),
    )
    tell(world, voided)
    sums = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", browser.get("/trips/bkg_1").get_data(as_text=True)))
    assert sums["Left to pay"] == "US$\u00a04,000.00"
