"""Payments that a client started themselves, when the CRM hears of them (P3, M3)."""

import pytest

from chassis.ids import new_id
from protos.wayvault.common.v1.common_pb2 import Money as WireMoney
from protos.wayvault.events.v1.events_pb2 import BookingSaved, Client, PaymentAuthorized, PaymentContext, PaymentType
from services.crm.paying.payments.self_service import StrangePayment
from tests.support.crm_paying import CrmHouse


def own_payment(crm: CrmHouse, *, payment_id: str = "", client_id: str = "", agent_id: str = "") -> PaymentAuthorized:
    """What the portal says when a client has authorized a payment that they started."""
    told = crm.events(BookingSaved)[-1]
    made = crm.authorization(crm.requested())
    made.self_service = True
    made.link_id = ""
    made.context.CopyFrom(
        PaymentContext(
            payment_id=payment_id or new_id("pay"),
            booking_id=told.booking_id,
            booking_title=told.title,
            agency=told.agency,
            agent=told.agent,
            payer=Client(
                id=client_id or crm.grace_id, first_name="Grace", last_name="Hopper", email="g@client.example"
            ),
            segment=told.segments[0],
            amount=WireMoney(minor=50_000, currency="USD"),
            type=PaymentType.PAYMENT_TYPE_FINAL,
            purpose="Final payment for Aurora Cruises",
            due_on="2027-04-01",
            policy=told.policy,
        )
    )
    if agent_id:
        made.context.agent.id = agent_id
    return made


def test_it_becomes_a_payment_that_waits_for_the_agent_and_lights_her_alert(crm: CrmHouse) -> None:
    message = own_payment(crm)
    crm.hear(message)
    payment = crm.deps.paying.book.get(crm.maya, message.context.payment_id)
    assert (payment.state, payment.type, payment.amount.minor) == ("authorized", "final", 50_000)
    assert payment.payer_client_id == crm.grace_id
    assert payment.card_token == message.card_token
    assert crm.deps.paying.signs.of(crm.maya).pending == 1


def test_heard_twice_it_is_one_payment(crm: CrmHouse) -> None:
    message = own_payment(crm)
    crm.hear(message)
    crm.hear(message)
    assert crm.deps.paying.signs.of(crm.maya).pending == 1


def test_its_page_and_the_booking_show_it_like_any_other(crm: CrmHouse) -> None:
    message = own_payment(crm)
    crm.hear(message)
    browser = crm.browser(crm.maya)
    assert browser.get(f"/payments/{message.context.payment_id}").status_code == 200
    page = browser.get(f"/bookings/{crm.booking_id}").get_data(as_text=True)
    assert "US$\u00a0500.00" in page
    assert "Started in the portal" in page


def test_one_who_is_no_longer_on_the_trip_has_authorized_all_the_same(crm: CrmHouse) -> None:
    booking = crm.booking
    stranger = crm.deps.sales.clients.create(crm.maya, crm.deps.sales.clients.get(crm.maya, crm.tim_id).data)
    message = own_payment(crm, client_id=stranger.id)
    crm.hear(message)
    assert crm.deps.paying.book.get(crm.maya, message.context.payment_id).booking_id == booking.id


@pytest.mark.parametrize("wrong", ["booking", "agent", "client"])
def test_what_does_not_belong_together_is_a_dead_letter_and_makes_no_payment(crm: CrmHouse, wrong: str) -> None:
    message = own_payment(crm, agent_id=crm.jonas.agent_id if wrong == "agent" else "")
    if wrong == "booking":
        message.context.booking_id = new_id("booking")
    if wrong == "client":
        message.context.payer.id = new_id("client")
    with pytest.raises(StrangePayment):
        crm.hear(message)
    assert crm.deps.paying.signs.of(crm.maya).pending == 0


def test_the_booking_is_told_whole_but_without_what_clients_must_not_see(crm: CrmHouse) -> None:
    told = crm.events(BookingSaved)[-1]
    assert (told.version, told.currency, told.lead_client_id) == (2, "USD", crm.grace_id)
    assert told.segments[0].final.minor == 276_000
    assert told.segments[0].deposit_due_on == "2026-12-01"
    assert told.agency.name == "Harbour & Vine Travel"
    assert told.agent.email == "maya@harbour.example"
    assert told.policy.card_retention_days == 30
    assert "{Amount}" in told.terms_template
    assert not {"notes", "commission"} & {field.name for field in told.DESCRIPTOR.fields}
