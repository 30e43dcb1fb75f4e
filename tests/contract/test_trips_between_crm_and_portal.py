"""What one side says of trips, documents and payments, the other side understands: both for real, no bus between."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from chassis.money import Money
from protos.wayvault.events.v1.events_pb2 import (
    BookingSaved,
    Client,
    DocumentShared,
    DocumentWithdrawn,
    PaymentAuthorized,
    PaymentLinkIssued,
    PaymentProcessed,
    PaymentRecorded,
    PaymentRefunded,
    PaymentReportDeclined,
    PaymentReported,
    PaymentRetrieved,
    PaymentReversed,
    PaymentTakenByPhone,
)
from services.crm.trips.bookings.service import BookingData, Cancellation, Instalment
from services.crm.trips.documents.service import Upload
from services.portal.trips.rules import PayType
from tests.support.crm_charging import FakeCharging, fee
from tests.support.crm_paying import ORIGIN, CrmHouse, usd
from tests.support.office_files import pdf
from tests.support.portal import PortalWorld
from tests.support.portal_people import signed_in, tell


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmHouse]:
    (tmp_path / "crm").mkdir()
    house = CrmHouse(tmp_path / "crm", charging=FakeCharging())
    yield house
    house.deps.core.database.dispose()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[PortalWorld]:
    (tmp_path / "portal").mkdir()
    made = PortalWorld(tmp_path / "portal")
    yield made
    made.close()


def grace_of(crm: CrmHouse) -> Client:
    return Client(id=crm.grace_id, first_name="Grace", last_name="Hopper", email="grace@client.example")


def test_a_booking_of_the_crm_becomes_a_trip_with_the_same_money(crm: CrmHouse, portal: PortalWorld) -> None:
    tell(portal, *crm.events(BookingSaved))
    view = portal.deps.trips.get(crm.grace_id, crm.booking_id)
    booking = crm.booking
    assert view.trip.version == booking.version
    assert (view.trip.begins_on, view.trip.ends_on) == (booking.begins_on, booking.ends_on)
    assert [part.segment.price for part in view.parts] == [segment.data.price for segment in booking.segments]
    dues = [(due.type.value, due.amount, due.due_on) for part in view.parts for due in part.schedule]
    assert dues == [(due.kind.value, due.amount, due.due_on) for part in booking.segments for due in part.dues]
    assert [person.client_id for person in view.trip.travelers] == [crm.grace_id, crm.alan_id, crm.tim_id]


def test_a_payment_started_in_the_portal_is_processed_in_the_crm_and_paid_in_the_portal(
    crm: CrmHouse, portal: PortalWorld
) -> None:
    tell(portal, *crm.events(BookingSaved))
    browser = signed_in(portal, grace_of(crm))
    form = {"type": "deposit", "amount": "1240", "request_key": "one"}
    link_id = browser.post(f"/trips/{crm.booking_id}/pay/{crm.segment_id}", data=form).headers["Location"].split("/")[2]
    browser.get(f"/pay/{link_id}/authorize")
    assert browser.post(f"/pay/{link_id}/authorize", data=portal.form(link_id)).status_code == 303

    authorized = next(message for message in portal.published() if isinstance(message, PaymentAuthorized))
    crm.vault.hold(authorized.card_token)
    crm.hear(authorized)
    payment_id = authorized.context.payment_id
    crm.reveal(payment_id)
    crm.deps.paying.closing.process(crm.maya, payment_id, confirmation="AC-1", note="", origin=ORIGIN)
    tell(portal, *crm.events(PaymentRetrieved), *crm.events(PaymentProcessed))

    part = portal.deps.trips.get(crm.grace_id, crm.booking_id).parts[0]
    assert part.balance.paid == usd(1_240_00)
    assert part.balance.due == usd(2_760_00)
    assert [offer.type for offer in part.offers] == [PayType.FINAL, PayType.REGULAR]
    assert browser.get(f"/payments/{payment_id}/receipt").status_code == 200


def test_a_payment_reported_in_the_portal_is_paid_when_the_agent_confirms_and_open_again_when_it_is_reversed(
    crm: CrmHouse, portal: PortalWorld
) -> None:
    tell(portal, *crm.events(BookingSaved))
    browser = signed_in(portal, grace_of(crm))
    where = f"/trips/{crm.booking_id}/paid/{crm.segment_id}"
    typed = {"method": "transfer", "amount": "1240", "reference": "TRX 99", "request_key": "one"}
    wrong = browser.post(where, data=typed | {"paid_on": str(portal.clock.now().date() + timedelta(days=9))})
    assert (wrong.status_code, "still to come" in wrong.text) == (422, True)
    today = portal.clock.now().date().isoformat()
    assert [browser.post(where, data=typed | {"paid_on": today}).status_code for _ in range(2)] == [303, 303]
    (told,) = [message for message in portal.published() if isinstance(message, PaymentReported)]
    payment_id = told.context.payment_id

    def due() -> Money | None:
        return portal.deps.trips.get(crm.grace_id, crm.booking_id).parts[0].balance.due

    crm.hear(told)
    assert due() == usd(4_000_00)
    assert "Being checked" in browser.get("/payments").text
    crm.deps.paying.recording.confirm(crm.maya, payment_id, ip="")
    tell(portal, *crm.events(PaymentRecorded))
    assert due() == usd(2_760_00)
    receipt = browser.get(f"/payments/{payment_id}/receipt").text
    assert "Bank transfer" in receipt
    assert "TRX 99" in receipt
    crm.deps.paying.recording.reverse(crm.maya, payment_id, reason="It came back.", ip="")
    tell(portal, *crm.events(PaymentReversed))
    assert due() == usd(4_000_00)
    assert browser.get(f"/payments/{payment_id}/receipt").status_code == 404
    assert "It came back." in browser.get(f"/payments/{payment_id}").text


def test_who_comes_back_from_the_bank_sees_it_done_as_soon_as_it_is(crm: CrmHouse, portal: PortalWorld) -> None:
    payment_id = fee(crm)
    (asked,) = crm.events(PaymentLinkIssued)
    by_phone = PaymentTakenByPhone(context=asked.context, brand="visa", last4="1111")
    by_phone.authorized_at.FromDatetime(portal.clock.now())
    tell(portal, by_phone)
    visitor = portal.client()
    assert "This page follows by itself" in visitor.get(f"/confirmed/{payment_id}").text
    assert "Nothing was charged" in visitor.get(f"/confirmed/{payment_id}?redirect_status=failed").text
    crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)
    tell(portal, *crm.events(PaymentProcessed))
    shown = visitor.get(f"/confirmed/{payment_id}").text
    assert "Your payment is done" in shown
    assert "Grace" not in shown
    assert "1,240" not in shown


def test_what_was_given_back_leaves_the_clients_trip_too(crm: CrmHouse, portal: PortalWorld) -> None:
    payment_id = fee(crm)
    crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)
    tell(portal, *crm.events(BookingSaved), *crm.events(PaymentProcessed))
    browser = signed_in(portal, grace_of(crm))

    def paid() -> list[Money]:
        return [one.amount for one in portal.deps.payments.counted([crm.booking_id])[crm.booking_id]]

    assert paid() == [usd(1_240_00)]
    crm.deps.paying.refunds.refund(crm.maya, payment_id, amount=usd(240_00), reason="Not needed", seen=0, origin=ORIGIN)
    tell(portal, *crm.events(PaymentRefunded), *crm.events(PaymentRefunded))

    assert paid() == [usd(1_000_00)]
    page = browser.get(f"/payments/{payment_id}").text
    assert "240.00 of it went back to your card: Not needed." in page
    assert "Given back" in browser.get(f"/payments/{payment_id}/receipt").text
    crm.deps.paying.refunds.refund(
        crm.maya, payment_id, amount=usd(1_000_00), reason="Cancelled", seen=1, origin=ORIGIN
    )
    tell(portal, *crm.events(PaymentReversed), *crm.events(PaymentRefunded)[1:])
    assert "Your money was given back" in browser.get(f"/payments/{payment_id}").text


def test_a_report_that_was_not_found_says_so_and_leaves_all_open(crm: CrmHouse, portal: PortalWorld) -> None:
    tell(portal, *crm.events(BookingSaved))
    browser = signed_in(portal, grace_of(crm))
    typed = {"method": "cheque", "amount": "1240", "request_key": "one", "paid_on": str(portal.clock.now().date())}
    assert browser.post(f"/trips/{crm.booking_id}/paid/{crm.segment_id}", data=typed).status_code == 303
    told = next(message for message in portal.published() if isinstance(message, PaymentReported))
    crm.hear(told)
    crm.deps.paying.recording.decline(crm.maya, told.context.payment_id, reason="No such cheque.", ip="")
    tell(portal, *crm.events(PaymentReportDeclined))
    page = browser.get(f"/payments/{told.context.payment_id}").text
    assert "could not find this payment" in page
    assert "No such cheque." in page


def test_a_recorded_payment_of_the_crm_is_paid_in_the_portal_and_has_a_receipt(
    crm: CrmHouse, portal: PortalWorld
) -> None:
    payment = crm.recorded()
    tell(portal, *crm.events(BookingSaved), *crm.events(PaymentRecorded))
    assert portal.deps.trips.get(crm.grace_id, crm.booking_id).parts[0].balance.paid == usd(1_240_00)
    assert "Cheque" in signed_in(portal, grace_of(crm)).get(f"/payments/{payment.id}/receipt").text


def test_instalments_of_the_crm_are_shown_and_the_very_one_can_be_paid_in_the_portal(
    crm: CrmHouse, portal: PortalWorld
) -> None:
    booking = crm.booking
    data = replace(
        booking.segments[0].data,
        final=usd(1_500_00),
        instalments=(
            Instalment(amount=usd(500_00), due_on=date(2027, 1, 15)),
            Instalment(amount=usd(760_00), due_on=date(2027, 2, 15)),
        ),
    )
    crm.deps.trips.bookings.change_segment(crm.maya, booking.id, crm.segment_id, data, version=booking.version)
    tell(portal, *crm.events(BookingSaved))
    part = portal.deps.trips.get(crm.grace_id, crm.booking_id).parts[0]
    dues = [(due.id, due.amount, due.due_on) for due in part.schedule]
    assert dues == [(due.id, due.amount, due.due_on) for due in crm.booking.segments[0].dues]
    browser = signed_in(portal, grace_of(crm))
    assert browser.get(f"/trips/{crm.booking_id}").text.count("Instalment") == 2
    pay = f"/trips/{crm.booking_id}/pay/{crm.segment_id}"
    assert 'value="760.00"' in browser.get(f"{pay}?due={dues[2][0]}").text
    form = {"type": "regular", "amount": "760", "request_key": "one"}
    assert browser.post(pay, data=form).status_code == 303


def test_the_service_fee_of_the_crm_is_paid_in_the_portal(crm: CrmHouse, portal: PortalWorld) -> None:
    booking = crm.booking
    data = BookingData(
        title=booking.title,
        status=booking.status,
        currency="USD",
        passenger_ids=tuple(person.client_id for person in booking.passengers),
        service_fee=usd(150_00),
        service_fee_description="Planning and reservations",
    )
    crm.deps.trips.bookings.change(crm.maya, booking.id, data, version=booking.version)
    tell(portal, *crm.events(BookingSaved))
    browser = signed_in(portal, grace_of(crm))
    assert "Planning and reservations" in browser.get(f"/trips/{crm.booking_id}").text
    form = {"type": "service_fee", "amount": "150", "request_key": "one"}
    answer = browser.post(f"/trips/{crm.booking_id}/pay/fee", data=form)
    link_id = answer.headers["Location"].split("/")[2]
    browser.get(f"/pay/{link_id}/authorize")
    assert browser.post(f"/pay/{link_id}/authorize", data=portal.form(link_id)).status_code == 303
    authorized = next(message for message in portal.published() if isinstance(message, PaymentAuthorized))
    crm.vault.hold(authorized.card_token)
    crm.hear(authorized)
    fee = crm.deps.paying.schedule.of(crm.booking).fee
    assert fee is not None
    assert fee.authorized == usd(150_00)
    view = portal.deps.trips.get(crm.grace_id, crm.booking_id)
    assert view.fee is not None
    assert (view.fee.balance.under_way, view.fee.offers) == (usd(150_00), ())
    assert view.parts[0].balance.under_way == usd(0)


def test_a_cancelled_segment_shows_what_comes_back_and_takes_no_payment(crm: CrmHouse, portal: PortalWorld) -> None:
    crm.recorded()
    cancelled = Cancellation(at=crm.clock.now(), penalty=usd(200_00), refund_due=usd(1_040_00))
    crm.deps.trips.bookings.cancel_segment(
        crm.maya, crm.booking_id, crm.segment_id, cancelled, version=crm.booking.version
    )
    tell(portal, *crm.events(BookingSaved), *crm.events(PaymentRecorded))
    part = portal.deps.trips.get(crm.grace_id, crm.booking_id).parts[0]
    assert (part.offers, part.schedule) == ((), ())
    page = signed_in(portal, grace_of(crm)).get(f"/trips/{crm.booking_id}").text
    assert "Refund due to you" in page
    assert "1,040.00" in page


def test_a_document_of_the_crm_is_downloaded_in_the_portal_until_it_is_taken_back(
    crm: CrmHouse, portal: PortalWorld
) -> None:
    content = pdf()
    upload = Upload(request_key="one", file_name="passes.pdf", content=content, title="Boarding passes")
    document = crm.deps.trips.documents.share(crm.maya, crm.booking_id, upload)
    tell(portal, *crm.events(BookingSaved), *crm.events(DocumentShared))
    assert portal.deps.trip_documents.file(crm.alan_id, document.id).content == content
    crm.deps.trips.documents.withdraw(crm.maya, document.id)
    tell(portal, *crm.events(DocumentWithdrawn))
    assert portal.deps.trip_documents.of_client(crm.alan_id) == []
