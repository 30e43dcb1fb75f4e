"""An admin sees their gateway and enters its keys (G3); the CRM passes on what it can't read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from chassis.errors import InvalidArgument, PermissionDenied, Unavailable
from protos.wayvault.events.v1.events_pb2 import PaymentProcessed
from services.crm.access.activity.service import Act, ActivityFilter
from services.crm.core.ports.charging import OPERATOR, GatewayDetail
from services.crm.paying.charging.charging_grpc import NoCharging
from services.crm.paying.charging.reason_words import ReasonWords
from tests.support.crm_charging import FakeCharging, charged_fee
from tests.support.crm_paying import ORIGIN, Browser, CrmHouse

PAGE = "/agency/gateway"


@pytest.fixture
def gateway() -> FakeCharging:
    return FakeCharging()


@pytest.fixture
def crm(tmp_path: Path, gateway: FakeCharging) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path, charging=gateway)
    yield house
    house.deps.core.database.dispose()


def _opened(crm: CrmHouse, name: str = "stripe") -> Browser:
    """Ada's browser, in which she has opened the form."""
    secret = crm.deps.access.sign_in.enrol_new_authenticator(crm.ada.agent_id)
    ada = crm.browser(crm.ada)
    code = pyotp.TOTP(secret).at(crm.clock.now())
    answer = ada.post(f"{PAGE}/keys", {"open-gateway": name, "open-code": code})
    assert (answer.status_code, answer.location) == (303, f"{PAGE}/keys")
    return ada


def test_an_admin_reads_what_is_set(crm: CrmHouse, gateway: FakeCharging) -> None:
    now = crm.clock.now()
    gateway.gateway = GatewayDetail(
        name="stripe",
        live=True,
        set_by=crm.ada.agent_id,
        set_at=now - timedelta(days=1),
        key_hint="9fQ2",
        account="acct_1",
        account_name="Beacon Travel LLC",
        checked_at=now,
        takes_notices=True,
    )
    page = crm.browser(crm.ada).get(PAGE).text
    for words in ("Stripe", "Live", "Real money moves", "Beacon Travel LLC", "acct_1", "Ends in 9fQ2", crm.ada.name):
        assert words in page
    assert "Replace keys" in page

    gateway.gateway = replace(gateway.gateway, live=False, set_by=OPERATOR, check_problem="It does not accept the key.")
    page = crm.browser(crm.ada).get(PAGE).text
    for words in ("Test mode", "The operator", "It does not accept the key."):
        assert words in page
    gateway.gateway = replace(gateway.gateway, set_by="agent_gone")
    assert "A former colleague" in crm.browser(crm.ada).get(PAGE).text


def test_a_page_without_a_gateway_and_one_without_charging_say_so(crm: CrmHouse, gateway: FakeCharging) -> None:
    gateway.gateway = None
    page = crm.browser(crm.ada).get(PAGE).text
    assert "No gateway is set" in page
    assert "Enter keys" in page

    gateway.gateway_of = _unreachable  # type: ignore[method-assign,assignment]
    answer = crm.browser(crm.ada).get(PAGE)
    assert (answer.status_code, "can&#39;t be shown now" in answer.text) == (200, True)
    assert "Replace keys" not in answer.text


def _unreachable(_agency_id: str) -> GatewayDetail | None:
    raise Unavailable


def test_a_fresh_code_opens_the_form_and_a_wrong_one_is_told_beside_it(crm: CrmHouse, gateway: FakeCharging) -> None:
    ada = crm.browser(crm.ada)
    crm.deps.access.sign_in.enrol_new_authenticator(crm.ada.agent_id)
    for wrong in ("", "12", "000000"):
        answer = ada.post(f"{PAGE}/keys", {"open-gateway": "authorizenet", "open-code": wrong})
        assert answer.status_code == 422
        assert 'id="open-code-error"' in answer.text
        assert '<option selected value="authorizenet">' in answer.text
    assert ada.post(f"{PAGE}/keys", {"open-gateway": "paypal", "open-code": "000000"}).status_code == 422
    assert gateway.key_entries == {}
    # Nothing is open, so there is no form, and nothing is taken.
    assert ada.get(f"{PAGE}/keys").status_code == 303
    assert ada.send(f"{PAGE}/keys/store", {"jwe": "sealed"}).status_code == 403

    page = _opened(crm).get(f"{PAGE}/keys").text
    (entry_id,) = gateway.key_entries
    assert f'data-entry="{entry_id}"' in page
    assert 'data-present="test"' in page


def test_what_the_frame_sealed_is_passed_on_and_noted(crm: CrmHouse, gateway: FakeCharging) -> None:
    ada = _opened(crm)
    for _ in range(2):
        answer = ada.send(f"{PAGE}/keys/store", {"jwe": "sealed-by-the-frame"})
        assert (answer.status_code, answer.json) == (200, {"accepted": True})
    (entry,) = gateway.entered.values()
    assert (entry.sealed, entry.agent_id) == ("sealed-by-the-frame", crm.ada.agent_id)
    noted = crm.deps.access.activities.page(crm.ada, ActivityFilter(act=Act.GATEWAY_KEYS_ENTERED)).items[0]
    assert (noted.who, noted.about) == (crm.ada.name, "Stripe, test mode")
    # Another browser of hers has opened nothing.
    assert crm.browser(crm.ada).send(f"{PAGE}/keys/store", {"jwe": "sealed"}).status_code == 403


def test_what_charging_refuses_reaches_the_frame_with_its_field(crm: CrmHouse, gateway: FakeCharging) -> None:
    ada = _opened(crm)
    gateway.refuse = InvalidArgument("The gateway does not accept this key.", field="key")
    answer = ada.send(f"{PAGE}/keys/store", {"jwe": "sealed"})
    assert answer.status_code == 422
    assert answer.json is not None
    told = answer.json["error"]
    assert (told["field"], told["message"]) == ("key", "The gateway does not accept this key.")
    assert ada.send(f"{PAGE}/keys/store", {"jwe": ""}).status_code == 422
    gateway.refuse = Unavailable("The gateway did not answer.")
    assert ada.send(f"{PAGE}/keys/store", {"jwe": "sealed"}).status_code == 503


def test_charging_out_of_reach_keeps_the_form_closed_and_says_so(crm: CrmHouse, gateway: FakeCharging) -> None:
    secret = crm.deps.access.sign_in.enrol_new_authenticator(crm.ada.agent_id)
    gateway.refuse = Unavailable("Charging does not answer.")
    code = pyotp.TOTP(secret).at(crm.clock.now())
    answer = crm.browser(crm.ada).post(f"{PAGE}/keys", {"open-gateway": "stripe", "open-code": code})
    assert answer.status_code == 422
    assert "Charging does not answer." in answer.text


def test_a_check_says_how_it_went(crm: CrmHouse, gateway: FakeCharging) -> None:
    ada = crm.browser(crm.ada)

    def said() -> str:
        assert ada.post(f"{PAGE}/check").status_code == 303
        return ada.get(PAGE).text

    assert "The gateway accepts the key." in said()
    assert gateway.gateway is not None
    gateway.gateway = replace(gateway.gateway, check_problem="The gateway does not accept the key.")
    assert "The gateway does not accept the key." in said()
    gateway.refuse = Unavailable("It did not answer.")
    assert "It did not answer." in said()


def test_agents_have_no_part_in_it(crm: CrmHouse) -> None:
    keys = crm.deps.paying.gateway_keys
    for act in (
        lambda: keys.of(crm.maya),
        lambda: keys.check(crm.maya),
        lambda: keys.open(crm.maya, "stripe", origin=ORIGIN),
        lambda: keys.enter(crm.maya, "gwkey_1", sealed="x", origin=ORIGIN),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_where_charging_is_not_set_up_nothing_is_opened() -> None:
    nothing = NoCharging()
    with pytest.raises(Unavailable):
        nothing.check_gateway("agency_1")
    with pytest.raises(Unavailable):
        nothing.open_key_entry("agency_1", "agent_1", "stripe", origin=ORIGIN)


def test_payouts_say_whether_money_moves(crm: CrmHouse, gateway: FakeCharging) -> None:
    assert "Test mode" in crm.browser(crm.ada).get("/reports/payouts").text
    assert gateway.gateway is not None
    gateway.gateway = replace(gateway.gateway, live=True)
    assert "Real money moves" in crm.browser(crm.ada).get("/reports/payouts").text
    gateway.gateway = None
    assert "money moves" not in crm.browser(crm.ada).get("/reports/payouts").text
    gateway.gateway_of = _unreachable  # type: ignore[method-assign,assignment]
    assert "money moves" not in crm.browser(crm.ada).get("/reports/payouts").text


def test_what_a_test_charge_moved_is_told_in_its_events(crm: CrmHouse, gateway: FakeCharging) -> None:
    charged_fee(crm)
    (told,) = crm.events(PaymentProcessed)
    assert told.context.test_mode


def test_codes_are_asked_for_once_and_again_only_after_a_failure(gateway: FakeCharging) -> None:
    words = ReasonWords(gateway)
    gateway.refuse = Unavailable()
    assert words.of_codes() == {}
    gateway.refuse = None
    assert "insufficient_funds" in words.of_codes()
    gateway.refuse = Unavailable()
    assert "insufficient_funds" in words.of_codes()
