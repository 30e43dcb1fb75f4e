"""Standing orders (G3): signed once, charged on the agency's days, each day once."""

import html
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied, Unavailable
from protos.wayvault.events.v1.events_pb2 import (
    PaymentLinkIssued,
    PaymentLinkRevoked,
    PaymentProcessed,
    PaymentVoided,
    StandingOrderAsked,
    StandingOrderTold,
)
from services.crm.core.ports.charging import ChargeState
from services.crm.core.ports.vault import Removal
from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.standing_orders.plan import Every, Plan
from services.crm.paying.standing_orders.records import Proposal, StandingOrder
from services.crm.paying.standing_orders.rules import MORNING, OrderState
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import ORIGIN, CrmHouse, usd

ZONE = ZoneInfo("America/New_York")
NEWS = StandingOrderTold.News


pytestmark = pytest.mark.usefixtures("gateway")


def today(crm: CrmHouse) -> date:
    return crm.clock.now().astimezone(ZONE).date()


def propose(crm: CrmHouse, request_key: str = "order-1-0123456789", **plan: Any) -> StandingOrder:  # Any: Plan's
    given: dict[str, Any] = {"amount": usd(50_00), "every": Every.MONTH, "first_on": today(crm), "times": 3} | plan
    wanted = Proposal(
        request_key=request_key,
        client_id=crm.grace_id,
        purpose="Planning fee",
        plan=Plan(**given),
    )
    return crm.deps.paying.standing_orders.propose(crm.maya, crm.booking_id, wanted)


def signed(crm: CrmHouse, **plan: Any) -> StandingOrder:  # Any: fields of Plan
    """One that the client has signed, and whose first day has come."""
    order = propose(crm, **plan)
    crm.hear(crm.authorization(order.payment_id or ""))
    work(crm)
    return now_of(crm, order)


def work(crm: CrmHouse) -> None:
    """The worker, until there is nothing to do now."""
    for _ in range(40):
        crm.deps.paying.charges.find_out()
        crm.deps.paying.removals.carry_out()
        crm.deps.paying.order_keeping.forget()
        if not crm.deps.paying.order_keeping.run():
            crm.clock.advance(timedelta(seconds=6))  # a charge is looked after once more
            if not crm.deps.paying.order_keeping.run():
                return
    raise AssertionError("the worker finds no rest")


def go_to(crm: CrmHouse, day: date) -> None:
    """The morning of a day, and the worker runs."""
    moment = datetime.combine(day, MORNING, tzinfo=ZONE) + timedelta(minutes=1)
    crm.clock.advance(moment - crm.clock.now())
    work(crm)


def now_of(crm: CrmHouse, order: StandingOrder) -> StandingOrder:
    return crm.deps.paying.standing_orders.get(crm.maya, order.id)


def told(crm: CrmHouse) -> list[str]:
    return [NEWS.Name(event.news).removeprefix("NEWS_").lower() for event in crm.events(StandingOrderTold)]


def ahead_of(crm: CrmHouse) -> list[str]:
    """Of which orders client and agent were told a charge ahead."""
    return [event.order_id for event in crm.events(StandingOrderTold) if event.news == NEWS.NEWS_AHEAD]


def test_the_client_signs_the_plan_in_words(crm: CrmHouse) -> None:
    order = propose(crm, first_on=today(crm) + timedelta(days=2))
    (link,) = crm.events(PaymentLinkIssued)

    assert order.state is OrderState.PROPOSED
    assert link.terms_version.startswith("standing-order-")
    assert order.plan_words in link.terms_text
    assert "US$ 50.00 every month" in link.terms_text
    assert "3 times in all" in link.terms_text
    assert "told by e-mail 3 days before each charge" in link.terms_text
    assert link.context.plan == order.plan_words
    work(crm)
    assert crm.deps.paying.charges.find_out() == 0


def test_the_first_charge_is_of_the_card_which_is_destroyed_and_kept_by_the_gateway(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = signed(crm)

    (asked,) = gateway.orders
    assert (asked.keep_card, asked.mandate_id) == (True, "")
    (processed,) = crm.events(PaymentProcessed)
    row = crm.row(processed.payment_id)
    assert row.state == PaymentState.PROCESSED
    assert crm.vault.removals == [(row.card_token, Removal.PROCESSED)]
    assert (order.state, order.made, len(gateway.mandates)) == (OrderState.ACTIVE, 1, 1)
    assert order.card_words
    assert told(crm) == ["proposed", "begun", "charged"]


def test_each_further_day_is_told_ahead_and_charged_without_a_card(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=4))
    assert told(crm)[3:] == []
    go_to(crm, due - timedelta(days=3))
    (ahead,) = [event for event in crm.events(StandingOrderTold) if event.news == NEWS.NEWS_AHEAD]
    assert ahead.next_on == due.isoformat()
    go_to(crm, due - timedelta(days=1))
    assert len(gateway.orders) == 1
    go_to(crm, due)

    assert [one.keep_card for one in gateway.orders] == [True, False]
    assert gateway.orders[1].mandate_id in gateway.mandates
    payment = crm.row(gateway.orders[1].payment_id)
    assert (payment.state, payment.card_token, payment.due_on) == (PaymentState.PROCESSED, None, due)
    assert payment.card_last4 == order.card_last4
    assert now_of(crm, order).made == 2


def test_it_ends_by_itself_and_the_gateway_forgets_the_card(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm, times=2)
    go_to(crm, today(crm) + timedelta(days=40))
    go_to(crm, today(crm) + timedelta(days=1))

    ended = now_of(crm, order)
    assert (ended.state, ended.made) == (OrderState.COMPLETED, 2)
    assert gateway.mandates == set()
    go_to(crm, today(crm) + timedelta(days=200))
    assert len(gateway.orders) == 2


def test_a_first_day_to_come_is_waited_for_and_nobody_retrieves_the_card_meanwhile(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    first = today(crm) + timedelta(days=10)
    order = signed(crm, first_on=first)
    assert gateway.orders == []
    assert crm.row(order.payment_id or "").state == PaymentState.SCHEDULED
    assert crm.deps.paying.book.pending(crm.maya) == []
    with pytest.raises(InvalidArgument, match="standing order"):
        crm.deps.paying.charges.charge(crm.maya, order.payment_id or "", origin=ORIGIN)
    go_to(crm, first)
    assert len(gateway.orders) == 1


def test_a_day_that_was_missed_is_told_of_and_charged_once(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    go_to(crm, due + timedelta(days=9))  # nothing ran for weeks
    assert len(gateway.orders) == 1
    go_to(crm, due + timedelta(days=10))
    go_to(crm, due + timedelta(days=11))
    assert len(gateway.orders) == 2
    assert now_of(crm, order).next_on is not None


def test_a_decline_that_may_pass_is_tried_again_and_then_the_client_is_asked_for_a_card(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = signed(crm)
    gateway.next = ChargeState.DECLINED
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=3))
    for days in (0, 1, 2, 3, 4, 6, 8, 9, 12):
        go_to(crm, due + timedelta(days=days))

    assert len(gateway.orders) == 1 + 4
    assert len({one.payment_id for one in gateway.orders[1:]}) == 1
    assert told(crm)[-4:] == ["failed", "failed", "failed", "card_needed"]
    waiting = now_of(crm, order)
    assert waiting.state is OrderState.CARD_NEEDED
    assert len(crm.events(PaymentLinkIssued)) == 2

    gateway.next = ChargeState.SUCCEEDED
    crm.hear(crm.authorization(waiting.payment_id or "", token="card_second"))
    work(crm)
    assert gateway.orders[-1].keep_card
    assert gateway.orders[-1].card_token == "card_second"
    assert now_of(crm, order).state is OrderState.ACTIVE
    assert now_of(crm, order).made == 2
    assert len(gateway.mandates) == 1


def test_a_card_that_is_declined_for_good_is_not_tried_again(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    gateway.next, gateway.may_pass = ChargeState.DECLINED, False
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=3))
    go_to(crm, due)
    assert now_of(crm, order).state is OrderState.CARD_NEEDED
    go_to(crm, due + timedelta(days=5))
    assert len(gateway.orders) == 2
    (void,) = crm.events(PaymentVoided)
    assert "enough money" not in void.reason  # the reason of the bank is for the agent


def test_a_gateway_that_is_down_is_asked_again_in_an_hour_and_the_day_is_charged_once(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=3))
    gateway.next = ChargeState.FAILED
    go_to(crm, due)
    assert "failed" not in told(crm)
    gateway.next = ChargeState.SUCCEEDED
    crm.clock.advance(timedelta(hours=1, minutes=1))
    work(crm)
    assert now_of(crm, order).made == 2
    assert len({one.payment_id for one in gateway.orders}) == 2


def test_a_lost_answer_is_found_out_and_never_asked_for_again(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=3))
    gateway.lost = True
    go_to(crm, due)
    go_to(crm, due + timedelta(days=1))
    assert len(gateway.orders) == 2
    assert now_of(crm, order).made == 2


def test_a_call_that_never_arrived_is_made_again_once_it_can_not_arrive_any_more(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=3))
    gateway.never_arrives = True
    go_to(crm, due)
    assert len(gateway.orders) == 1
    gateway.never_arrives = False
    crm.clock.advance(timedelta(hours=2))
    work(crm)
    assert len(gateway.orders) == 2
    assert now_of(crm, order).made == 2


def test_days_of_a_pause_are_left_out(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm, times=3)
    orders = crm.deps.paying.standing_orders
    orders.pause(crm.maya, order.id)
    orders.pause(crm.maya, order.id)
    go_to(crm, today(crm) + timedelta(days=70))
    assert len(gateway.orders) == 1

    resumed = orders.resume(crm.maya, order.id)
    assert resumed.index == 3
    assert resumed.next_on is not None
    assert resumed.next_on > today(crm)
    for _ in range(4):
        go_to(crm, today(crm) + timedelta(days=31))
        go_to(crm, today(crm) + timedelta(days=1))
    assert now_of(crm, order).state is OrderState.COMPLETED
    assert len(gateway.orders) == 3


def test_cancelled_before_its_first_day_the_card_is_destroyed(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm, first_on=today(crm) + timedelta(days=10))
    payment_id = order.payment_id or ""
    crm.deps.paying.standing_orders.cancel(crm.maya, order.id)
    crm.deps.paying.standing_orders.cancel(crm.maya, order.id)
    work(crm)

    assert crm.row(payment_id).state == PaymentState.VOIDED
    assert crm.vault.removals == [(crm.row(payment_id).card_token, Removal.VOIDED)]
    go_to(crm, today(crm) + timedelta(days=30))
    assert gateway.orders == []


def test_cancelled_before_it_was_signed_its_link_opens_no_more(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = propose(crm)
    crm.deps.paying.standing_orders.cancel(crm.maya, order.id)
    work(crm)
    assert len(crm.events(PaymentLinkRevoked)) == 1

    # The client was signing at that moment.
    crm.hear(crm.authorization(order.payment_id or ""))
    work(crm)
    assert gateway.orders == []
    assert crm.row(order.payment_id or "").state == PaymentState.VOIDED
    assert len(crm.vault.removals) == 1


def test_a_client_cancels_in_the_portal_and_nobody_else_can(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    wish = StandingOrderAsked(order_id=order.id, client_id=crm.alan_id, wish=StandingOrderAsked.WISH_CANCEL)
    crm.hear(wish)
    assert now_of(crm, order).state is OrderState.ACTIVE
    wish.client_id = crm.grace_id
    crm.hear(wish)
    crm.hear(wish)
    work(crm)

    cancelled = now_of(crm, order)
    assert (cancelled.state, cancelled.note) == (OrderState.CANCELLED, "Cancelled by Grace Hopper in the portal.")
    assert gateway.mandates == set()
    go_to(crm, today(crm) + timedelta(days=60))
    assert len(gateway.orders) == 1


def test_a_gateway_that_can_not_forget_a_card_now_is_asked_again(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    gateway.refuse = Unavailable()
    crm.deps.paying.standing_orders.cancel(crm.maya, order.id)
    work(crm)
    assert gateway.mandates
    gateway.refuse = None
    crm.clock.advance(timedelta(minutes=11))
    work(crm)
    assert gateway.mandates == set()


def test_another_card_is_charged_from_the_next_day_on(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    orders = crm.deps.paying.standing_orders
    with pytest.raises(InvalidArgument, match=r"Ask for it from \w{3} \d"):
        orders.ask_for_card(crm.maya, order.id)
    go_to(crm, due - timedelta(days=20))
    asked = orders.ask_for_card(crm.maya, order.id)
    crm.hear(crm.authorization(asked.payment_id or "", token="card_second"))
    work(crm)
    assert len(gateway.orders) == 1
    go_to(crm, due - timedelta(days=3))
    go_to(crm, due)

    assert gateway.orders[-1].card_token == "card_second"
    assert gateway.orders[-1].keep_card
    assert len(gateway.mandates) == 1
    assert now_of(crm, order).made == 2


def test_another_card_that_does_not_come_in_time_leaves_the_old_one(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=5))
    crm.deps.paying.standing_orders.ask_for_card(crm.maya, order.id)
    go_to(crm, due - timedelta(days=3))
    go_to(crm, due)
    assert gateway.orders[-1].mandate_id
    assert len(crm.events(PaymentLinkRevoked)) == 1
    assert now_of(crm, order).made == 2


def test_a_card_that_came_after_its_day_was_charged_is_destroyed_and_charged_by_nobody(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = signed(crm)
    due = order.next_on
    assert due is not None
    go_to(crm, due - timedelta(days=5))
    asked = crm.deps.paying.standing_orders.ask_for_card(crm.maya, order.id)
    link = crm.deps.paying.links.of_payment(asked.payment_id or "")
    assert link is not None
    crm.deps.paying.links.withdraw(crm.maya, link.id)
    again = crm.deps.paying.closing.ask_again(crm.maya, asked.payment_id or "").new_payment_id
    go_to(crm, due - timedelta(days=3))
    go_to(crm, due)
    assert now_of(crm, order).made == 2

    crm.hear(crm.authorization(again, token="card_late"))
    work(crm)
    assert crm.row(again).state == PaymentState.VOIDED
    assert ("card_late", Removal.VOIDED) in crm.vault.removals
    assert len(gateway.orders) == 2


def test_what_is_due_by_a_standing_order_is_not_voided_by_hand(crm: CrmHouse) -> None:
    order = signed(crm, first_on=today(crm) + timedelta(days=5))
    with pytest.raises(InvalidArgument, match="Pause or cancel"):
        crm.deps.paying.closing.void(
            crm.maya, order.payment_id or "", reason="Not this month", fresh_link=False, origin=ORIGIN
        )


def test_the_same_form_again_proposes_nothing_more(crm: CrmHouse) -> None:
    assert propose(crm).id == propose(crm).id
    assert len(crm.events(PaymentLinkIssued)) == 1


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"amount": usd(0)}, "amount"),
        ({"first_on": date(2020, 1, 1)}, "first_on"),
        ({"first_on": date(2031, 1, 1)}, "first_on"),
        ({"times": None, "until": date(2020, 1, 1)}, "until"),
    ],
)
def test_a_plan_that_can_not_be_is_refused_at_its_field(crm: CrmHouse, plan: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        propose(crm, **plan)
    assert refused.value.field == field
    assert crm.events(PaymentLinkIssued) == []


def test_without_a_gateway_that_keeps_cards_there_are_none(crm: CrmHouse, gateway: FakeCharging) -> None:
    gateway.gateway = None
    with pytest.raises(InvalidArgument, match="no payment gateway"):
        propose(crm)


def test_they_are_their_agents_own(crm: CrmHouse) -> None:
    order = propose(crm)
    orders = crm.deps.paying.standing_orders
    with pytest.raises(NotFound):
        orders.get(crm.jonas, order.id)
    with pytest.raises(NotFound):
        orders.cancel(crm.jonas, order.id)
    assert orders.get(crm.ada, order.id).id == order.id
    with pytest.raises(PermissionDenied):
        orders.cancel(crm.ada, order.id)


def test_the_pages_propose_one_show_it_and_change_it(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    path = f"/standing-orders/new/{crm.booking_id}"
    form = {
        "request_key": "form-9-0123456789",
        "client_id": crm.grace_id,
        "amount": "50",
        "purpose": "Planning fee",
        "every": "month",
        "first_on": today(crm).isoformat(),
        "ends": "times",
        "times": "",
        "until": "",
    }
    assert "Send for signature" in browser.get(path).text
    refused = browser.post(path, form)
    assert refused.status_code == 422
    assert "Enter how many charges there are." in refused.text
    assert "Planning fee" in refused.text
    left = html.unescape(browser.post(path, form | {"times": "12", "until": "2099-01-31"}).text)
    assert "“On a day” is not chosen above" in left.partition('id="until-error"')[2].partition("</p>")[0]
    assert 'value="2099-01-31"' in left
    sent = browser.post(path, form | {"times": "12"})
    assert sent.status_code == 303

    shown = html.unescape(browser.get(sent.location).text)
    assert "12 times in all" in shown
    assert "Waits for signature" in shown
    assert f"/standing-orders/{sent.location.rsplit('/', 1)[1]}" in browser.get("/standing-orders").text
    assert sent.location in browser.get(f"/bookings/{crm.booking_id}").text
    order = crm.deps.paying.standing_orders.list_page(crm.maya, 1).items[0]
    crm.hear(crm.authorization(order.payment_id or ""))
    work(crm)
    payment = html.unescape(browser.get(f"/payments/{order.payment_id}").text)
    assert "standing order" in payment
    assert browser.post(f"{sent.location}/pause").status_code == 303
    assert "Resume" in browser.get(sent.location).text
    browser.post(f"{sent.location}/resume")
    browser.post(f"{sent.location}/card")
    assert "Ask for it from" in browser.get(sent.location).text
    browser.post(f"{sent.location}/cancel")
    assert "Cancelled by Maya Okafor." in browser.get(sent.location).text


def test_the_agencys_days_of_notice_are_those_of_orders_from_now_on(crm: CrmHouse) -> None:
    directory = crm.deps.access.directory
    before = signed(crm)
    agency = directory.agency(crm.agency_id)
    assert (agency.data.notice_days, before.notice_days) == (3, 3)
    directory.change_agency(crm.ada, replace(agency.data, notice_days=7), version=agency.version)
    later = propose(crm, "order-2-0123456789")

    assert (now_of(crm, before).notice_days, later.notice_days) == (3, 7)
    assert "told by e-mail 7 days before each charge" in crm.events(PaymentLinkIssued)[-1].terms_text
    assert "7 days ahead" in crm.browser(crm.maya).get(f"/standing-orders/new/{crm.booking_id}").text

    crm.hear(crm.authorization(later.payment_id or ""))
    work(crm)
    due = now_of(crm, later).next_on
    assert due is not None
    go_to(crm, due - timedelta(days=8))
    assert ahead_of(crm) == []
    go_to(crm, due - timedelta(days=7))
    assert ahead_of(crm) == [later.id]
    go_to(crm, due - timedelta(days=3))
    assert ahead_of(crm) == [later.id, before.id]


def test_an_agency_that_gives_no_notice_says_so_and_charges_on_the_day(crm: CrmHouse, gateway: FakeCharging) -> None:
    directory = crm.deps.access.directory
    agency = directory.agency(crm.agency_id)
    directory.change_agency(crm.ada, replace(agency.data, notice_days=0), version=agency.version)
    assert "tells nobody ahead" in crm.browser(crm.maya).get(f"/standing-orders/new/{crm.booking_id}").text
    order = signed(crm)
    assert "told by e-mail" not in crm.events(PaymentLinkIssued)[-1].terms_text
    due = order.next_on
    assert due is not None
    go_to(crm, due)
    assert (ahead_of(crm), len(gateway.orders)) == ([], 2)


@pytest.mark.parametrize("days", ["", "-1", "15", "a week"])
def test_days_of_notice_that_can_not_be_are_said_beside_their_field(crm: CrmHouse, days: str) -> None:
    ada = crm.browser(crm.ada)
    agency = crm.deps.access.directory.agency(crm.agency_id)
    form = {
        "version": str(agency.version),
        "name": agency.name,
        "time_zone": agency.data.time_zone,
        "card_retention_days": "30",
        "cvv_retention_hours": "72",
        "notice_days": days,
    }
    refused = ada.post("/agency", form)
    assert refused.status_code == 422
    assert 'id="notice_days-error"' in refused.text
    wrong = replace(agency.data, notice_days=15)
    with pytest.raises(InvalidArgument):
        crm.deps.access.directory.change_agency(crm.ada, wrong, version=agency.version)


def test_the_form_says_when_the_gateway_keeps_no_cards(crm: CrmHouse, gateway: FakeCharging) -> None:
    gateway.gateway = None
    assert "no payment gateway yet" in crm.browser(crm.maya).get(f"/standing-orders/new/{crm.booking_id}").text


class Killed(BaseException):
    """The worker's process ends here, as by kill -9: nothing after it runs."""


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
@pytest.mark.parametrize("charge", [0, 1], ids=["the first charge", "a further charge"])
def test_a_worker_that_is_killed_in_the_middle_charges_the_day_once(
    crm: CrmHouse, gateway: FakeCharging, monkeypatch: pytest.MonkeyPatch, *, after: bool, charge: int
) -> None:
    if charge:
        order = signed(crm, times=2, first_on=today(crm))
        due = order.next_on
        assert due is not None
        go_to(crm, due - timedelta(days=3))
        crm.clock.advance(datetime.combine(due, MORNING, tzinfo=ZONE) + timedelta(minutes=1) - crm.clock.now())
    else:
        order = propose(crm, times=2)
        crm.hear(crm.authorization(order.payment_id or ""))
    asked = gateway.charge

    def dies(*given: Any, **named: Any) -> None:  # Any: whatever charging is asked with
        if after:
            asked(*given, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(gateway, "charge", dies)
        with pytest.raises(Killed):
            any(crm.deps.paying.order_keeping.run() > 1 for _ in range(3))

    crm.clock.advance(timedelta(hours=2))
    work(crm)
    crm.clock.advance(timedelta(hours=2))
    work(crm)
    assert [len([one for one in made if one.state is ChargeState.SUCCEEDED]) for made in gateway.charges.values()] == (
        [1] * (charge + 1)
    )
    assert now_of(crm, order).made == charge + 1
