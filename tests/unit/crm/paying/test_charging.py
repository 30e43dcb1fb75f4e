"""Charging a payment to the agency itself (G1, G2, G4, G6): the CRM's side, charging's books simulated."""

import html
from collections.abc import Callable
from datetime import timedelta

import pytest

from chassis.errors import InvalidArgument, PermissionDenied, Unavailable, WayvaultError
from protos.wayvault.events.v1.events_pb2 import (
    PaymentConfirmationWanted,
    PaymentProcessed,
    PaymentRefunded,
    PaymentReversed,
)
from services.crm.core.ports.charging import Charge, ChargeState, RefundState
from services.crm.core.ports.vault import Removal
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import PaymentState
from tests.support.crm_charging import FakeCharging, fee
from tests.support.crm_paying import ORIGIN, CrmHouse

pytestmark = pytest.mark.usefixtures("gateway")


def charge(crm: CrmHouse, payment_id: str) -> ChargeState:
    return crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)


def later(crm: CrmHouse, **time: int) -> None:
    crm.clock.advance(timedelta(**(time or {"seconds": 10})))
    crm.deps.paying.charges.find_out()
    crm.deps.paying.refunds.carry_out()


def page(crm: CrmHouse, payment_id: str) -> str:
    return html.unescape(crm.browser(crm.maya).get(f"/payments/{payment_id}").text)


def test_a_fee_is_charged_in_place_of_retrieving_and_its_card_is_destroyed(crm: CrmHouse) -> None:
    payment_id = fee(crm)
    before = page(crm, payment_id)
    assert "Charge US$" in before
    assert "RETRIEVE and PROCESS" not in before
    assert "Processed with supplier" not in before
    assert "Test mode" in before

    assert crm.browser(crm.maya).post(f"/payments/{payment_id}/charge", {}).status_code == 303

    assert crm.row(payment_id).state == PaymentState.PROCESSED
    crm.deps.paying.removals.carry_out()
    assert crm.vault.removals == [(crm.row(payment_id).card_token, Removal.PROCESSED)]
    (told,) = crm.events(PaymentProcessed)
    assert told.confirmation_number == "pi_000001"
    assert "Charged" in page(crm, payment_id)


def test_a_suppliers_payment_is_retrieved_as_ever_and_never_charged_here(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    assert "RETRIEVE and PROCESS" in page(crm, payment_id)
    with pytest.raises(InvalidArgument, match="supplier"):
        charge(crm, payment_id)


def test_an_agency_without_a_gateway_retrieves(crm: CrmHouse, gateway: FakeCharging) -> None:
    gateway.gateway = None
    payment_id = fee(crm)
    assert "RETRIEVE and PROCESS" in page(crm, payment_id)


def test_a_decline_is_told_in_words_with_what_to_do_and_may_be_tried_again(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    gateway.next = ChargeState.DECLINED
    assert charge(crm, payment_id) is ChargeState.DECLINED

    shown = page(crm, payment_id)
    assert "There is not enough money on the card. Ask the client for another card." in shown
    assert crm.row(payment_id).state == PaymentState.AUTHORIZED
    assert crm.events(PaymentProcessed) == []

    gateway.next = ChargeState.SUCCEEDED
    assert charge(crm, payment_id) is ChargeState.SUCCEEDED


def test_a_lost_answer_is_being_found_out_and_asked_for_only_once(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    gateway.lost = True
    assert charge(crm, payment_id) is ChargeState.ASKING

    assert "Being found out" in page(crm, payment_id)
    with pytest.raises(InvalidArgument, match="being charged already"):
        charge(crm, payment_id)
    answer = crm.browser(crm.maya).post(f"/payments/{payment_id}/void", {"void-reason": "Never mind"})
    assert answer.status_code == 422
    assert "being charged" in answer.text
    later(crm)

    assert crm.row(payment_id).state == PaymentState.PROCESSED
    assert len(gateway.charges[payment_id]) == 1
    later(crm)
    assert len(crm.events(PaymentProcessed)) == 1


def test_a_call_that_never_arrived_is_known_not_to_have_charged_once_it_can_not_arrive_any_more(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    gateway.next = ChargeState.DECLINED
    charge(crm, payment_id)  # an older charge is no news of the newer one
    gateway.next, gateway.never_arrives = ChargeState.SUCCEEDED, True
    charge(crm, payment_id)

    later(crm)
    assert "Being found out" in page(crm, payment_id)
    later(crm, minutes=3)
    assert "The gateway was never asked. Nothing was charged. Charge again." in page(crm, payment_id)

    gateway.never_arrives = False
    assert charge(crm, payment_id) is ChargeState.SUCCEEDED


def test_what_charging_refuses_is_told_and_nothing_was_charged(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    gateway.refuse = InvalidArgument("The gateway charges at least US$ 0.50.")
    crm.browser(crm.maya).post(f"/payments/{payment_id}/charge", {})
    assert "The gateway charges at least US$ 0.50. Nothing was charged." in page(crm, payment_id)
    assert crm.row(payment_id).state == PaymentState.AUTHORIZED


def test_a_client_who_has_to_confirm_is_waited_for_and_it_comes_back_by_itself(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    gateway.next = ChargeState.NEEDS_CLIENT
    charge(crm, payment_id)
    assert "https://bank.example/3ds" in page(crm, payment_id)

    gateway.become(payment_id, state=ChargeState.SUCCEEDED, client_url="")
    later(crm)
    assert crm.row(payment_id).state == PaymentState.PROCESSED


def test_the_client_is_mailed_the_link_once_and_the_page_says_so(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    gateway.next = ChargeState.NEEDS_CLIENT
    charge(crm, payment_id)
    for _ in range(3):
        later(crm)

    (told,) = crm.events(PaymentConfirmationWanted)
    assert told.context.payment_id == payment_id
    assert told.sealed_mail
    assert "bank.example" not in str(told)
    assert "They have the link by e-mail" in page(crm, payment_id)


def test_a_charge_that_waits_can_be_given_up(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    gateway.next = ChargeState.NEEDS_CLIENT
    charge(crm, payment_id)
    crm.browser(crm.maya).post(f"/payments/{payment_id}/charge/give-up", {})
    assert "was given up. Nothing was charged." in page(crm, payment_id)
    gateway.next = ChargeState.SUCCEEDED
    assert charge(crm, payment_id) is ChargeState.SUCCEEDED


def refund(crm: CrmHouse, payment_id: str, amount: str, seen: int = 0) -> int:
    form = {"refund-amount": amount, "refund-reason": "Cancelled", "refund-seen": str(seen)}
    return crm.browser(crm.maya).post(f"/payments/{payment_id}/refund", form).status_code


def test_refunds_in_part_and_whole_and_what_is_given_back_in_full_counts_no_more(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    all_of_it = crm.row(payment_id).amount_minor

    assert refund(crm, payment_id, "100.00") == 303
    assert gateway.charges[payment_id][0].refunded_minor == 100_00
    assert crm.row(payment_id).state == PaymentState.PROCESSED
    assert (crm.row(payment_id).amount_minor, crm.row(payment_id).refunded_minor) == (all_of_it - 100_00, 100_00)
    assert refund(crm, payment_id, f"{all_of_it / 100:.2f}", seen=1) == 422
    assert refund(crm, payment_id, "nonsense", seen=1) == 422
    assert refund(crm, payment_id, f"{(all_of_it - 100_00) / 100:.2f}", seen=1) == 303

    assert crm.row(payment_id).state == PaymentState.REVERSED
    assert crm.row(payment_id).amount_minor == all_of_it
    assert [told.refunded.minor for told in crm.events(PaymentRefunded)] == [100_00, all_of_it]
    assert len(crm.events(PaymentReversed)) == 1
    later(crm)
    assert len(crm.events(PaymentRefunded)) == 2


def test_a_part_that_was_given_back_leaves_balance_and_report(crm: CrmHouse) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    booking = crm.deps.trips.bookings.get(crm.maya, crm.booking_id)

    def paid() -> int:
        standing = crm.deps.paying.schedule.of(booking).fee
        return standing.processed.minor if standing else 0

    before = paid()
    refund(crm, payment_id, "40.00")
    assert paid() == before - 40_00
    assert "US$\u00a040.00 refunded" in html.unescape(crm.browser(crm.maya).get(f"/bookings/{crm.booking_id}").text)


def test_a_double_click_and_a_page_that_is_out_of_date_refund_once(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    assert refund(crm, payment_id, "40.00") == refund(crm, payment_id, "40.00") == 303
    assert refund(crm, payment_id, "50.00") == 422  # another window, loaded before the first refund
    assert gateway.charges[payment_id][0].refunded_minor == 40_00
    assert refund(crm, payment_id, "40.00", seen=1) == 303  # the page shows the first, so this is meant
    assert gateway.charges[payment_id][0].refunded_minor == 80_00


@pytest.mark.parametrize("arrived", [True, False], ids=["answer lost", "call lost"])
def test_a_refund_without_an_answer_is_made_once_and_none_can_be_asked_for_beside_it(
    crm: CrmHouse, gateway: FakeCharging, arrived: bool
) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    gateway.lost, gateway.never_arrives = arrived, not arrived
    assert refund(crm, payment_id, "40.00") == 303
    shown = page(crm, payment_id)
    assert "Being found out" in shown

    gateway.lost = arrived
    assert refund(crm, payment_id, "40.00", seen=1) == 422  # a freshly loaded page
    gateway.lost = gateway.never_arrives = False
    later(crm)

    assert gateway.charges[payment_id][0].refunded_minor == 40_00
    assert len(crm.events(PaymentRefunded)) == 1
    assert "Refunded" in page(crm, payment_id)


def test_a_refund_on_its_way_counts_when_it_has_left_and_not_when_it_came_back(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    gateway.next_refund = RefundState.PENDING
    refund(crm, payment_id, "40.00")
    assert crm.row(payment_id).refunded_minor == 0
    gateway.settle_refunds(payment_id, RefundState.FAILED, "The client's bank did not take the refund.")
    later(crm)
    assert "did not take the refund" in page(crm, payment_id)

    refund(crm, payment_id, "40.00", seen=1)
    gateway.settle_refunds(payment_id, RefundState.SUCCEEDED)
    later(crm)
    assert crm.row(payment_id).refunded_minor == 40_00


def test_what_charging_refuses_of_a_refund_is_told_and_another_may_be_asked_for(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    gateway.refuse = InvalidArgument("Your agency has no payment gateway.")
    refund(crm, payment_id, "40.00")
    assert "Your agency has no payment gateway." in page(crm, payment_id)
    gateway.refuse = None
    assert refund(crm, payment_id, "40.00", seen=1) == 303
    assert crm.row(payment_id).refunded_minor == 40_00


def test_what_was_charged_is_refunded_and_not_voided_by_a_word(crm: CrmHouse) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    assert "it was a mistake" not in page(crm, payment_id)
    maya = crm.browser(crm.maya)
    assert maya.get(f"/payments/{payment_id}/reverse").status_code == 303
    maya.post(f"/payments/{payment_id}/reverse", {"reason": "A mistake"})
    with pytest.raises(InvalidArgument, match="Refund it"):
        crm.deps.paying.recording.reverse(crm.maya, payment_id, reason="A mistake", ip="")
    assert crm.row(payment_id).state == PaymentState.PROCESSED


@pytest.mark.parametrize("how", ["void", "process", "remove"])
def test_a_closing_that_meets_a_charge_is_decided_in_the_same_transaction(
    crm: CrmHouse, gateway: FakeCharging, how: str
) -> None:
    """The charge begins after the page asked whether one stood: what holds the payment's row has the last word."""
    payment_id = fee(crm)
    gateway.lost = True
    charge(crm, payment_id)
    deps = crm.deps.paying
    acts: dict[str, Callable[[], object]] = {
        "void": lambda: deps.closing.void(crm.maya, payment_id, reason="No", fresh_link=False, origin=ORIGIN),
        "process": lambda: deps.closing.process(crm.maya, payment_id, confirmation="X", note="", origin=ORIGIN),
        "remove": lambda: deps.removals.by_hand(crm.maya, payment_id, typed="REMOVE", origin=ORIGIN),
    }
    if how == "process":
        with crm.deps.core.database.transaction() as session:  # shown after all, by a code that was under way
            session.get_one(PaymentRow, payment_id).state = PaymentState.RETRIEVED
    with pytest.raises(InvalidArgument, match="being charged"):
        acts[how]()
    assert crm.vault.removals == []


def test_older_news_of_a_charge_that_has_ended_opens_it_no_more(
    crm: CrmHouse, gateway: FakeCharging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker asks charging while the charge stands open, and hears of it after another has heard how it ended."""
    payment_id = fee(crm)
    gateway.next = ChargeState.ASKING
    charge(crm, payment_id)
    asked = gateway.charges_of

    def late(agency_id: str, of_payment: str) -> list[Charge]:
        older = asked(agency_id, of_payment)
        monkeypatch.setattr(gateway, "charges_of", asked)
        gateway.become(payment_id, state=ChargeState.SUCCEEDED)
        crm.deps.paying.charges.find_out()
        return older

    monkeypatch.setattr(gateway, "charges_of", late)
    later(crm)

    assert crm.row(payment_id).state == PaymentState.PROCESSED
    (found,) = crm.deps.paying.charges.of_payments({payment_id: "USD"}).values()
    assert found.state is ChargeState.SUCCEEDED


def test_a_gateways_message_is_passed_on_as_it_came_and_its_payment_looked_at(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    gateway.next = ChargeState.NEEDS_CLIENT
    charge(crm, payment_id)
    gateway.become(payment_id, state=ChargeState.SUCCEEDED, client_url="")
    agency, body = crm.row(payment_id).agency_id, b'{"id": "evt_1"}'
    visitor = crm.browser(crm.maya).app.test_client()
    headers = {"Stripe-Signature": "t=1,v1=abc", "Content-Type": "application/json"}
    answer = visitor.post(f"/gateway/{agency}/notices", data=body, headers=headers)

    assert answer.status_code == 200
    assert gateway.notices == [(agency, body, "t=1,v1=abc")]
    crm.deps.paying.charges.find_out()
    assert crm.row(payment_id).state == PaymentState.PROCESSED


@pytest.mark.parametrize(("refusal", "status"), [(PermissionDenied("No."), 400), (Unavailable("Down."), 503)])
def test_a_message_that_charging_does_not_take_is_answered_so_that_the_gateway_knows(
    crm: CrmHouse, gateway: FakeCharging, refusal: WayvaultError, status: int
) -> None:
    gateway.refuse = refusal
    sent = (
        crm.browser(crm.maya)
        .app.test_client()
        .post(f"/gateway/{crm.maya.agency_id}/notices", data=b"{}", headers={"Stripe-Signature": "t=1,v1=ab"})
    )
    assert sent.status_code == status


def test_a_refund_that_came_back_counts_as_paid_again(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    paid = crm.row(payment_id).amount_minor
    refund(crm, payment_id, f"{paid / 100:.2f}")
    assert crm.row(payment_id).state == PaymentState.REVERSED
    gateway.settle_refunds(payment_id, RefundState.FAILED, "The client's card has ended.")
    crm.deps.paying.notices.take(crm.row(payment_id).agency_id, b"{}", "")
    crm.deps.paying.refunds.carry_out()

    assert (crm.row(payment_id).state, crm.row(payment_id).amount_minor) == (PaymentState.PROCESSED, paid)
    assert [told.refunded.minor for told in crm.events(PaymentRefunded)] == [paid, 0]
