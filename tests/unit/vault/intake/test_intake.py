"""How cards enter the vault."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import errors
from chassis.cards import Brand, brand_of
from chassis.db import Database
from chassis.timestamps import moment_of
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.card_data import CardDataError, Pan
from services.vault.custody.service import Retention
from services.vault.intake.payload import CardDetails, read_card
from services.vault.intake.rules import check_expiry, check_name
from services.vault.transit.service import KeyName
from tests.support.vault_kit import AMEX, VISA, Kit, key, make_kit

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    yield kit
    kit.vault.close()


def test_a_card_is_stored_with_brand_last_four_name_and_its_times(kit: Kit) -> None:
    answer = kit.store_card(kit.store_request(kit.open_intake(), name="  Grace   Hopper "))
    assert (answer.brand, answer.last4, answer.cardholder_name) == ("visa", "1111", "Grace Hopper")
    assert moment_of(answer.card_kept_until) == kit.clock.now() + timedelta(days=30)
    assert moment_of(answer.cvv_kept_until) == kit.clock.now() + timedelta(hours=72)
    assert kit.history(answer.card_token) == ["card.stored"]


def test_the_same_call_again_gets_the_same_card_and_another_body_is_refused(kit: Kit) -> None:
    request = kit.store_request(kit.open_intake())
    first = kit.store_card(request)
    assert kit.store_card(request) == first
    changed = pb.StoreCardRequest()
    changed.CopyFrom(request)
    changed.sealed_card = kit.frame().card(request.intake_id)
    with pytest.raises(errors.IdempotencyMismatch):
        kit.store_card(changed)


def test_a_kept_answer_is_given_once_a_failover_would_know_it_too(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[Database] = []
    monkeypatch.setattr(Database, "settle", lambda self: settled.append(self))
    request = kit.store_request(kit.open_intake())
    kit.store_card(request)
    assert not settled, "its own commit has waited"
    kit.store_card(request)
    assert len(settled) == 1


def test_the_same_call_many_times_at_once_stores_one_card(kit: Kit) -> None:
    request = kit.store_request(kit.open_intake())
    with ThreadPoolExecutor(8) as pool:
        tokens = {answer.card_token for answer in pool.map(lambda _: kit.store_card(request), range(8))}
    assert len(tokens) == 1


def test_a_slot_takes_one_card_and_only_in_its_time(kit: Kit) -> None:
    intake_id = kit.open_intake()
    kit.store_card(kit.store_request(intake_id))
    with pytest.raises(errors.IntakeUsed):
        kit.store_card(kit.store_request(intake_id))
    late = kit.open_intake("payment_2")
    request = kit.store_request(late)
    kit.fake_clock.advance(timedelta(minutes=60))
    with pytest.raises(errors.IntakeExpired):
        kit.store_card(request)


def test_a_new_card_for_a_payment_removes_the_one_before(kit: Kit) -> None:
    first, second = kit.store(), kit.store()
    assert kit.ciphers(first) == (None, None)
    assert kit.describe(first).state == pb.CARD_STATE_REMOVED
    assert kit.describe(second).state == pb.CARD_STATE_STORED
    assert kit.history(first) == ["card.stored", "card.removed"]


def test_many_cards_for_one_payment_at_once_leave_one_alive(kit: Kit) -> None:
    requests = [kit.store_request(kit.open_intake()) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        tokens = [answer.card_token for answer in pool.map(kit.store_card, requests)]
    alive = [token for token in tokens if kit.describe(token).state == pb.CARD_STATE_STORED]
    assert len(alive) == 1


def test_what_arrives_during_a_call_is_stored_together_and_what_cannot_be_is_told_alone(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = threading.Event(), threading.Event()
    sizes: list[int] = []
    encrypt_all = kit.transit.encrypt_all

    def held(key: KeyName, items: Any, **options: Any) -> Any:
        begun.set()
        assert go.wait(10)
        sizes.append(len(items))
        return encrypt_all(key, items, **options)

    monkeypatch.setattr(kit.transit, "encrypt_all", held)
    used = kit.open_intake("payment_used")
    requests = [kit.store_request(kit.open_intake(f"payment_{number}")) for number in range(6)]
    rivals = [kit.store_request(used), kit.store_request(used)]
    lane = kit.vault.intake._commits._lane
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(kit.store_card, kit.store_request(kit.open_intake("payment_first")))
        assert begun.wait(10)
        others = [pool.submit(kit.store_card, request) for request in requests]
        rivalry = [pool.submit(kit.store_card, request) for request in rivals]
        while len(lane._waiting) < len(others) + len(rivalry):
            threading.Event().wait(0.001)
        go.set()
        tokens = {future.result().card_token for future in (first, *others)}
        refusals = [future.exception() for future in rivalry]
    assert max(sizes) == len(others) + len(rivalry)
    assert {kit.describe(token).state for token in tokens} == {pb.CARD_STATE_STORED}
    assert len(tokens) == 7
    assert sorted(type(refusal).__name__ for refusal in refusals) == ["IntakeUsed", "NoneType"]
    assert all(kit.history(token) == ["card.stored"] for token in tokens)


def test_a_policy_of_no_hours_stores_no_cvv(kit: Kit) -> None:
    answer = kit.store_card(kit.store_request(kit.open_intake(cvv_retention_hours=0)))
    assert not answer.HasField("cvv_kept_until")
    assert kit.ciphers(answer.card_token)[1] is None
    with pytest.raises(errors.CvvGone):
        kit.request_cvv(answer.card_token)


def test_what_is_typed_as_a_code_is_dropped_where_the_policy_keeps_none(kit: Kit) -> None:
    for typed in ("", "1234"):
        answer = kit.store_card(kit.store_request(kit.open_intake(cvv_retention_hours=0), cvv=typed))
        assert kit.ciphers(answer.card_token)[1] is None


@pytest.mark.parametrize("digits", ["501800000009", "6759000000005", "135410014004955", "9999999999999995"])
def test_a_card_without_a_security_code_is_stored_without_one(kit: Kit, digits: str) -> None:
    answer = kit.store_card(kit.store_request(kit.open_intake(), pan=digits, cvv=""))
    assert not answer.HasField("cvv_kept_until")
    assert kit.ciphers(answer.card_token)[1] is None


def test_a_cvv_never_outlives_its_card(kit: Kit) -> None:
    answer = kit.store_card(kit.store_request(kit.open_intake(card_retention_days=1)))
    assert answer.cvv_kept_until == answer.card_kept_until


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pan": "4111111111111112"}, "pan"),
        ({"pan": "411111111111111111"}, "pan"),
        ({"pan": 4111111111111111}, "pan"),
        ({"exp_month": 13}, "exp_month"),
        ({"exp_month": True}, "exp_month"),
        ({"exp_month": 10, "exp_year": 2026}, "exp_month"),
        ({"exp_year": 28}, "exp_year"),
        ({"exp_year": 2060}, "exp_year"),
        ({"cvv": "1234"}, "cvv"),
        ({"cvv": ""}, "cvv"),
        ({"pan": AMEX, "cvv": "123"}, "cvv"),
        ({"name": "4111 1111 1111 1111"}, "name"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
    ],
)
def test_a_card_that_is_not_right_is_refused_by_field_and_the_slot_stays_open(
    kit: Kit, changes: dict[str, Any], field: str
) -> None:
    intake_id = kit.open_intake()
    with pytest.raises(errors.CardInvalid) as caught:
        kit.store_card(kit.store_request(intake_id, **changes))
    assert caught.value.field == field
    assert VISA not in caught.value.message
    assert kit.store_card(kit.store_request(intake_id)).card_token


def test_a_seal_for_another_slot_purpose_or_key_does_not_open(kit: Kit) -> None:
    intake_id, other = kit.open_intake(), kit.open_intake("payment_2")
    for sealed in (
        kit.frame().card(other),
        kit.frame().seal({"intake_id": intake_id}, "wv-store+jwe"),
        kit.frame().cvv_confirm("challenge", "12345678"),
        "no seal at all",
    ):
        request = pb.StoreCardRequest(idempotency_key=key(), intake_id=intake_id, sealed_card=sealed)
        with pytest.raises(errors.SealBroken):
            kit.store_card(request)


def test_transit_down_leaves_the_slot_open(kit: Kit) -> None:
    request = kit.store_request(kit.open_intake())
    kit.transit.down("encrypt")
    with pytest.raises(errors.Unavailable):
        kit.store_card(request)
    kit.transit.up()
    assert kit.store_card(request).card_token


def test_a_slot_opened_by_another_process_works_as_well(kit: Kit) -> None:
    request = kit.store_request(kit.open_intake())
    kit.vault.intake._recent.forget(request.intake_id)
    first = kit.store_card(request)
    assert kit.store_card(request) == first
    with pytest.raises(errors.NotFound):
        kit.store_card(kit.store_request("intake_unknown"))


def test_a_cvv_alone_is_supplied_again(kit: Kit) -> None:
    token = kit.store()
    link = kit.cvv_link(token)
    kit.redeem(kit.frame().cvv_redeem(link))
    intake_id = kit.open_intake(kind=pb.INTAKE_KIND_CVV, card_token=token, card_retention_days=0)
    sealed = kit.frame().seal({"cvv": "987", "intake_id": intake_id}, "wv-cvv-store+jwe")
    request = pb.ReplaceCvvRequest(idempotency_key=key(), intake_id=intake_id, sealed_cvv=sealed)
    answer = kit.call("portal", kit.intake.ReplaceCvv, request)
    assert kit.call("portal", kit.intake.ReplaceCvv, request) == answer
    frame = kit.frame()
    shown = kit.redeem(frame.cvv_redeem(kit.cvv_link(token)))
    assert frame.opened(shown.sealed_answer, "wv-cvv+jwe") == {"cvv": "987"}
    assert "cvv.stored" in kit.history(token)


def cvv_request(kit: Kit, intake_id: str) -> pb.ReplaceCvvRequest:
    sealed = kit.frame().seal({"cvv": "987", "intake_id": intake_id}, "wv-cvv-store+jwe")
    return pb.ReplaceCvvRequest(idempotency_key=key(), intake_id=intake_id, sealed_cvv=sealed)


def test_a_cvv_is_refused_where_there_is_no_card_or_no_time_for_it_any_more(kit: Kit) -> None:
    token = kit.store()
    cvv: dict[str, Any] = {"kind": pb.INTAKE_KIND_CVV, "card_token": token, "card_retention_days": 0}
    late = kit.open_intake(**cvv)
    kit.fake_clock.advance(timedelta(hours=2))
    with pytest.raises(errors.IntakeExpired):
        kit.call("portal", kit.intake.ReplaceCvv, cvv_request(kit, late))
    with pytest.raises(errors.NotFound, match="takes something else"):
        kit.call("portal", kit.intake.ReplaceCvv, cvv_request(kit, kit.open_intake("another")))
    in_time = kit.open_intake(**cvv)
    kit.remove(token)
    with pytest.raises(errors.CardGone):
        kit.call("portal", kit.intake.ReplaceCvv, cvv_request(kit, in_time))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"card_retention_days": 0}, "card_retention_days"),
        ({"card_retention_days": 181}, "card_retention_days"),
        ({"cvv_retention_hours": 73}, "cvv_retention_hours"),
        ({"agency_id": ""}, "agency_id"),
        ({"payment_id": "p\x00"}, "payment_id"),
        ({"owner_agent_id": "x" * 65}, "owner_agent_id"),
        ({"kind": 0}, "kind"),
        ({"card_token": "card_x"}, "card_token"),
        ({"idempotency_key": "short"}, "idempotency_key"),
    ],
)
def test_a_slot_with_a_field_that_is_not_right_is_refused_by_name(
    kit: Kit, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        kit.open_intake(**changes)
    assert caught.value.field == field


def test_a_cvv_slot_is_for_the_cards_own_payment_and_agent(kit: Kit) -> None:
    token = kit.store()
    cvv: dict[str, Any] = {"kind": pb.INTAKE_KIND_CVV, "card_token": token, "card_retention_days": 0}
    with pytest.raises(errors.InvalidArgument):
        kit.open_intake("payment_2", **cvv)
    with pytest.raises(errors.PermissionDenied):
        kit.open_intake(**(cvv | {"owner_agent_id": "agent_jonas"}))


# ---- rules


@pytest.mark.parametrize(
    ("digits", "brand"),
    [
        (VISA, Brand.VISA),
        ("5555555555554444", Brand.MASTERCARD),
        ("2223003122003222", Brand.MASTERCARD),
        (AMEX, Brand.AMEX),
        ("6011111111111117", Brand.DISCOVER),
        ("30569309025904", Brand.DINERS),
        ("3530111333300000", Brand.JCB),
        ("6200000000000005", Brand.UNIONPAY),
        ("6759649826438453", Brand.MAESTRO),
        ("9999999999999995", Brand.OTHER),
    ],
)
def test_brands_are_told_by_their_ranges(digits: str, brand: Brand) -> None:
    assert brand_of(digits) is brand


def test_a_card_is_good_through_its_last_month_everywhere() -> None:
    assert check_expiry(11, 2026, datetime(2026, 12, 1, 11, 59, tzinfo=UTC)) == (11, 2026)
    with pytest.raises(errors.CardInvalid):
        check_expiry(11, 2026, datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert check_expiry(12, 2026, datetime(2026, 12, 31, tzinfo=UTC)) == (12, 2026)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("O", "O"),
        ("\u202dGrace\u00a0Hopper\u202c", "Grace Hopper"),
        ("Ｇｒａｃｅ", "Grace"),
        ("ß\u200b", "ß"),
        ("김민준", "김민준"),
    ],
)
def test_a_name_is_taken_without_what_nobody_sees(typed: str, meant: str) -> None:
    assert check_name(typed) == meant


@pytest.mark.parametrize("typed", ["\u3164", "\u200b", "🙂", "--", " "])
def test_what_draws_no_letter_is_no_name(typed: str) -> None:
    with pytest.raises(errors.CardInvalid, match="as printed on the card"):
        check_name(typed)


@given(st.text(max_size=120))
def test_no_name_with_three_digits_gets_through(name: str) -> None:
    accepted = ""
    with suppress(errors.CardInvalid):
        accepted = check_name(name)
    assert sum(char.isdigit() for char in accepted) < 3


@given(st.integers(-5, 500), st.integers(0, 500))
def test_no_policy_gets_past_the_caps(days: int, hours: int) -> None:
    retention = Retention(card_days=days, cvv_hours=hours)
    kept = retention.card_kept_until(NOW)
    cvv = retention.cvv_kept_until(NOW, kept)
    assert NOW + timedelta(days=1) <= kept <= NOW + timedelta(days=180)
    assert (cvv is None) == (hours == 0)
    assert cvv is None or NOW < cvv <= min(kept, NOW + timedelta(hours=72))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_payload_is_read_or_refused_in_our_own_words(payload: bytes) -> None:
    with pytest.raises((errors.SealBroken, errors.CardInvalid)):
        read_card(payload, "intake_1", NOW, keeps_cvv=True)


def test_card_details_never_show_the_card() -> None:
    payload = (
        b'{"pan":"4111111111111111","exp_month":12,"exp_year":2028,"cvv":"123","name":"G H","intake_id":"intake_1"}'
    )
    details = read_card(payload, "intake_1", NOW, keeps_cvv=True)
    assert isinstance(details, CardDetails)
    assert VISA not in repr(details)
    assert "123" not in repr(details)


def test_published_numbers_pass_and_near_misses_do_not() -> None:
    assert Pan.parse("4111 1111 1111 1111").last4 == "1111"
    with pytest.raises(CardDataError):
        Pan.parse("4111 1111 1111 1112")


def test_another_agencys_slot_with_the_same_payment_id_is_another_payment(kit: Kit) -> None:
    mine, theirs = kit.store(), kit.store_card(kit.store_request(kit.open_intake(agency_id="agency_2")))
    assert kit.describe(mine).state == pb.CARD_STATE_STORED
    assert theirs.card_token != mine
