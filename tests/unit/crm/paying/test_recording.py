"""Payments that were made otherwise, and mistakes taken back (C6)."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.money import Money
from protos.wayvault.events.v1.events_pb2 import (
    PaymentContext,
    PaymentRecorded,
    PaymentReportDeclined,
    PaymentReported,
    PaymentReversed,
)
from services.crm.office.reports.rules import last_months
from services.crm.office.reports.service import Wanted
from services.crm.paying.payments.rules import Fact, Method, PaymentState, PaymentType, after
from services.crm.paying.recording.rules import Act
from services.crm.paying.schedule.rules import SegmentSchedule
from tests.support.crm_paying import ORIGIN, Browser, CrmHouse, usd


def standing(crm: CrmHouse) -> SegmentSchedule:
    found = crm.deps.paying.schedule.of(crm.booking).of_segment(crm.segment_id)
    assert found is not None
    return found


def processed_total(crm: CrmHouse) -> int:
    period = last_months(crm.clock.now().date(), 2)
    return sum(each.amount.minor for each in crm.deps.office.reports.processed(crm.maya, Wanted(period=period)))


def report(crm: CrmHouse, **changes: str) -> PaymentReported:
    """What the portal says when Grace tells of a bank transfer."""
    template = crm.row(crm.requested("like-this-0123456789")).context
    context = PaymentContext.FromString(template)
    context.payment_id, context.method, context.paid_on = new_id("pay"), "transfer", "2026-11-20"
    for name, value in changes.items():
        setattr(context, name, value)
    told = PaymentReported(context=context, reference="TRX 99", note="From our joint account")
    told.at.FromDatetime(crm.clock.now())
    return told


def reported(crm: CrmHouse) -> str:
    told = report(crm)
    crm.hear(told)
    return told.context.payment_id


def test_a_recorded_payment_counts_at_once_everywhere_and_is_told(crm: CrmHouse) -> None:
    payment = crm.recorded()
    assert (payment.state, payment.method) == (PaymentState.PROCESSED, Method.CHEQUE)
    now = standing(crm)
    assert (now.balance.processed, now.balance.due) == (usd(1_240_00), usd(2_760_00))
    assert [due.left for due in now.dues] == [usd(0), usd(2_760_00)]
    assert processed_total(crm) == 1_240_00
    (told,) = crm.events(PaymentRecorded)
    assert (told.context.method, told.context.paid_on) == ("cheque", str(payment.paid_on))
    assert (told.reference, told.was_reported) == ("No. 4711", False)
    (act,) = crm.deps.paying.recording.acts_of(payment)
    assert (act.act, act.who, act.effect) == (Act.RECORDED, "Maya Okafor", usd(1_240_00))


def test_the_form_sent_twice_records_once(crm: CrmHouse) -> None:
    assert crm.recorded().id == crm.recorded().id
    assert len(crm.events(PaymentRecorded)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_id": "client_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, "client_id"),
        ({"amount": Money(minor=100, currency="EUR")}, "amount"),
        ({"method": Method.CARD}, "method"),
        ({"segment_id": ""}, "segment_id"),
    ],
)
def test_what_does_not_belong_to_the_booking_is_not_recorded(
    crm: CrmHouse, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        crm.recorded(**changes)
    assert refused.value.field == field
    assert crm.events(PaymentRecorded) == []


def test_a_payment_of_tomorrow_but_one_is_not_recorded(crm: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="still to come"):
        crm.recorded(paid_on=crm.clock.now().date() + timedelta(days=3))


def test_a_reversal_stands_beside_the_record_and_takes_its_effect_away(crm: CrmHouse) -> None:
    payment = crm.recorded()
    for _ in range(2):
        crm.deps.paying.recording.reverse(crm.maya, payment.id, reason="The cheque bounced.", ip=ORIGIN.ip)
    after_all = crm.deps.paying.book.get(crm.maya, payment.id)
    assert (after_all.state, after_all.amount) == (PaymentState.REVERSED, usd(1_240_00))
    assert (standing(crm).balance.processed, processed_total(crm)) == (usd(0), 0)
    (told,) = crm.events(PaymentReversed)
    assert (told.context.payment_id, told.reason) == (payment.id, "The cheque bounced.")
    acts = crm.deps.paying.recording.acts_of(payment)
    assert [act.act for act in acts] == [Act.RECORDED, Act.REVERSED]
    assert sum(act.effect.minor for act in acts) == 0


def test_a_payment_processed_by_mistake_is_reversed_and_its_segment_may_be_asked_for_again(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    crm.deps.paying.closing.process(crm.maya, payment_id, confirmation="AUR-1", note="", origin=ORIGIN)
    crm.deps.paying.recording.reverse(crm.maya, payment_id, reason="It was the other Hopper.", ip=ORIGIN.ip)
    assert standing(crm).dues[0].not_asked == usd(1_240_00)
    assert crm.row(payment_id).confirmation_number == "AUR-1"
    assert crm.deps.paying.book.processed_by_segment([crm.segment_id]) == {}


def test_only_what_was_processed_can_be_reversed(crm: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="Only a payment that was processed"):
        crm.deps.paying.recording.reverse(crm.maya, crm.authorized(), reason="No", ip="")


def test_what_a_client_reports_counts_only_when_the_agent_has_confirmed_it(crm: CrmHouse) -> None:
    payment_id = reported(crm)
    waiting = crm.deps.paying.book.on_desk(crm.maya).reported
    assert [(each.id, each.method, each.confirmation_number) for each in waiting] == [
        (payment_id, Method.TRANSFER, "TRX 99")
    ]
    assert standing(crm).balance.processed == usd(0)
    for _ in range(2):
        crm.deps.paying.recording.confirm(crm.maya, payment_id, ip=ORIGIN.ip)
    assert standing(crm).balance.processed == usd(1_240_00)
    (told,) = crm.events(PaymentRecorded)
    assert told.was_reported
    acts = [
        (act.act, act.who) for act in crm.deps.paying.recording.acts_of(crm.deps.paying.book.get(crm.maya, payment_id))
    ]
    assert acts == [(Act.REPORTED, "Grace Hopper"), (Act.CONFIRMED, "Maya Okafor")]


def test_a_report_heard_twice_is_one_payment(crm: CrmHouse) -> None:
    told = report(crm)
    crm.hear(told)
    crm.hear(told)
    assert len(crm.deps.paying.book.on_desk(crm.maya).reported) == 1


def test_a_report_that_is_not_found_is_declined_with_a_reason_and_counts_for_nothing(crm: CrmHouse) -> None:
    payment_id = reported(crm)
    crm.deps.paying.recording.decline(crm.maya, payment_id, reason="No such transfer.", ip=ORIGIN.ip)
    with pytest.raises(InvalidArgument, match="not found"):
        crm.deps.paying.recording.confirm(crm.maya, payment_id, ip="")
    assert standing(crm).balance.processed == usd(0)
    (told,) = crm.events(PaymentReportDeclined)
    assert told.reason == "No such transfer."


def test_a_card_can_not_be_reported(crm: CrmHouse) -> None:
    told = report(crm, method="card")
    with pytest.raises(Exception, match="card payment through Wayvault"):
        crm.hear(told)
    assert crm.deps.paying.book.on_desk(crm.maya).reported == ()


def test_nobody_but_the_owner_records_confirms_declines_or_reverses(crm: CrmHouse) -> None:
    payment_id, recording = reported(crm), crm.deps.paying.recording
    for actor, refusal in ((crm.jonas, NotFound), (crm.ada, PermissionDenied)):
        with pytest.raises(refusal):
            recording.confirm(actor, payment_id, ip="")
        with pytest.raises(refusal):
            recording.decline(actor, payment_id, reason="No", ip="")
        with pytest.raises(refusal):
            recording.reverse(actor, payment_id, reason="No", ip="")
    assert crm.row(payment_id).state == PaymentState.REPORTED


@given(
    st.lists(st.sampled_from(list(Fact)), max_size=12), st.sampled_from([PaymentState.REPORTED, PaymentState.PROCESSED])
)
def test_what_was_reversed_is_paid_again_only_when_its_refund_comes_back(
    happened: list[Fact], start: PaymentState
) -> None:
    path, state = [start], start
    for fact in (one for one in happened if one is not Fact.REFUND_FAILED):
        if (following := after(state, fact)) is not None:
            state = following
            path.append(state)
    assert path.count(PaymentState.PROCESSED) <= 1
    if PaymentState.REVERSED in path:
        assert path[-1] is PaymentState.REVERSED
    assert after(PaymentState.REVERSED, Fact.REFUND_FAILED) is PaymentState.PROCESSED


# The pages


@pytest.fixture
def maya(crm: CrmHouse) -> Browser:
    return crm.browser(crm.maya)


def form_of(page: str, crm: CrmHouse, **changes: str) -> dict[str, str]:
    key = re.search(r'name="request_key"[^>]*value="([^"]+)"', page)
    assert key is not None
    typed = {
        "request_key": key[1],
        "method": "supplier_site",
        "amount": "1240",
        "paid_on": crm.clock.now().date().isoformat(),
        "segment_id": crm.segment_id,
        "type": "deposit",
        "client_id": crm.grace_id,
        "reference": "AUR-9",
    }
    return typed | changes


def test_the_form_proposes_what_is_due_next_and_the_booking_shows_what_was_recorded(
    crm: CrmHouse, maya: Browser
) -> None:
    page = maya.get(f"/bookings/{crm.booking_id}/payments/new").text
    assert 'value="1,240.00"' in page
    answer = maya.post(f"/bookings/{crm.booking_id}/payments/new", form_of(page, crm))
    assert answer.status_code == 303
    booking = maya.get(f"/bookings/{crm.booking_id}").text
    assert "Card on the supplier&#39;s own site" in booking
    assert "2,760.00" in booking
    following = maya.get(f"/bookings/{crm.booking_id}/payments/new").text
    assert 'value="2,760.00"' in following


def test_what_is_paid_too_much_is_warned_about_and_recorded_when_it_is_meant(crm: CrmHouse, maya: Browser) -> None:
    where = f"/bookings/{crm.booking_id}/payments/new"
    typed = form_of(maya.get(where).text, crm, amount="4,000.50")
    warned = maya.post(where, typed)
    assert warned.status_code == 422
    assert "0.50 more than it costs" in warned.text.replace("\u00a0", " ")
    assert 'value="4,000.50"' in warned.text
    assert maya.post(where, typed | {"overpay_ok": "y"}).status_code == 303
    assert standing(crm).balance.over == usd(50)


def test_a_payment_is_voided_on_its_own_page_and_not_without_a_reason(crm: CrmHouse, maya: Browser) -> None:
    payment = crm.recorded()
    assert maya.get(f"/payments/{payment.id}/reverse").status_code == 200
    empty = maya.post(f"/payments/{payment.id}/reverse", {"reason": " "})
    assert empty.status_code == 422
    assert "Say why" in empty.text
    assert maya.post(f"/payments/{payment.id}/reverse", {"reason": "The amount was wrong."}).status_code == 303
    page = maya.get(f"/payments/{payment.id}").text
    assert "The amount was wrong." in page
    assert "Void, reversed" in page


def test_a_report_stands_on_the_dashboard_until_it_is_answered(crm: CrmHouse, maya: Browser) -> None:
    payment_id = reported(crm)
    assert "Reported by clients" in maya.get("/").text
    assert maya.post(f"/payments/{payment_id}/confirm", {}).status_code == 303
    assert "Reported by clients" not in maya.get("/").text
    assert "Confirmed" in maya.get(f"/payments/{payment_id}").text


def test_a_service_fee_is_recorded_without_a_segment(crm: CrmHouse) -> None:
    fee = replace(crm.recorded(segment_id="", type=PaymentType.SERVICE_FEE, amount=usd(75_00)))
    assert fee.supplier_name == ""
    assert standing(crm).balance.processed == usd(0)
    assert crm.deps.paying.schedule.of(crm.booking).paid == usd(75_00)
