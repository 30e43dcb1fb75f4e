"""Cards that the gateway keeps for standing orders: made by one charge, charged while the client is away, ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import charging_pb2 as pb
from services.vault.charging.reasons import PASSING, REASONS
from tests.support.charging import ChargingKit, charge_request, charging_kit
from tests.support.gateway_sim import Fault
from tests.support.vault_kit import key

pytestmark = pytest.mark.enable_socket

ASKS_ALWAYS = "4000002760003184"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChargingKit]:
    with charging_kit(tmp_path) as made:
        yield made


def kept(ours: ChargingKit, **card: str) -> str:
    """The mandate that a first charge makes."""
    answer = ours.charge(ours.kit.store(**card), keep_card=True)
    assert answer.state == pb.CHARGE_STATE_SUCCEEDED
    return answer.mandate_id


def test_a_charge_that_keeps_its_card_is_followed_by_others_without_one(ours: ChargingKit) -> None:
    token = ours.kit.store()
    first = ours.charge(token, keep_card=True)
    second = ours.charge_mandate(first.mandate_id, "payment_2")

    assert first.mandate_id
    assert second.state == pb.CHARGE_STATE_SUCCEEDED
    assert second.mandate_id == first.mandate_id
    one, two = ours.book.paid()
    assert one["customer"] == two["customer"]
    assert one["payment_method"] == two["payment_method"]
    assert {"mandate.made", "charge.succeeded"} <= set(ours.kit.history(token))


def test_a_charge_that_does_not_say_so_keeps_nothing(ours: ChargingKit) -> None:
    answer = ours.charge(ours.kit.store())
    assert answer.mandate_id == ""
    assert ours.book.saved == {}


def test_the_same_call_again_and_one_for_the_same_payment_charge_nothing_more(ours: ChargingKit) -> None:
    mandate = kept(ours)
    request = charge_request("", "payment_2", mandate_id=mandate)
    first, second = (ours.call(ours.charging.rpc.Charge, request) for _ in range(2))
    assert first.charge_id == second.charge_id
    with pytest.raises(errors.InvalidArgument, match="charged already"):
        ours.charge_mandate(mandate, "payment_2")
    assert len(ours.book.paid()) == 2


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("path", ["/payment_intents", "/confirm"])
def test_whatever_happens_to_an_answer_the_books_agree_in_the_end(ours: ChargingKit, path: str, after: bool) -> None:
    mandate = kept(ours)
    ours.book.faults = [Fault(path=path, after=after)]
    ours.charge_mandate(mandate, "payment_2")
    ours.poll()

    (found,) = ours.status("payment_2")
    charged = path == "/confirm" and after
    assert found.state == (pb.CHARGE_STATE_SUCCEEDED if charged else pb.CHARGE_STATE_FAILED)
    assert len(ours.book.paid()) == 1 + charged


def test_a_first_charge_whose_answer_was_lost_has_its_mandate_all_the_same(ours: ChargingKit) -> None:
    ours.book.faults = [Fault(path="/confirm", after=True)]
    assert ours.charge(ours.kit.store(), keep_card=True).state == pb.CHARGE_STATE_ASKING
    ours.poll()

    (found,) = ours.status()
    assert ours.charge_mandate(found.mandate_id, "payment_2").state == pb.CHARGE_STATE_SUCCEEDED


def test_a_client_who_confirmed_the_first_charge_with_their_bank_is_asked_no_more(ours: ChargingKit) -> None:
    answer = ours.charge(ours.kit.store(pan="4000002500003155"), keep_card=True)
    assert answer.state == pb.CHARGE_STATE_NEEDS_CLIENT
    ours.book.authenticate(answer.reference, good=True)
    ours.poll()

    (found,) = ours.status()
    assert ours.charge_mandate(found.mandate_id, "payment_2").state == pb.CHARGE_STATE_SUCCEEDED


def test_the_gateways_own_page_keeps_the_card_too(ours: ChargingKit) -> None:
    ours.book.raw_cards = False
    answer = ours.charge(ours.kit.store(), keep_card=True)
    ours.book.pay_page(answer.reference)
    ours.poll()

    (found,) = ours.status()
    ours.book.raw_cards = True
    assert ours.charge_mandate(found.mandate_id, "payment_2").state == pb.CHARGE_STATE_SUCCEEDED


def test_what_a_bank_wants_confirmed_is_declined_while_the_client_is_away(ours: ChargingKit) -> None:
    answer = ours.charge(ours.kit.store(pan=ASKS_ALWAYS), keep_card=True)
    ours.book.authenticate(answer.reference, good=True)
    ours.poll()
    (found,) = ours.status()

    declined = ours.charge_mandate(found.mandate_id, "payment_2")
    assert (declined.state, declined.reason_code) == (pb.CHARGE_STATE_DECLINED, "authentication_required")
    assert not declined.may_pass


@pytest.mark.parametrize(("code", "passes"), [("insufficient_funds", True), ("stolen_card", False)])
def test_a_decline_says_whether_it_may_pass_by_itself(ours: ChargingKit, code: str, passes: bool) -> None:
    mandate = kept(ours)
    ours.book.bank_declines = ("card_declined", code)
    declined = ours.charge_mandate(mandate, "payment_2")
    assert (declined.reason_code, declined.may_pass) == (code, passes)


def test_a_card_that_was_taken_out_at_the_gateway_is_declined_in_words(ours: ChargingKit) -> None:
    mandate = kept(ours)
    ours.book.saved.clear()
    declined = ours.charge_mandate(mandate, "payment_2")
    assert (declined.state, declined.reason_code) == (pb.CHARGE_STATE_DECLINED, "mandate_gone")
    assert len(ours.book.paid()) == 1


def test_an_ended_mandate_is_forgotten_at_the_gateway_and_charged_no_more(ours: ChargingKit) -> None:
    mandate = kept(ours)
    ours.book.faults = [Fault(path="/detach", after=True)]
    with pytest.raises(errors.Unavailable):
        ours.end_mandate(mandate)
    ours.end_mandate(mandate)
    ours.end_mandate(mandate)

    assert ours.book.saved == {}
    with pytest.raises(errors.CardGone):
        ours.charge_mandate(mandate, "payment_2")
    assert len(ours.book.paid()) == 1


def test_a_mandate_is_its_agencys_alone(ours: ChargingKit) -> None:
    mandate = kept(ours)
    ours.set_key(ours.book.key, agency="agency_2")
    with pytest.raises(errors.NotFound):
        ours.charge_mandate(mandate, "payment_2", agency_id="agency_2")
    with pytest.raises(errors.NotFound):
        ours.end_mandate(mandate, agency="agency_2")


def test_a_mandate_of_a_gateway_that_the_agency_has_left_is_not_charged(ours: ChargingKit) -> None:
    mandate = kept(ours)
    ours.set_key("sk_live_simulator0000")
    with pytest.raises(errors.CardGone, match="has left"):
        ours.charge_mandate(mandate, "payment_2")


def test_a_gateway_that_keeps_no_cards_says_so_before_anything_is_charged(ours: ChargingKit) -> None:
    request = pb.SetGatewayKeyRequest(
        idempotency_key=key(), agency_id="agency_1", gateway="authorizenet", key="test:loginlogin:transactionkey1"
    )
    request.agency_id = charge_request("").agency_id
    described = ours.call(ours.charging.rpc.SetGatewayKey, request, "operator")
    assert not described.keeps_cards
    with pytest.raises(errors.InvalidArgument, match="keeps cards"):
        ours.charge(ours.kit.store(), keep_card=True)


def test_a_charge_is_of_a_card_or_of_a_mandate(ours: ChargingKit) -> None:
    with pytest.raises(errors.InvalidArgument):
        ours.charge(ours.kit.store(), mandate_id="mdt_1")


def test_every_code_that_may_pass_is_one_with_words() -> None:
    assert set(REASONS) >= PASSING
