"""Both books side by side: charges with the gateway's fees, and payouts with what is in them and what doesn't agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from chassis import errors
from protos.wayvault.vault.v1 import charging_pb2 as pb
from tests.support.charging import ChargingKit, charging_kit
from tests.support.gateway_money import fee_of
from tests.support.gateway_sim import Fault
from tests.support.vault_kit import AGENCY, AGENT, PAYMENT

pytestmark = pytest.mark.enable_socket

DECLINED = "4000000000009995"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChargingKit]:
    with charging_kit(tmp_path) as made:
        yield made


def paid_out(ours: ChargingKit, *, short_by: int = 0) -> pb.PayoutsResponse.Payout:
    """What the gateway sends to the bank now, as charging tells of it."""
    assert ours.book.money.pay_out(short_by=short_by)
    answer = ours.payouts()
    assert answer.problem == ""
    return answer.payouts[0]


def kinds(payout: pb.PayoutsResponse.Payout) -> dict[str, str]:
    return {line.kind: line.mismatch for line in payout.lines}


def test_every_charge_is_listed_with_its_fee_or_its_reason(ours: ChargingKit) -> None:
    declined = ours.charge(ours.kit.store(pan=DECLINED))
    charged = ours.charge(ours.kit.store())
    ours.refund(charged.charge_id, 4000)
    found = {one.charge.charge_id: one for one in ours.ledger().entries}

    assert set(found) == {declined.charge_id, charged.charge_id}
    assert found[charged.charge_id].fee.minor == fee_of(15000)
    assert (found[charged.charge_id].charge.refunded_minor, found[charged.charge_id].agent_id) == (4000, AGENT)
    assert "not enough money" in found[declined.charge_id].charge.reason
    assert not found[declined.charge_id].HasField("fee")


def test_a_charge_on_the_gateways_own_page_is_known_by_its_books_too(ours: ChargingKit) -> None:
    ours.book.raw_cards = False
    answer = ours.charge(ours.kit.store())
    ours.book.pay_page(answer.reference)
    ours.poll()
    (found,) = ours.ledger().entries
    assert found.fee.minor == fee_of(15000)
    assert kinds(paid_out(ours)) == {"charge": ""}


def test_a_time_without_charges_asks_nobody(ours: ChargingKit) -> None:
    ours.charge(ours.kit.store())
    ours.poll(60 * 24 * 60)
    asked = len(ours.book.requests)
    assert list(ours.ledger(days=10).entries) == []
    assert len(ours.book.requests) == asked


@pytest.mark.parametrize("status", [0, 500])
def test_a_gateway_that_is_down_costs_the_fees_and_no_charge(ours: ChargingKit, status: int) -> None:
    ours.charge(ours.kit.store())
    ours.book.faults = [Fault(path="/balance_transactions", after=False, status=status)]
    answer = ours.ledger()
    assert len(answer.entries) == 1
    assert "does not answer" in answer.problem


def test_a_payout_says_what_is_in_it(ours: ChargingKit) -> None:
    charged = ours.charge(ours.kit.store())
    ours.refund(charged.charge_id, 4000)
    payout = paid_out(ours)

    assert payout.amount.minor == 15000 - fee_of(15000) - 4000
    assert (payout.state, payout.mismatch) == ("paid", "")
    assert {(line.kind, line.payment_id, line.gross.minor, line.fee.minor) for line in payout.lines} == {
        ("charge", PAYMENT, 15000, fee_of(15000)),
        ("refund", PAYMENT, -4000, 0),
    }
    assert kinds(payout) == {"charge": "", "refund": ""}


def test_what_came_back_is_in_a_later_payout_and_agrees(ours: ChargingKit) -> None:
    charged = ours.charge(ours.kit.store())
    ours.refund(charged.charge_id, 4000)
    paid_out(ours)
    ours.poll(minutes=60)
    ours.book.settle_refund(ours.book.refunds[0], "failed", "expired_or_canceled_card")
    later = paid_out(ours)
    assert kinds(later) == {"returned": "It came back, and here it still counts as refunded."}
    ours.poll(minutes=60 * 25)
    assert kinds(ours.payouts().payouts[0]) == {"returned": ""}


def test_what_was_made_elsewhere_and_what_differs_is_said(ours: ChargingKit) -> None:
    charged = ours.charge(ours.kit.store())
    elsewhere = {"id": "pi_elsewhere", "amount": 999, "currency": "usd", "metadata": {}}
    ours.book.money.charged(elsewhere)
    ours.book.money.other("adjustment", -1500, "usd")
    with ours.kit.vault.core.database.engine.begin() as connection:
        connection.execute(text("UPDATE charges SET amount_minor = 14000"))
    payout = paid_out(ours, short_by=5)

    told = {line.gross.minor: line.mismatch for line in payout.lines}
    assert told == {
        15000: "Here it was US$\u00a0140.00.",
        999: "Wayvault has no such charge: it was made elsewhere.",
        -1500: "",
    }
    assert payout.mismatch.startswith("What the gateway lists in it comes to")
    assert charged.charge_id


def test_more_than_one_page_of_the_books_is_read(ours: ChargingKit) -> None:
    for number in range(230):
        ours.book.money.other("stripe_fee", -number, "usd")
    payout = paid_out(ours)
    assert len(payout.lines) == 230
    assert payout.mismatch == ""


def test_another_agencys_charges_are_none_of_ours(ours: ChargingKit) -> None:
    ours.charge(ours.kit.store())
    with ours.kit.vault.core.database.engine.begin() as connection:
        connection.execute(text("UPDATE charges SET agency_id = 'agency_9'"))
    assert list(ours.ledger().entries) == []
    assert kinds(paid_out(ours)) == {"charge": "Wayvault has no such charge: it was made elsewhere."}
    assert AGENCY != "agency_9"


def test_a_time_without_end_is_refused(ours: ChargingKit) -> None:
    with pytest.raises(errors.InvalidArgument):
        ours.ledger(days=1000)
