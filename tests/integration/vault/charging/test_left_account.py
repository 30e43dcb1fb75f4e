"""After a change of the gateway's account: nothing of the old one is charged, refunded or believed by the new one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import charging_pb2 as pb
from services.vault.charging.gateways.port import GatewaySettings
from services.vault.charging.gateways.registry import KINDS
from tests.support.charging import ChargingKit, charging_kit

pytestmark = pytest.mark.enable_socket

OTHERS = "sk_test_simulatorother00"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChargingKit]:
    """An account at the gateway whose key was proven."""
    with charging_kit(tmp_path) as made:
        made.enter_keys(key=made.book.key)
        yield made


def change_account(ours: ChargingKit) -> None:
    assert ours.enter_keys(key=OTHERS).account == "acct_another"


def test_a_card_that_the_old_account_keeps_is_never_charged_with_the_new_key(ours: ChargingKit) -> None:
    mandate = ours.charge(ours.kit.store(), keep_card=True).mandate_id
    told = ours.described()
    assert (told.kept_cards, list(told.left_mandates)) == (1, [])

    change_account(ours)
    told = ours.described()
    assert (told.kept_cards, list(told.left_mandates)) == (0, [mandate])
    asked = len(ours.book.requests)
    with pytest.raises(errors.CardGone, match="account that your agency has left"):
        ours.charge_mandate(mandate, "payment_2")
    assert len(ours.book.requests) == asked
    assert len(ours.book.paid()) == 1


def test_the_same_account_with_another_key_goes_on(ours: ChargingKit) -> None:
    mandate = ours.charge(ours.kit.store(), keep_card=True).mandate_id
    ours.enter_keys(key="sk_test_simulator1111")
    assert ours.charge_mandate(mandate, "payment_2").state == pb.CHARGE_STATE_SUCCEEDED
    assert list(ours.described().left_mandates) == []


def test_what_the_old_account_charged_is_not_refunded_by_the_new_one(ours: ChargingKit) -> None:
    charge = ours.charge(ours.kit.store())
    change_account(ours)
    with pytest.raises(errors.InvalidArgument, match="account that your agency has left"):
        ours.refund(charge.charge_id, 500)
    assert ours.book.refunds == []
    (found,) = ours.status()
    assert found.refunded_minor == 0


def test_a_refund_that_was_on_its_way_says_where_it_can_be_seen(ours: ChargingKit) -> None:
    ours.book.slow_refunds = True
    charge = ours.charge(ours.kit.store())
    ours.refund(charge.charge_id, 500)
    assert ours.described().open_refunds == 1

    change_account(ours)
    assert ours.described().open_refunds == 0
    asked = len(ours.book.requests)
    ours.poll()
    assert len(ours.book.requests) == asked
    (refund,) = ours.status()[0].refunds
    assert refund.state == pb.REFUND_STATE_PENDING
    assert "on the gateway's own site" in refund.problem


def test_a_key_whose_account_is_told_later_is_that_of_what_it_charged(ours: ChargingKit) -> None:
    ours.set_key("sk_test_simulator2222")
    mandate = ours.charge(ours.kit.store(), keep_card=True).mandate_id
    ours.call(ours.charging.rpc.CheckGateway, pb.CheckGatewayRequest(agency_id="agency_1"))
    change_account(ours)
    assert list(ours.described().left_mandates) == [mandate]


def test_what_is_told_of_each_gateway_is_what_its_adapter_can_do(ours: ChargingKit) -> None:
    answer = ours.call(ours.charging.rpc.ListGateways, pb.ListGatewaysRequest())
    told = {one.gateway: (one.keeps_cards, one.tells_books, one.takes_notices) for one in answer.kinds}
    assert told == {"authorizenet": (False, False, False), "stripe": (True, True, True)}
    keys = {"authorizenet": "test:loginid:transactionkey", "stripe": OTHERS}
    sandbox = "https://sandbox.example"
    settings = GatewaySettings(
        stripe_url="https://g.example", authorizenet_test_url=sandbox, hosts=[sandbox],
        return_url="https://p.example/",
    )  # fmt: skip
    for name, kind in KINDS.items():
        assert (kind.open(keys[name], settings).books is not None) is told[name][1]
