"""Charging against the simulator: every charge that was asked for exists once at the gateway, or is known not to."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import charging_pb2 as pb
from services.vault.charging.gateways.port import Order
from services.vault.charging.gateways.stripe.adapter import StripeGateway
from services.vault.charging.gateways.stripe.calls import AllowedHosts, HostForbidden
from services.vault.charging.models import ChargeRow
from services.vault.charging.records import charge_of
from services.vault.charging.rules import ChargeState
from tests.support.charging import ChargingKit, charge_request, charging_kit
from tests.support.gateway_sim import DECLINES, Fault
from tests.support.vault_kit import AGENCY, AGENT, ORIGIN, VISA, key

pytestmark = pytest.mark.enable_socket

NEEDS_3DS = "4000002500003155"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChargingKit]:
    with charging_kit(tmp_path) as made:
        yield made


def test_a_charge_takes_the_money_once_and_says_so(ours: ChargingKit) -> None:
    token = ours.kit.store()
    answer = ours.charge(token)

    assert (answer.state, answer.live, answer.gateway) == (pb.CHARGE_STATE_SUCCEEDED, False, "stripe")
    (paid,) = ours.book.paid()
    assert (paid["amount"], paid["currency"]) == (15000, "usd")
    assert paid["metadata"]["wayvault_charge"] == answer.charge_id
    assert {"card.charging", "charge.succeeded"} <= set(ours.kit.history(token))


def test_the_same_call_again_charges_nothing_more(ours: ChargingKit) -> None:
    request = charge_request(ours.kit.store())
    first, second = (ours.call(ours.charging.rpc.Charge, request) for _ in range(2))

    assert first.charge_id == second.charge_id
    assert len(ours.book.paid()) == 1
    request.amount_minor += 1
    with pytest.raises(errors.IdempotencyMismatch):
        ours.call(ours.charging.rpc.Charge, request)


def test_a_payment_is_never_charged_twice_not_even_by_parallel_clicks(ours: ChargingKit) -> None:
    token = ours.kit.store()
    outcomes: list[object] = []

    def click() -> None:
        try:
            outcomes.append(ours.charge(token).state)
        except errors.WayvaultError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(pb.CHARGE_STATE_SUCCEEDED) == 1, outcomes
    assert len(ours.book.paid()) == 1
    with pytest.raises(errors.InvalidArgument, match="charged already"):
        ours.charge(token)


@pytest.mark.parametrize("number", sorted(DECLINES))
def test_a_decline_has_its_reason_and_lets_the_payment_be_charged_again(ours: ChargingKit, number: str) -> None:
    answer = ours.charge(ours.kit.store(pan=number))

    assert answer.state == pb.CHARGE_STATE_DECLINED
    assert answer.reason_code == DECLINES[number][1]
    assert answer.reason
    assert answer.next_step
    assert ours.charge(ours.kit.store()).state == pb.CHARGE_STATE_SUCCEEDED
    assert len(ours.book.paid()) == 1


@pytest.mark.parametrize("path", ["/payment_intents", "/payment_methods", "/confirm"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("status", [0, 500], ids=["lost", "500"])
def test_whatever_happens_to_an_answer_the_books_agree_in_the_end(
    ours: ChargingKit, path: str, after: bool, status: int
) -> None:
    token = ours.kit.store()
    ours.book.faults = [Fault(path=path, after=after, status=status)]
    answer = ours.charge(token)

    asked, confirmed = path != "/payment_intents", path == "/confirm"
    assert answer.state == (pb.CHARGE_STATE_ASKING if asked else pb.CHARGE_STATE_FAILED)
    if asked:
        with pytest.raises(errors.Busy):
            ours.charge(token)
        ours.poll()
    (found,) = ours.status()
    charged = confirmed and after
    assert found.state == (pb.CHARGE_STATE_SUCCEEDED if charged else pb.CHARGE_STATE_FAILED)
    assert len(ours.book.paid()) == int(charged)
    if not charged:
        assert ours.charge(token).state == pb.CHARGE_STATE_SUCCEEDED
    assert len(ours.book.paid()) == 1


def test_a_call_still_under_way_can_charge_nothing_once_it_was_found_not_to_have_arrived(ours: ChargingKit) -> None:
    ours.book.faults = [Fault(path="/confirm", after=False)]
    answer = ours.charge(ours.kit.store())
    ours.poll()

    (intent,) = ours.book.intents.values()
    late = ours.book.serve("POST", f"/v1/payment_intents/{intent['id']}/confirm", {"payment_method": "pm_000002"})
    assert late[0] == 400
    assert ours.book.paid() == []
    assert ours.status()[0].reason_code == "never_arrived"
    assert answer.state == pb.CHARGE_STATE_ASKING


def test_a_poller_that_saw_no_card_leave_says_nothing_once_it_has_left(
    ours: ChargingKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It read the charge while its gateway was slow to prepare it; until it writes, the card is sent and charged."""
    seen: list[ChargeRow] = []
    prepare = StripeGateway.prepare

    def slow(gateway: StripeGateway, order: Order) -> str:
        with ours.kit.vault.core.database.read() as session:
            seen.append(charge_of(session, AGENCY, order.id))
        return prepare(gateway, order)

    monkeypatch.setattr(StripeGateway, "prepare", slow)
    ours.book.faults = [Fault(path="/confirm", after=True)]
    ours.charge(ours.kit.store())
    (row,) = seen
    assert row.state == ChargeState.INTENT

    assert not ours.charging.settling.settle(row)
    assert ours.status()[0].state == pb.CHARGE_STATE_ASKING
    with pytest.raises(errors.Busy):
        ours.charge(ours.kit.store())
    assert ours.poll() == 1
    assert ours.status()[0].state == pb.CHARGE_STATE_SUCCEEDED
    assert len(ours.book.paid()) == 1


def test_an_amount_that_only_the_gateway_knows_to_be_too_small_is_told_in_words(ours: ChargingKit) -> None:
    """It settles in another currency than that of the charge (docs.stripe.com/currencies, minimum charge amounts)."""
    ours.book.least = 20_000
    answer = ours.charge(ours.kit.store())
    assert (answer.state, answer.reason_code) == (pb.CHARGE_STATE_FAILED, "amount_refused")
    assert "does not charge this amount" in answer.reason
    assert "Nothing was charged" in answer.next_step


def test_while_the_gateway_is_down_it_stays_being_found_out(ours: ChargingKit) -> None:
    ours.book.faults = [Fault(path="/", after=True, status=500, times=0), Fault(path="/confirm", after=True)]
    ours.charge(ours.kit.store())
    ours.book.faults = [Fault(path="/", after=False, status=503, times=1)]

    assert ours.poll() == 0
    assert ours.status()[0].state == pb.CHARGE_STATE_ASKING
    assert ours.poll() == 1
    assert ours.status()[0].state == pb.CHARGE_STATE_SUCCEEDED


@pytest.mark.parametrize("good", [True, False], ids=["confirmed", "refused"])
def test_a_client_who_has_to_confirm_gets_a_link_and_it_comes_back_by_itself(ours: ChargingKit, good: bool) -> None:
    answer = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    assert answer.state == pb.CHARGE_STATE_NEEDS_CLIENT
    assert answer.client_url.startswith(ours.book.origin)

    ours.poll()
    assert ours.status()[0].state == pb.CHARGE_STATE_NEEDS_CLIENT
    ours.book.authenticate(answer.reference, good=good)
    ours.poll()

    (found,) = ours.status()
    assert found.state == (pb.CHARGE_STATE_SUCCEEDED if good else pb.CHARGE_STATE_DECLINED)
    assert found.client_url == ""


def test_a_charge_that_waits_for_the_client_can_be_voided_and_then_takes_nothing(ours: ChargingKit) -> None:
    answer = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    request = pb.VoidRequest(
        idempotency_key=key(), agency_id=AGENCY, charge_id=answer.charge_id, agent_id=AGENT, origin=ORIGIN
    )

    assert ours.call(ours.charging.rpc.Void, request).state == pb.CHARGE_STATE_VOIDED
    ours.book.authenticate(answer.reference, good=True)
    assert ours.book.paid() == []
    assert ours.call(ours.charging.rpc.Void, request).state == pb.CHARGE_STATE_VOIDED


def test_an_account_that_takes_no_card_numbers_offers_its_own_page(ours: ChargingKit) -> None:
    ours.book.raw_cards = False
    answer = ours.charge(ours.kit.store())
    assert answer.state == pb.CHARGE_STATE_NEEDS_CLIENT
    assert "/pay/" in answer.client_url

    ours.book.pay_page(answer.reference)
    ours.poll()

    (found,) = ours.status()
    assert found.state == pb.CHARGE_STATE_SUCCEEDED
    assert len(ours.book.paid()) == 1
    assert ours.refund(found.charge_id, 15000).refunds[0].state == pb.REFUND_STATE_SUCCEEDED


def test_refunds_whole_and_part_never_more_than_was_charged(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store()).charge_id

    assert ours.refund(charge, 5000).refunded_minor == 5000
    with pytest.raises(errors.InvalidArgument, match="more than what is left"):
        ours.refund(charge, 10001)
    assert ours.refund(charge, 10000).refunded_minor == 15000
    with pytest.raises(errors.InvalidArgument, match="in full"):
        ours.refund(charge, 1)
    assert sum(refund["amount"] for refund in ours.book.refunds) == 15000


def test_parallel_clicks_never_refund_more_than_was_charged(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store()).charge_id

    def click() -> None:
        try:
            ours.refund(charge, 6000)
        except errors.WayvaultError:
            return

    threads = [threading.Thread(target=click) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(refund["amount"] for refund in ours.book.refunds) == 12000
    assert ours.status()[0].refunded_minor == 12000


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_refund_whose_answer_is_lost_is_made_once(ours: ChargingKit, after: bool) -> None:
    charge = ours.charge(ours.kit.store()).charge_id
    ours.book.faults = [Fault(path="/refunds", after=after)]

    assert ours.refund(charge, 4000).refunds[0].state == pb.REFUND_STATE_ASKING
    ours.poll()

    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_SUCCEEDED
    assert [refund["amount"] for refund in ours.book.refunds] == [4000]


def test_a_refund_that_the_gateway_refuses_may_be_asked_for_again(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store())
    ours.book.intents[charge.reference]["refunded"] = 15000

    answer = ours.refund(charge.charge_id, 4000)
    assert answer.refunds[0].state == pb.REFUND_STATE_FAILED
    assert answer.refunded_minor == 0

    ours.book.intents[charge.reference]["refunded"] = 0
    assert ours.refund(charge.charge_id, 4000).refunded_minor == 4000


def test_a_gateway_that_does_not_know_the_key_is_said_in_words(ours: ChargingKit) -> None:
    ours.set_key("sk_test_somethingelse")
    answer = ours.charge(ours.kit.store())

    assert (answer.state, answer.reason_code) == (pb.CHARGE_STATE_FAILED, "gateway_key_refused")
    assert "key" in answer.reason


def test_test_and_live_are_told_apart(ours: ChargingKit) -> None:
    assert not ours.set_key("sk_test_abcdefgh1234").live
    assert ours.set_key("sk_live_abcdefgh1234").live


@pytest.mark.parametrize("bad", ["", "pk_live_abcdefgh1234", "sk_live_abc", "sk_live_abc def", "whsec_x"])
def test_a_key_that_cannot_charge_is_refused_without_being_repeated(ours: ChargingKit, bad: str) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        ours.set_key(bad)
    assert not bad or bad not in refused.value.message


def test_a_card_of_another_payment_agency_or_agent_is_not_charged(ours: ChargingKit) -> None:
    token = ours.kit.store()
    with pytest.raises(errors.NotFound):
        ours.charge(token, payment="payment_2")
    with pytest.raises(errors.NotFound):
        ours.charge(token, agency_id="agency_2")
    with pytest.raises(errors.PermissionDenied):
        ours.charge(token, agent_id="agent_jonas")
    assert ours.book.requests == []


def test_an_amount_that_the_gateway_would_refuse_is_told_before_the_call(ours: ChargingKit) -> None:
    with pytest.raises(errors.InvalidArgument, match="at least"):
        ours.charge(ours.kit.store(), amount_minor=10)
    assert ours.book.requests == []


def test_an_agency_without_a_gateway_reads_so(ours: ChargingKit) -> None:
    token = ours.kit.store()
    with ours.kit.vault.core.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM gateway_accounts")
    with pytest.raises(errors.InvalidArgument, match="no payment gateway"):
        ours.charge(token)


def test_a_crash_before_the_card_left_gives_the_intent_up(ours: ChargingKit) -> None:
    token = ours.kit.store()
    ours.kit.transit.fault = _crash_at_the_card
    with pytest.raises(KeyboardInterrupt):
        ours.charge(token)
    ours.kit.transit.up()
    assert ours.status()[0].state == pb.CHARGE_STATE_INTENT

    ours.poll()

    assert ours.status()[0].state == pb.CHARGE_STATE_FAILED
    assert ours.charge(token).state == pb.CHARGE_STATE_SUCCEEDED


def _crash_at_the_card(operation: str, key: str) -> None:
    if operation == "decrypt" and key == "card":
        raise KeyboardInterrupt


def test_the_card_is_in_the_request_to_the_gateway_and_nowhere_else(
    ours: ChargingKit, caplog: pytest.LogCaptureFixture, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    ours.charge(ours.kit.store())
    ours.book.faults = [Fault(path="/confirm", after=True)]
    ours.charge(ours.kit.store("payment_2"), payment="payment_2")
    ours.poll()

    assert [VISA in body for _, _, body in ours.book.requests].count(
        True
    ) == 2  # the planted control: the gateway has it
    printed = capfd.readouterr()
    assert VISA not in caplog.text + printed.out + printed.err
    with ours.kit.vault.core.database.engine.connect() as connection:
        rows = [
            str(row)
            for table in ("charges", "refunds", "gateway_accounts", "audit_rows", "idempotency")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]
    assert rows
    assert not any(VISA in row or ours.book.key in row for row in rows)


def test_a_host_that_is_not_on_the_list_is_never_called(ours: ChargingKit) -> None:
    client = AllowedHosts(["https://api.stripe.com"])
    with pytest.raises(HostForbidden):
        client.request("get", f"{ours.book.origin}/v1/payment_intents/pi_1", {})
    assert ours.book.requests == []
