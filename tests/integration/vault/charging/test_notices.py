"""Gateways' messages: signed, of now, and a bell only. Late, doubled or out of order they change nothing."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import charging_pb2 as pb
from tests.support.charging import SIGNING, ChargingKit, charging_kit
from tests.support.gateway_notices import event, signed
from tests.support.gateway_sim import Fault
from tests.support.vault_kit import AGENT, PAYMENT

pytestmark = pytest.mark.enable_socket

NEEDS_3DS = "4000002500003155"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChargingKit]:
    with charging_kit(tmp_path) as made:
        yield made


def test_a_message_brings_the_news_at_once_and_nothing_of_it_is_believed(ours: ChargingKit) -> None:
    answer = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    lie = event("payment_intent.succeeded", {"id": answer.reference, "status": "succeeded"}, 1)
    assert ours.ring(lie) == [PAYMENT]
    assert ours.status()[0].state == pb.CHARGE_STATE_NEEDS_CLIENT

    ours.book.authenticate(answer.reference, good=True)
    assert ours.ring(ours.book.messages[-1][1]) == [PAYMENT]
    assert ours.status()[0].state == pb.CHARGE_STATE_SUCCEEDED


def test_doubled_and_out_of_order_messages_come_to_the_same(ours: ChargingKit) -> None:
    answer = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    ours.book.authenticate(answer.reference, good=True)
    ours.poll()
    ours.refund(answer.charge_id, 4000)
    messages = [body for _, body in ours.book.messages] * 2
    random.Random(5).shuffle(messages)
    for body in messages:
        ours.ring(body)

    (found,) = ours.status()
    assert (found.state, found.refunded_minor) == (pb.CHARGE_STATE_SUCCEEDED, 4000)
    assert len(ours.book.refunds) == 1
    assert ours.kit.history(found_token(ours)).count("charge.succeeded") == 1


def found_token(ours: ChargingKit) -> str:
    with ours.kit.vault.core.database.engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT card_token FROM charges").scalar())


def test_a_message_that_was_lost_costs_time_only(ours: ChargingKit) -> None:
    answer = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    ours.book.authenticate(answer.reference, good=True)
    ours.poll()
    assert ours.status()[0].state == pb.CHARGE_STATE_SUCCEEDED


@pytest.mark.parametrize("wrong", ["secret", "body", "old", "ahead", "none", "agency"])
def test_what_the_gateway_did_not_sign_now_is_no_message(ours: ChargingKit, wrong: str) -> None:
    answer = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    body = event("payment_intent.succeeded", {"id": answer.reference}, 1)
    now = int(ours.kit.fake_clock.now().timestamp())
    asked = len(ours.book.requests)
    header = {
        "secret": signed(body, "whsec_somebodyelses1", now),
        "body": signed(body + b" ", SIGNING, now),
        "old": signed(body, SIGNING, now - 301),
        "ahead": signed(body, SIGNING, now + 301),
        "none": "",
        "agency": signed(body, SIGNING, now),
    }[wrong]
    with pytest.raises(errors.PermissionDenied):
        ours.notice(body, header, agency="agency_2" if wrong == "agency" else "agency_1")
    assert len(ours.book.requests) == asked


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"data": 5}', b'{"data": {"object": {"id": 7}}}'])
def test_a_signed_message_that_says_nothing_does_nothing(ours: ChargingKit, body: bytes) -> None:
    try:
        assert ours.ring(body) == []
    except errors.PermissionDenied:
        assert ours.status() == []


def test_a_refund_on_its_way_is_settled_by_the_poller_or_a_message_and_never_asked_for_twice(
    ours: ChargingKit,
) -> None:
    ours.book.slow_refunds = True
    charge = ours.charge(ours.kit.store())
    assert ours.refund(charge.charge_id, 4000).refunds[0].state == pb.REFUND_STATE_PENDING
    ours.poll()
    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_PENDING
    ours.book.settle_refund(ours.book.refunds[0], "succeeded")
    ours.ring(ours.book.messages[-1][1])

    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_SUCCEEDED
    assert len(ours.book.refunds) == 1


def test_a_refund_that_came_back_frees_its_amount_and_says_why(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store())
    ours.refund(charge.charge_id, 4000)
    ours.book.settle_refund(ours.book.refunds[0], "failed", "expired_or_canceled_card")
    ours.ring(ours.book.messages[-1][1])

    (found,) = ours.status()
    assert (found.refunded_minor, found.refunds[0].state) == (0, pb.REFUND_STATE_FAILED)
    assert "has ended" in found.refunds[0].problem
    ours.ring(ours.book.messages[-1][1])
    assert ours.status()[0].refunded_minor == 0


def test_a_refund_that_came_back_is_found_within_a_day_when_the_message_was_lost(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store())
    ours.refund(charge.charge_id, 4000)
    ours.poll()
    asked = len(ours.book.requests)
    ours.poll()
    assert len(ours.book.requests) == asked  # not at every round
    ours.book.settle_refund(ours.book.refunds[0], "failed", "expired_or_canceled_card")
    ours.poll(minutes=60 * 25)
    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_FAILED
    ours.poll(minutes=60 * 25)
    assert ours.kit.history(found_token(ours)).count("refund.failed") == 1


def test_a_refund_that_left_is_looked_at_for_a_month(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store())
    ours.refund(charge.charge_id, 4000)
    ours.poll(minutes=60 * 24 * 31)
    asked = len(ours.book.requests)
    ours.poll(minutes=60 * 25)
    assert len(ours.book.requests) == asked


def test_who_approved_a_refund_stands_in_the_trail(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store())
    ours.refund(charge.charge_id, 4000, approver_id="agent_ada")
    ours.refund(charge.charge_id, 4000)
    with ours.kit.vault.core.database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT action, agent_id FROM audit_rows WHERE action LIKE 'refund.a%'")
        assert [tuple(row) for row in found] == [
            ("refund.asked", AGENT),
            ("refund.approved", "agent_ada"),
            ("refund.asked", AGENT),
        ]


def test_a_refund_without_an_answer_is_looked_for_before_it_is_asked_for_again(ours: ChargingKit) -> None:
    """Stripe forgets idempotency keys after a day: whoever repeats the request then gives the money back twice."""
    charge = ours.charge(ours.kit.store())
    ours.book.faults = [Fault(path="/refunds", after=True)]
    ours.refund(charge.charge_id, 4000)
    ours.poll()
    ours.book.answers.clear()
    ours.poll(minutes=60 * 25)

    assert ours.status()[0].refunds[0].state == pb.REFUND_STATE_SUCCEEDED
    assert len(ours.book.refunds) == 1


def test_the_signing_secret_stays_when_the_key_is_changed(ours: ChargingKit) -> None:
    ours.set_key(ours.book.key)
    ours.charge(ours.kit.store())
    assert ours.ring(ours.book.messages[-1][1]) == [PAYMENT]


@pytest.mark.parametrize("bad", ["whsec_", "sk_test_abcdefgh", "whsec_abc def ghi"])
def test_what_can_be_no_signing_secret_is_refused_without_being_repeated(ours: ChargingKit, bad: str) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        ours.set_key(ours.book.key, signing=bad)
    assert bad not in refused.value.message.replace("whsec_.", "")
