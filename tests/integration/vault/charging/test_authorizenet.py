"""The second gateway: the same promises, by another gateway's means."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import charging_pb2 as pb
from services.vault.charging.gateways.authorizenet.codes import decline_code
from services.vault.charging.gateways.port import GatewaySettings
from services.vault.charging.reasons import REASONS
from tests.support import authorizenet_sim
from tests.support.authorizenet_sim import ERROR_CARD, Ledger
from tests.support.charging import ChargingKit, charging_kit
from tests.support.gateway_sim import Fault
from tests.support.vault_kit import VISA, key

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with authorizenet_sim.running() as made:
        yield made


@pytest.fixture
def ours(tmp_path: Path, ledger: Ledger) -> Iterator[ChargingKit]:
    settings = GatewaySettings(
        stripe_url="https://api.stripe.com",
        authorizenet_url=ledger.origin,
        authorizenet_test_url=ledger.origin,
        hosts=[ledger.origin],
        return_url="https://portal.example/",
    )
    with charging_kit(tmp_path, settings=settings) as made:
        _set_key(made, f"test:{ledger.login}:{ledger.key}")
        yield made


def _set_key(kit: ChargingKit, secret: str) -> pb.DescribeGatewayResponse:
    request = pb.SetGatewayKeyRequest(idempotency_key=key(), agency_id="agency_1", gateway="authorizenet", key=secret)
    answer: pb.DescribeGatewayResponse = kit.call(kit.charging.rpc.SetGatewayKey, request, "operator")
    return answer


def test_a_charge_is_authorized_and_captured_once(ours: ChargingKit, ledger: Ledger) -> None:
    token = ours.kit.store()
    answer = ours.charge(token)

    assert (answer.state, answer.gateway, answer.live) == (pb.CHARGE_STATE_SUCCEEDED, "authorizenet", False)
    (taken,) = ledger.captured()
    assert (taken["settleAmount"], taken["transId"]) == (150.0, answer.reference)
    with pytest.raises(errors.InvalidArgument, match="charged already"):
        ours.charge(token)


@pytest.mark.parametrize("code", ["2", "4", "8", "27", "65", "78", "317"])
def test_a_decline_has_its_reason(ours: ChargingKit, ledger: Ledger, code: str) -> None:
    answer = ours.charge(ours.kit.store(pan=ERROR_CARD), amount_minor=int(code) * 100)

    assert (answer.state, answer.reason_code) == (pb.CHARGE_STATE_DECLINED, decline_code(code))
    assert answer.reason_code in REASONS
    assert ledger.captured() == []
    assert ours.charge(ours.kit.store()).state == pb.CHARGE_STATE_SUCCEEDED


@pytest.mark.parametrize("what", ["authOnly", "priorAuthCapture"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("status", [0, 500], ids=["lost", "500"])
def test_whatever_happens_to_an_answer_the_books_agree_in_the_end(
    ours: ChargingKit, ledger: Ledger, what: str, after: bool, status: int
) -> None:
    token = ours.kit.store()
    ledger.faults = [Fault(path=what, after=after, status=status)]
    assert ours.charge(token).state == pb.CHARGE_STATE_ASKING
    ours.poll()

    charged = what == "priorAuthCapture" and after
    assert ours.status()[0].state == (pb.CHARGE_STATE_SUCCEEDED if charged else pb.CHARGE_STATE_FAILED)
    assert len(ledger.captured()) == int(charged)
    if not charged:
        # What was held on the card is let go, so a capture that is still under way takes nothing.
        assert all(one["transactionStatus"] == "voided" for one in ledger.transactions.values())
        assert ours.charge(token).state == pb.CHARGE_STATE_SUCCEEDED
    assert len(ledger.captured()) == 1


def test_a_charge_that_settled_before_anybody_asked_is_found_in_its_batch(ours: ChargingKit, ledger: Ledger) -> None:
    ledger.faults = [Fault(path="priorAuthCapture", after=True)]
    ours.charge(ours.kit.store())
    ledger.settle()
    ours.poll()
    assert ours.status()[0].state == pb.CHARGE_STATE_SUCCEEDED


def test_before_it_settles_the_whole_is_voided_and_a_part_has_to_wait(ours: ChargingKit, ledger: Ledger) -> None:
    charge = ours.charge(ours.kit.store())
    early = ours.refund(charge.charge_id, 4000).refunds[0]
    assert early.state == pb.REFUND_STATE_FAILED
    assert "not settled" in early.problem

    answer = ours.refund(charge.charge_id, 15000)
    (whole,) = [one for one in answer.refunds if one.amount_minor == 15000]
    assert whole.state == pb.REFUND_STATE_SUCCEEDED
    assert ledger.captured() == []


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
def test_what_settled_is_refunded_once_and_arrives(ours: ChargingKit, ledger: Ledger, lost: bool) -> None:
    charge = ours.charge(ours.kit.store())
    ledger.settle()
    ledger.faults = [Fault(path="refund", after=True)] if lost else []
    ours.refund(charge.charge_id, 4000)
    ours.poll()
    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_PENDING
    ledger.settle()
    ours.poll(minutes=60)

    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_SUCCEEDED
    assert len([one for one in ledger.transactions.values() if one["refTransId"]]) == 1


def test_a_void_that_was_lost_is_seen(ours: ChargingKit, ledger: Ledger) -> None:
    charge = ours.charge(ours.kit.store())
    ledger.faults = [Fault(path="voidTransaction", after=True)]
    ours.refund(charge.charge_id, 15000)
    ours.poll()
    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_SUCCEEDED


def test_the_card_is_in_one_request_and_the_key_in_no_answer(ours: ChargingKit, ledger: Ledger) -> None:
    ours.charge(ours.kit.store())
    assert [kind for kind, body in ledger.requests if VISA in body] == ["authOnlyTransaction"]


@pytest.mark.parametrize("bad", ["", "login:key", "live:login", "beta:login12345:key1234567890", "test:a b:c"])
def test_a_key_that_cannot_be_right_is_refused_without_being_repeated(ours: ChargingKit, bad: str) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        _set_key(ours, bad)
    assert not bad or bad not in refused.value.message


def test_test_and_live_are_told_apart_and_a_wrong_key_is_said_in_words(ours: ChargingKit) -> None:
    assert _set_key(ours, "live:somebody12:somebodyskey1234").live
    assert not _set_key(ours, "test:somebody12:somebodyskey1234").live
    answer = ours.charge(ours.kit.store())
    assert (answer.state, answer.reason_code) == (pb.CHARGE_STATE_FAILED, "gateway_key_refused")


def test_a_currency_that_it_does_not_take_is_told_before_the_call(ours: ChargingKit, ledger: Ledger) -> None:
    with pytest.raises(errors.InvalidArgument, match="JPY"):
        ours.charge(ours.kit.store(), currency="JPY")
    assert ledger.requests == []
