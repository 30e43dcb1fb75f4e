"""Charging a payment to the agency itself (G1, G2, G4, G6): the CRM's side, charging's books simulated."""

import html
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.errors import InvalidArgument, Unavailable, WayvaultError
from chassis.ids import new_id
from protos.wayvault.events.v1.events_pb2 import PaymentProcessed, PaymentReversed
from services.crm.core.ports.charging import Charge, ChargeOrder, ChargeState, GatewayDetail
from services.crm.core.ports.vault import Origin, Removal
from services.crm.paying.payments.rules import PaymentState, PaymentType
from tests.support.crm_paying import ORIGIN, CrmHouse


class FakeCharging:
    """ChargingPort with charging's promises: a key asks once, a standing charge bars another, never more
    back than taken.

    `lost`: the next answer does not arrive, though the work is done."""

    def __init__(self) -> None:
        self.gateway: GatewayDetail | None = GatewayDetail(name="stripe", live=False)
        self.charges: dict[str, list[Charge]] = {}
        self.keys: dict[str, str] = {}
        self.next = ChargeState.SUCCEEDED
        self.lost = False
        self.never_arrives = False
        self.refuse: WayvaultError | None = None

    def gateway_of(self, agency_id: str) -> GatewayDetail | None:
        return self.gateway

    def charge(self, order: ChargeOrder, *, idempotency_key: str, origin: Origin) -> Charge:
        if self.refuse:
            raise self.refuse
        if self.never_arrives:
            raise Unavailable
        made = Charge(
            id=new_id("chg"),
            state=self.next,
            amount_minor=order.amount_minor,
            currency=order.currency,
            refunded_minor=0,
            refunds_open=False,
            gateway="stripe",
            live=False,
            reason="There is not enough money on the card." if self.next is ChargeState.DECLINED else "",
            next_step="Ask the client for another card." if self.next is ChargeState.DECLINED else "",
            client_url="https://bank.example/3ds" if self.next is ChargeState.NEEDS_CLIENT else "",
            reference="pi_000001",
        )
        assert not [one for one in self._of(order.payment_id) if one.state is ChargeState.SUCCEEDED]
        self.charges.setdefault(order.payment_id, []).insert(0, made)
        return self._answer(made)

    def refund(
        self,
        *,
        idempotency_key: str,
        agency_id: str,
        charge_id: str,
        agent_id: str,
        amount_minor: int,
        reason: str,
        origin: Origin,
    ) -> Charge:
        payment_id, old = next((p, c) for p, found in self.charges.items() for c in found if c.id == charge_id)
        if idempotency_key not in self.keys:
            if old.refunded_minor + amount_minor > old.amount_minor:
                raise InvalidArgument("That is more than what is left of this charge.", field="amount")
            self.keys[idempotency_key] = charge_id
            old = self.become(payment_id, refunded_minor=old.refunded_minor + amount_minor)
        return self._answer(old)

    def void(self, *, idempotency_key: str, agency_id: str, charge_id: str, agent_id: str, origin: Origin) -> Charge:
        payment_id = next(p for p, found in self.charges.items() for c in found if c.id == charge_id)
        return self.become(payment_id, state=ChargeState.VOIDED, client_url="")

    def charges_of(self, agency_id: str, payment_id: str) -> list[Charge]:
        return self._of(payment_id)

    def become(self, payment_id: str, **changes: object) -> Charge:
        """The payment's newest charge changes at the gateway."""
        self.charges[payment_id][0] = replace(self.charges[payment_id][0], **changes)  # type: ignore[arg-type]
        return self.charges[payment_id][0]

    def _of(self, payment_id: str) -> list[Charge]:
        return list(self.charges.get(payment_id, []))

    def _answer(self, charge: Charge) -> Charge:
        if self.lost:
            self.lost = False
            raise Unavailable
        return charge


@pytest.fixture
def gateway() -> FakeCharging:
    return FakeCharging()


@pytest.fixture
def crm(tmp_path: Path, gateway: FakeCharging) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path, charging=gateway)
    yield house
    house.deps.core.database.dispose()


def fee(crm: CrmHouse) -> str:
    """An authorized service fee: its payee is the agency."""
    request = replace(crm.link_request(), segment_id="", type=PaymentType.SERVICE_FEE)
    payment_id = crm.deps.paying.links.send(crm.maya, crm.booking_id, request)[0].payment_id
    crm.hear(crm.authorization(payment_id))
    return payment_id


def charge(crm: CrmHouse, payment_id: str) -> ChargeState:
    return crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)


def later(crm: CrmHouse, **time: int) -> None:
    crm.clock.advance(timedelta(**(time or {"seconds": 10})))
    crm.deps.paying.charges.find_out()


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


def test_a_charge_that_waits_can_be_given_up(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    gateway.next = ChargeState.NEEDS_CLIENT
    charge(crm, payment_id)
    crm.browser(crm.maya).post(f"/payments/{payment_id}/charge/give-up", {})
    assert "was given up. Nothing was charged." in page(crm, payment_id)
    gateway.next = ChargeState.SUCCEEDED
    assert charge(crm, payment_id) is ChargeState.SUCCEEDED


def test_refunds_in_part_and_whole_and_what_is_given_back_in_full_counts_no_more(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    left = crm.row(payment_id).amount_minor
    maya = crm.browser(crm.maya)

    def refund(amount: str, key: str) -> int:
        form = {"refund-amount": amount, "refund-reason": "Cancelled", "refund-request_key": key}
        return maya.post(f"/payments/{payment_id}/refund", form).status_code

    assert refund("100.00", "first-key-1") == refund("100.00", "first-key-1") == 303
    assert gateway.charges[payment_id][0].refunded_minor == 100_00
    assert crm.row(payment_id).state == PaymentState.PROCESSED
    assert refund(f"{left / 100:.2f}", "second-key-1") == 422
    assert refund("nonsense", "third-key-12") == 422
    assert refund(f"{(left - 100_00) / 100:.2f}", "fourth-key-1") == 303
    assert crm.row(payment_id).state == PaymentState.REVERSED
    assert len(crm.events(PaymentReversed)) == 1


def test_a_refund_whose_answer_is_lost_is_shown_as_soon_as_it_is_known(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = fee(crm)
    charge(crm, payment_id)
    gateway.lost = True
    form = {"refund-amount": "40.00", "refund-reason": "Cancelled", "refund-request_key": "first-key-1"}
    answer = crm.browser(crm.maya).post(f"/payments/{payment_id}/refund", form)
    assert answer.status_code == 422
    later(crm)
    assert "US$\u00a040.00" in page(crm, payment_id)
