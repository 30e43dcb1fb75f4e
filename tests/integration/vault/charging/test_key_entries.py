"""Keys that an admin enters in the secure frame: proven before they count, said back to nobody."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from chassis import errors
from protos.wayvault.vault.v1 import charging_pb2 as pb
from services.vault.audit.service import exported
from services.vault.charging.gateways.port import GatewaySettings
from services.vault.charging.models import GatewayAccountRow, KeyEntryRow
from tests.support import authorizenet_sim
from tests.support.authorizenet_sim import Ledger
from tests.support.charging import SIGNING, ChargingKit, charging_kit
from tests.support.gateway_notices import event
from tests.support.gateway_sim import Fault
from tests.support.vault_kit import AGENCY, ORIGIN, key

pytestmark = pytest.mark.enable_socket

NEW = "sk_test_simulatorSECOND77"
OTHERS = "sk_test_simulatorother88"
LIVE = "sk_live_simulatorREAL9999"
NEEDS_3DS = "4000002500003155"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[ChargingKit]:
    with charging_kit(tmp_path) as made:
        yield made


def _key_now(kit: ChargingKit) -> str:
    """What the gateway was last called with, proven by what charging opens."""
    with kit.kit.vault.core.database.read() as session:
        row = session.get_one(GatewayAccountRow, AGENCY)
        return kit.charging.rpc._keys._accounts.secrets(row).key


def test_keys_that_the_gateway_accepts_are_stored_and_charge(ours: ChargingKit) -> None:
    answer = ours.enter_keys(key=NEW, signing_secret=SIGNING)

    assert (answer.gateway, answer.live, answer.key_hint) == ("stripe", False, NEW[-4:])
    assert (answer.account, answer.account_name) == ("acct_beacon", "Beacon Travel")
    assert answer.set_by == "agent_maya"
    assert answer.checked_at == answer.set_at
    assert answer.takes_notices
    assert _key_now(ours) == NEW
    assert ours.charge(ours.kit.store()).state == pb.CHARGE_STATE_SUCCEEDED


def test_what_was_typed_stands_nowhere_but_sealed(ours: ChargingKit, tmp_path: Path) -> None:
    ours.enter_keys(key=NEW, signing_secret=SIGNING + "NEWSECRET")

    core = ours.kit.vault.core
    with core.database.read() as session:
        trail = "\n".join(exported(session))
    assert "gateway_key.set" in trail
    for secret in (NEW, NEW[8:], SIGNING + "NEWSECRET", "NEWSECRET"):
        assert secret not in trail
        assert not [file for file in tmp_path.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]


def test_the_trail_names_who_and_from_where(ours: ChargingKit) -> None:
    with pytest.raises(errors.InvalidArgument):
        ours.enter_keys(key="sk_test_unknowntogateway")
    ours.enter_keys(key=NEW)

    with ours.kit.vault.core.database.read() as session:
        rows = [json.loads(line) for line in exported(session)]
    ours_alone = [row for row in rows if row["action"].startswith("gateway_key.") and row["actor"] != "operator"]
    assert [(row["action"], row["result"], row["reason"]) for row in ours_alone] == [
        ("gateway_key.entry_opened", "ok", "stripe"),
        ("gateway_key.refused", "refused", "gateway_key_refused"),
        ("gateway_key.entry_opened", "ok", "stripe"),
        ("gateway_key.set", "ok", "stripe TEST"),
    ]
    assert {(row["agent_id"], row["ip"]) for row in ours_alone} == {("agent_maya", ORIGIN.ip)}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("sk_test_unknowntogateway", "does not accept this key"),
        ("rk_test_norights0000", "no right to payments"),
        ("pk_test_simulator0000", "begins with sk_test_"),
        ("", "begins with sk_test_"),
        ("sk_test_" + "a" * 400, "too long"),
    ],
)
def test_a_wrong_key_is_told_at_its_field_and_the_old_one_stays(ours: ChargingKit, typed: str, words: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=words) as refused:
        ours.enter_keys(key=typed)

    assert refused.value.field == "key"
    assert not typed or typed not in refused.value.message
    assert _key_now(ours) == ours.book.key


def test_after_a_wrong_key_the_same_form_takes_the_right_one(ours: ChargingKit) -> None:
    entry_id = ours.open_entry()
    with pytest.raises(errors.InvalidArgument):
        ours.enter(entry_id, ours.sealed_keys(entry_id, key="sk_test_unknowntogateway"))
    assert ours.enter(entry_id, ours.sealed_keys(entry_id, key=NEW)).key_hint == NEW[-4:]

    with pytest.raises(errors.IntakeUsed):
        ours.enter(entry_id, ours.sealed_keys(entry_id, key=OTHERS))
    assert _key_now(ours) == NEW


@pytest.mark.parametrize(
    "fault",
    [Fault(path="/v1/payment_intents", after=False, status=500), Fault(path="/v1/payment_intents", after=False)],
)
def test_a_gateway_that_does_not_answer_changes_nothing_and_the_same_is_sent_again(
    ours: ChargingKit, fault: Fault
) -> None:
    entry_id = ours.open_entry()
    sealed, same = ours.sealed_keys(entry_id, key=NEW), key()
    ours.book.faults.append(fault)
    with pytest.raises(errors.Unavailable, match="nothing was changed"):
        ours.enter(entry_id, sealed, idempotency_key=same)
    assert _key_now(ours) == ours.book.key

    first, second = (ours.enter(entry_id, sealed, idempotency_key=same) for _ in range(2))
    assert first == second
    assert first.key_hint == NEW[-4:]


def test_a_restricted_key_charges_though_its_account_is_not_told(ours: ChargingKit) -> None:
    answer = ours.enter_keys(key="rk_test_simulator0000")
    assert (answer.account, answer.account_name) == ("", "")
    assert ours.charge(ours.kit.store()).state == pb.CHARGE_STATE_SUCCEEDED


def test_live_in_place_of_test_has_to_be_meant(ours: ChargingKit) -> None:
    with pytest.raises(errors.InvalidArgument, match="real money moves") as refused:
        ours.enter_keys(key=LIVE)
    assert refused.value.field == "confirms_mode"
    assert not ours.described().live

    assert ours.enter_keys(key=LIVE, confirms_mode=True).live
    with pytest.raises(errors.InvalidArgument, match="no money moves"):
        ours.enter_keys(key=NEW)


def test_another_account_waits_until_no_charge_is_open(ours: ChargingKit) -> None:
    ours.enter_keys(key=NEW)
    waits = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    assert waits.state == pb.CHARGE_STATE_NEEDS_CLIENT

    with pytest.raises(errors.InvalidArgument, match="another account"):
        ours.enter_keys(key=OTHERS)
    # A leaked key of the same account is replaced at once.
    assert ours.enter_keys(key="sk_test_simulatorTHIRD66").account == "acct_beacon"

    ours.book.authenticate(waits.reference, good=True)
    ours.poll()
    assert ours.enter_keys(key=OTHERS).account == "acct_another"


def test_the_operators_key_is_asked_whose_it_is_while_a_charge_is_open(ours: ChargingKit) -> None:
    ours.enter_keys(key=NEW)
    waits = ours.charge(ours.kit.store(pan=NEEDS_3DS))
    with pytest.raises(errors.InvalidArgument, match="another account"):
        ours.set_key(OTHERS)
    with pytest.raises(errors.InvalidArgument, match="does not accept"):
        ours.set_key("sk_test_unknowntogateway")
    ours.book.faults.append(Fault(path="/v1/payment_intents", after=False, status=500))
    with pytest.raises(errors.Unavailable, match="nothing was changed"):
        ours.set_key("sk_test_simulatorTHIRD66")
    assert ours.set_key("sk_test_simulatorTHIRD66").account == "acct_beacon"

    ours.book.authenticate(waits.reference, good=True)
    ours.poll()
    assert ours.set_key(OTHERS).account == ""


def test_the_signing_secret_stays_with_its_account(ours: ChargingKit) -> None:
    ours.enter_keys(key=NEW, signing_secret=SIGNING)
    assert ours.enter_keys(key="sk_test_simulatorTHIRD66").takes_notices
    ours.ring(event("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"}, 1))

    assert not ours.enter_keys(key=OTHERS).takes_notices


def test_a_form_is_of_one_admin_and_ends(ours: ChargingKit) -> None:
    entry_id = ours.open_entry()
    sealed = ours.sealed_keys(entry_id, key=NEW)
    for changes in ({"agent_id": "agent_jonas"}, {"agency_id": "agency_2"}, {"entry_id": "gwkey_unknown"}):
        with pytest.raises(errors.NotFound):
            ours.enter(entry_id, sealed, **changes)

    ours.kit.fake_clock.advance(timedelta(minutes=10))
    with pytest.raises(errors.IntakeExpired, match="open it again"):
        ours.enter(entry_id, sealed)


@pytest.mark.parametrize(
    "changes",
    [
        {"entry_id": "gwkey_another"},
        {"gateway": "authorizenet"},
        {"confirms_mode": "yes"},
        {"key": 7},
        {"signing_secret": None},
    ],
)
def test_what_the_frame_did_not_make_is_not_read(ours: ChargingKit, changes: dict[str, Any]) -> None:
    entry_id = ours.open_entry()
    with pytest.raises(errors.SealBroken):
        ours.enter(entry_id, ours.sealed_keys(entry_id, **({"key": NEW} | changes)))
    with pytest.raises(errors.SealBroken):
        ours.enter(entry_id, ours.kit.frame().seal({"entry_id": entry_id}, "wv-store+jwe"))


def test_no_gateway_that_there_is_not(ours: ChargingKit) -> None:
    with pytest.raises(errors.InvalidArgument):
        ours.open_entry("paypal")


def test_the_same_call_opens_one_form_and_old_ones_are_forgotten(ours: ChargingKit) -> None:
    request = pb.OpenKeyEntryRequest(idempotency_key=key(), agency_id=AGENCY, agent_id="agent_maya", gateway="stripe")
    first, second = (ours.call(ours.charging.rpc.OpenKeyEntry, request).entry_id for _ in range(2))
    assert first == second

    ours.kit.fake_clock.advance(timedelta(days=2))
    later = ours.open_entry()
    with ours.kit.vault.core.database.read() as session:
        assert session.scalars(select(KeyEntryRow.id)).all() == [later]


def test_a_check_says_whether_the_key_is_still_accepted(ours: ChargingKit) -> None:
    def check() -> pb.DescribeGatewayResponse:
        answer: pb.DescribeGatewayResponse = ours.call(
            ours.charging.rpc.CheckGateway, pb.CheckGatewayRequest(agency_id=AGENCY)
        )
        return answer

    assert not ours.described().HasField("checked_at")
    assert check().account_name == "Beacon Travel"
    assert ours.described().HasField("checked_at")

    ours.book.key = "sk_test_afterthatonewasrevoked"
    ours.set_key("sk_test_unknowntogateway")
    assert check().check_problem == "The gateway does not accept your agency's key."
    ours.set_key(ours.book.key)
    ours.book.faults.append(Fault(path="/v1/payment_intents", after=False, status=500))
    with pytest.raises(errors.Unavailable):
        check()
    with pytest.raises(errors.NotFound):
        ours.call(ours.charging.rpc.CheckGateway, pb.CheckGatewayRequest(agency_id="agency_2"))


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with authorizenet_sim.running() as made:
        yield made


def test_the_second_gateway_takes_its_own_fields(tmp_path: Path, ledger: Ledger) -> None:
    settings = GatewaySettings(
        stripe_url="https://api.stripe.com",
        authorizenet_url=ledger.origin,
        authorizenet_test_url=ledger.origin,
        hosts=[ledger.origin],
        return_url="https://portal.example/",
    )
    good = {"mode": "test", "login": ledger.login, "key": ledger.key}
    with charging_kit(tmp_path, settings=settings) as ours:
        for changes, field in (({"mode": ""}, "mode"), ({"login": "x"}, "login"), ({"key": "a b"}, "key")):
            with pytest.raises(errors.InvalidArgument) as refused:
                ours.enter_keys("authorizenet", **(good | changes))
            assert refused.value.field == field
        with pytest.raises(errors.InvalidArgument, match="does not accept this key"):
            ours.enter_keys("authorizenet", **(good | {"key": "anotherkey00"}))

        answer = ours.enter_keys("authorizenet", **good)
        assert (answer.gateway, answer.live, answer.account_name) == ("authorizenet", False, "Beacon Travel")
        assert ours.charge(ours.kit.store()).state == pb.CHARGE_STATE_SUCCEEDED
