"""Instalments, cancelled segments and the service fee (C5)."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from chassis.errors import InvalidArgument
from protos.wayvault.events.v1.events_pb2 import BookingSaved, ReminderSendNowRequested
from services.crm.paying.payments.rules import PaymentType
from services.crm.paying.schedule.rules import Proposal, proposal
from services.crm.trips.bookings.rules import Cancellation, Instalment, SegmentDetail
from tests.support.crm_paying import Browser, CrmHouse, usd

DUES = ((500_00, date(2027, 1, 15)), (760_00, date(2027, 2, 15)))


@pytest.fixture
def maya(crm: CrmHouse) -> Browser:
    return crm.browser(crm.maya)


def segment(crm: CrmHouse) -> SegmentDetail:
    found = crm.booking.segment(crm.segment_id)
    assert found is not None
    return found


def with_instalments(crm: CrmHouse) -> SegmentDetail:
    """The deposit of US$ 1,240, two instalments between, and US$ 1,500 as final payment."""
    data = replace(
        segment(crm).data,
        final=usd(1_500_00),
        instalments=tuple(Instalment(amount=usd(minor), due_on=day) for minor, day in DUES),
    )
    return crm.deps.trips.bookings.change_segment(
        crm.maya, crm.booking_id, crm.segment_id, data, version=crm.booking.version
    )


def cancel(crm: CrmHouse, cancelled: Cancellation | None) -> SegmentDetail:
    return crm.deps.trips.bookings.cancel_segment(
        crm.maya, crm.booking_id, crm.segment_id, cancelled, version=crm.booking.version
    )


def next_to_ask(crm: CrmHouse) -> Proposal | None:
    return proposal(crm.deps.paying.schedule.of(crm.booking))


def test_instalments_stand_between_deposit_and_final_payment_under_ids_that_stay(crm: CrmHouse) -> None:
    first = [(due.id, due.kind.value, due.amount.minor) for due in with_instalments(crm).dues]
    assert [(kind, minor) for _, kind, minor in first] == [
        ("deposit", 1_240_00),
        ("regular", 500_00),
        ("regular", 760_00),
        ("final", 1_500_00),
    ]
    data = replace(segment(crm).data, description="Deck 8")
    again = crm.deps.trips.bookings.change_segment(
        crm.maya, crm.booking_id, crm.segment_id, data, version=crm.booking.version
    )
    assert [(due.id, due.kind.value, due.amount.minor) for due in again.dues] == first
    told = crm.events(BookingSaved)[-1].segments[0]
    assert [each.id for each in told.instalments] == [due_id for due_id, _, _ in first]
    # For readers of before: all that follows the deposit, by the last day.
    assert (told.deposit.minor, told.final.minor, told.final_due_on) == (1_240_00, 2_760_00, "2027-04-01")


def test_what_is_due_next_less_what_was_paid_is_proposed(crm: CrmHouse) -> None:
    with_instalments(crm)
    crm.recorded(amount=usd(1_400_00))
    found = next_to_ask(crm)
    assert found is not None
    assert (found.amount, found.type, found.due_on) == (usd(340_00), PaymentType.REGULAR, DUES[0][1])
    page = crm.browser(crm.maya).get(f"/links/new/{crm.booking_id}").text
    assert 'value="340.00"' in page


def test_the_next_due_of_any_segment_is_proposed_not_the_first_segments(crm: CrmHouse) -> None:
    sooner = replace(
        segment(crm).data, supplier_name="Nordlys Airways", deposit=usd(90_00), deposit_due_on=date(2026, 11, 28)
    )
    made = crm.deps.trips.bookings.add_segment(crm.maya, crm.booking_id, sooner, version=crm.booking.version)
    found = next_to_ask(crm)
    assert found is not None
    assert (found.segment_id, found.amount) == (made.id, usd(90_00))


def test_instalments_are_due_on_the_dashboard_and_in_the_report(crm: CrmHouse, maya: Browser) -> None:
    with_instalments(crm)
    crm.recorded()
    found = crm.deps.trips.bookings.dues(
        crm.maya, date(2027, 2, 28), crm.deps.paying.book.processed_by_segment, first_day=date(2026, 11, 1)
    )
    assert [(due.amount.minor, due.due_on) for _, due in found] == list(DUES)
    page = maya.get("/reports/due?from=2026-11-01&to=2027-02-28").text
    assert page.count("Instalment") >= 2


@pytest.mark.parametrize(
    "days", [(date(2026, 11, 30), date(2027, 1, 1)), (date(2027, 1, 1), date(2027, 5, 1)), (date(2027, 1, 1), None)]
)
def test_an_instalment_outside_of_the_schedule_or_without_a_day_is_refused(
    crm: CrmHouse, days: tuple[date | None, ...]
) -> None:
    data = replace(
        segment(crm).data, final=usd(100_00), instalments=tuple(Instalment(amount=usd(100), due_on=day) for day in days)
    )
    with pytest.raises(InvalidArgument) as refused:
        crm.deps.trips.bookings.change_segment(
            crm.maya, crm.booking_id, crm.segment_id, data, version=crm.booking.version
        )
    assert refused.value.field == "schedule"


def test_a_cancelled_segment_owes_only_what_the_supplier_keeps_and_is_taken_up_again_whole(crm: CrmHouse) -> None:
    before = with_instalments(crm)
    crm.recorded()
    cancelled = cancel(
        crm, Cancellation(at=crm.clock.now(), penalty=usd(200_00), refund_due=usd(1_040_00), reason="Knee surgery")
    )
    assert (cancelled.dues, cancelled.price, cancelled.data.commission) == ([], usd(200_00), None)
    schedule = crm.deps.paying.schedule.of(crm.booking)
    assert (schedule.due, schedule.segments[0].balance.over) == (usd(0), usd(1_040_00))
    assert crm.deps.trips.bookings.dues(crm.maya, date(2028, 1, 1), lambda _: {}) == []
    told = crm.events(BookingSaved)[-1].segments[0]
    assert (told.cancelled, told.penalty.minor, told.refund_due.minor) == (True, 200_00, 1_040_00)
    assert (len(told.instalments), told.HasField("final")) == (0, False)
    with pytest.raises(InvalidArgument, match="Take it up again"):
        crm.deps.trips.bookings.change_segment(
            crm.maya, crm.booking_id, crm.segment_id, before.data, version=crm.booking.version
        )
    assert cancel(crm, None) == before


def test_a_commission_is_expected_again_when_its_segment_is_taken_up(crm: CrmHouse) -> None:
    data = replace(segment(crm).data, commission=usd(400_00))
    crm.deps.trips.bookings.change_segment(crm.maya, crm.booking_id, crm.segment_id, data, version=crm.booking.version)
    for _ in range(2):
        cancel(crm, Cancellation(at=crm.clock.now()))
    assert crm.booking.commission == usd(0)
    for _ in range(2):
        cancel(crm, None)
    assert crm.booking.commission == usd(400_00)


def test_a_pasted_schedule_is_read_into_the_fields_and_saved_from_there(crm: CrmHouse, maya: Browser) -> None:
    where = f"/bookings/{crm.booking_id}/segments/{crm.segment_id}"
    version = str(crm.booking.version)
    typed = {
        "version": version,
        "supplier_name": "Aurora Cruises",
        "kind": "cruise",
        "begins_on": "2027-06-05",
        "price": "4,000",
        "schedule": "Deposit 25% 1 Dec 2026\n$1,000 15 Jan 2027\nBalance 90 days before departure",
    }
    read = maya.post(where, typed)
    assert read.status_code == 200
    assert "3 due amounts read" in read.text
    fields = dict(re.findall(r'name="((?:due_|deposit|final)[a-z_0-9]*)"[^>]*value="([^"]*)"', read.text))
    assert fields["due_amount_0"] == "1,000.00"
    assert fields["final"] == "2,000.00"
    saved = maya.post(where, {**typed, **fields, "schedule": ""})
    assert saved.status_code == 303
    assert [due.amount.minor for due in segment(crm).dues] == [1_000_00, 1_000_00, 2_000_00]
    wrong = maya.post(where, {**typed, "version": str(crm.booking.version), "schedule": "Deposit 500 by 3/4/2027"})
    assert wrong.status_code == 422
    assert "3/4/2027" in wrong.text


def test_a_segment_is_cancelled_and_taken_up_again_on_its_pages(crm: CrmHouse, maya: Browser) -> None:
    where = f"/bookings/{crm.booking_id}/segments/{crm.segment_id}"
    typed = {"version": str(crm.booking.version), "penalty": "abc", "reason": "Knee"}
    wrong = maya.post(f"{where}/cancel", typed)
    assert (wrong.status_code, 'value="abc"' in wrong.text, 'value="Knee"' in wrong.text) == (422, True, True)
    assert maya.post(f"{where}/cancel", typed | {"penalty": "200", "refund_due": "0"}).status_code == 303
    page = maya.get(f"/bookings/{crm.booking_id}").text
    assert "The supplier keeps US$\u00a0200.00" in page
    assert "Aurora Cruises" not in maya.get(f"/bookings/{crm.booking_id}/itinerary").text
    assert maya.post(f"{where}/take-up", {"version": str(crm.booking.version)}).status_code == 303
    assert not segment(crm).is_cancelled


def test_the_service_fee_stands_on_itinerary_schedule_and_balance_and_is_asked_for(
    crm: CrmHouse, maya: Browser
) -> None:
    bookings = crm.deps.trips.bookings
    form = maya.get(f"/bookings/{crm.booking_id}/edit").text
    assert "Total Service Fees" in form
    typed = {
        "version": str(crm.booking.version),
        "title": "Norwegian fjords for three",
        "status": "booked",
        "currency": "USD",
        "passengers": crm.grace_id,
        "lead": crm.grace_id,
        "service_fee": "150",
        "service_fee_description": "Planning and reservations",
    }
    assert maya.post(f"/bookings/{crm.booking_id}/edit", typed).status_code == 303
    assert "Planning and reservations" in maya.get(f"/bookings/{crm.booking_id}/itinerary").text
    assert "Planning and reservations" in maya.get(f"/bookings/{crm.booking_id}").text
    assert bookings.get(crm.maya, crm.booking_id).total == usd(4_150_00)
    page = maya.get(f"/links/new/{crm.booking_id}?segment=none").text
    assert 'value="150.00"' in page
    told = crm.events(BookingSaved)[-1]
    assert (told.service_fee.minor, told.service_fee_description) == (150_00, "Planning and reservations")
    crm.recorded(segment_id="", type=PaymentType.SERVICE_FEE, amount=usd(150_00))
    fee = crm.deps.paying.schedule.of(crm.booking).fee
    assert fee is not None
    assert fee.due == usd(0)


def test_a_reminder_that_was_too_late_is_asked_for_at_once(crm: CrmHouse) -> None:
    crm.clock.advance(timedelta(days=8))
    maya = crm.browser(crm.maya)
    with_instalments(crm)
    page = maya.get(f"/bookings/{crm.booking_id}").text
    assert "Send now" in page
    due = segment(crm).dues[0]
    assert maya.post(f"/reminders/bookings/{crm.booking_id}/send-now", {"due": due.id}).status_code == 303
    (told,) = crm.events(ReminderSendNowRequested)
    assert (told.segment_id, told.kind, told.due_on) == (crm.segment_id, "payment_due", "2026-12-01")
    assert "{DepositAmt}" in told.body
    assert maya.post(f"/reminders/bookings/{crm.booking_id}/send-now", {"due": "gone"}).status_code == 303
    assert len(crm.events(ReminderSendNowRequested)) == 1
