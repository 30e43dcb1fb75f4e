"""Refunds that two people decide, and refunds that fail while nobody looks (G2)."""

import html
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from chassis.errors import InvalidArgument, NotFound, PermissionDenied, WayvaultError
from chassis.money import Money
from protos.wayvault.events.v1.events_pb2 import (
    PaymentRefunded,
    PaymentRefundFailed,
    RefundApprovalDecided,
    RefundApprovalRequested,
)
from services.crm.access.activity.service import Act, ActivityFilter
from services.crm.core.actor import Actor, Role
from services.crm.core.ports.charging import RefundState
from services.crm.paying.charging.approvals import RefundRequest
from services.crm.paying.charging.models import PaymentRefundRow
from services.crm.paying.charging.rules import needs_approval
from tests.support.crm_charging import FakeCharging, charged_fee, fee
from tests.support.crm_paying import ORIGIN, Browser, CrmHouse, usd


@pytest.fixture
def crm(crm: CrmHouse, gateway: FakeCharging) -> CrmHouse:
    """Refunds above US$ 100 need another admin."""
    limit(crm, 100)
    return crm


def limit(crm: CrmHouse, amount: int | None) -> None:
    agency = crm.deps.access.directory.agency(crm.agency_id)
    crm.deps.access.directory.change_agency(crm.ada, replace(agency.data, refund_limit=amount), version=agency.version)


def ask(crm: CrmHouse, payment_id: str, amount: Money, *, seen: int = 0, reason: str = "Cancelled") -> RefundRequest:
    made = crm.deps.paying.refunds.refund(crm.maya, payment_id, amount=amount, reason=reason, seen=seen, origin=ORIGIN)
    assert isinstance(made, RefundRequest)
    return made


def approve(crm: CrmHouse, request: RefundRequest, admin: Actor | None = None) -> None:
    crm.deps.paying.refund_approvals.approve(admin or crm.ada, request.id, word="")


def page(crm: CrmHouse, path: str, agent: Actor | None = None) -> str:
    return html.unescape(crm.browser(agent or crm.maya).get(path).text)


def given_back(gateway: FakeCharging, payment_id: str) -> int:
    return gateway.charges[payment_id][0].refunded_minor


# ---------------------------------------------------------------- when two people are needed


def test_nobody_else_is_needed_until_the_admin_says_so(crm: CrmHouse, gateway: FakeCharging) -> None:
    limit(crm, None)
    payment_id = charged_fee(crm)
    crm.deps.paying.refunds.refund(crm.maya, payment_id, amount=usd(900_00), reason="Cancelled", seen=0, origin=ORIGIN)
    assert given_back(gateway, payment_id) == 900_00
    assert gateway.approvers == []


def test_up_to_the_amount_an_agent_refunds_alone(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    crm.deps.paying.refunds.refund(crm.maya, payment_id, amount=usd(100_00), reason="Cancelled", seen=0, origin=ORIGIN)
    assert given_back(gateway, payment_id) == 100_00


def test_many_small_refunds_are_one_large(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    refunds = crm.deps.paying.refunds
    refunds.refund(crm.maya, payment_id, amount=usd(60_00), reason="First", seen=0, origin=ORIGIN)
    waiting = ask(crm, payment_id, usd(60_00), seen=1)
    assert given_back(gateway, payment_id) == 60_00
    approve(crm, waiting)
    # What was approved by two does not count towards what one may give back.
    refunds.refund(crm.maya, payment_id, amount=usd(40_00), reason="Third", seen=2, origin=ORIGIN)
    assert given_back(gateway, payment_id) == 160_00


@given(
    limit=st.none() | st.integers(0, 1_000),
    parts=st.lists(st.integers(1, 200_000), min_size=1, max_size=8),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_however_it_is_split_one_person_never_gives_back_more_than_the_limit(
    limit: int | None, parts: list[int], currency: str
) -> None:
    alone = 0
    for part in parts:
        if not needs_approval(limit, given_minor=alone, wanted=Money(minor=part, currency=currency)):
            alone += part
    assert limit is None or Money(minor=alone, currency=currency).decimal <= limit


# ---------------------------------------------------------------- asking, deciding


def test_no_money_moves_before_another_admin_approves(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    request = ask(crm, payment_id, usd(500_00))
    crm.clock.advance(timedelta(minutes=5))
    crm.deps.paying.refunds.carry_out()
    assert given_back(gateway, payment_id) == 0
    (told,) = crm.events(RefundApprovalRequested)
    assert [admin.id for admin in told.admins] == [crm.ada.agent_id]
    assert (told.amount.minor, told.reason, told.request_id) == (500_00, "Cancelled", request.id)
    assert "Waits for an admin" in page(crm, f"/payments/{payment_id}")

    approve(crm, request)
    assert given_back(gateway, payment_id) == 500_00
    assert gateway.approvers == [crm.ada.agent_id]
    (decided,) = crm.events(RefundApprovalDecided)
    assert (decided.approved, decided.decided_by) == (True, "Ada Lindqvist")
    assert "Approved by Ada Lindqvist" in page(crm, f"/payments/{payment_id}")
    assert len(crm.events(PaymentRefunded)) == 1


def test_a_double_click_asks_once_and_another_amount_only_when_the_first_is_taken_back(crm: CrmHouse) -> None:
    payment_id = charged_fee(crm)
    assert ask(crm, payment_id, usd(500_00)) == ask(crm, payment_id, usd(500_00))
    with pytest.raises(InvalidArgument, match="Take it back first"):
        ask(crm, payment_id, usd(10_00))
    assert crm.browser(crm.maya).post(f"/payments/{payment_id}/refund/take-back").status_code == 303
    assert "Taken back" in page(crm, f"/payments/{payment_id}")
    ask(crm, payment_id, usd(600_00))
    assert len(crm.events(RefundApprovalRequested)) == 2


def test_who_asked_never_approves_even_as_an_admin(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    request = ask(crm, payment_id, usd(500_00))
    maya_as_admin = replace(crm.maya, role=Role.ADMIN)
    for decide in (crm.deps.paying.refund_approvals.approve, crm.deps.paying.refund_approvals.refuse):
        with pytest.raises(PermissionDenied, match="Another admin"):
            decide(maya_as_admin, request.id, word="")
    assert given_back(gateway, payment_id) == 0


def test_agents_and_other_agencies_see_no_request(crm: CrmHouse) -> None:
    request = ask(crm, charged_fee(crm), usd(500_00))
    for stranger in (crm.jonas, crm.maya, replace(crm.ada, agency_id="agency_other")):
        with pytest.raises(NotFound):
            crm.deps.paying.refund_approvals.get(stranger, request.id)
        with pytest.raises(NotFound):
            approve(crm, request, stranger)


def test_without_another_admin_it_can_not_be_asked_for(crm: CrmHouse) -> None:
    payment_id = charged_fee(crm)
    agent = crm.deps.access.directory.agent(crm.ada.agent_id)
    nora = crm._agent(crm.agency_id, "Nora Lind", "nora@harbour.example", Role.ADMIN)
    crm.deps.access.directory.change_agent(nora, agent.id, replace(agent.data, active=False), version=agent.version)
    other = crm.deps.access.directory.agent(nora.agent_id)
    crm.deps.access.directory.change_agent(crm.ada, other.id, replace(other.data, active=False), version=other.version)
    answer = crm.browser(crm.maya).post(
        f"/payments/{payment_id}/refund", {"refund-amount": "500", "refund-reason": "Cancelled", "refund-seen": "0"}
    )
    assert answer.status_code == 422
    assert "there is none. An admin can add one" in html.unescape(answer.text)


def test_a_refusal_moves_nothing_and_says_why(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    request = ask(crm, payment_id, usd(500_00))
    crm.deps.paying.refund_approvals.refuse(crm.ada, request.id, word="The supplier keeps it")
    with pytest.raises(InvalidArgument, match="refused already"):
        approve(crm, request)
    assert given_back(gateway, payment_id) == 0
    (decided,) = crm.events(RefundApprovalDecided)
    assert (decided.approved, decided.word) == (False, "The supplier keeps it")
    assert "Ada Lindqvist: The supplier keeps it" in page(crm, f"/payments/{payment_id}")


def test_what_was_taken_back_can_not_be_approved(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    request = ask(crm, payment_id, usd(500_00))
    assert crm.deps.paying.refund_approvals.withdraw(crm.maya, payment_id)
    assert not crm.deps.paying.refund_approvals.withdraw(crm.maya, payment_id)
    with pytest.raises(InvalidArgument, match="taken back"):
        approve(crm, request)
    assert given_back(gateway, payment_id) == 0


def test_approvals_at_the_same_time_give_the_money_back_once(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    charged = crm.row(payment_id).amount_minor
    admins = [crm.ada, crm._agent(crm.agency_id, "Nora Lind", "nora@harbour.example", Role.ADMIN)]
    request = ask(crm, payment_id, usd(charged))

    def decide(admin: Actor) -> bool:
        try:
            approve(crm, request, admin)
        except WayvaultError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(decide, admins * 3))
    assert done.count(True) == 1
    assert given_back(gateway, payment_id) == charged
    with crm.deps.core.database.read() as session:
        assert session.scalar(select(func.count()).select_from(PaymentRefundRow)) == 1


def test_an_approval_whose_answer_is_lost_is_carried_out_once(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    request = ask(crm, payment_id, usd(500_00))
    gateway.lost = True
    approve(crm, request)
    crm.clock.advance(timedelta(seconds=10))
    crm.deps.paying.refunds.carry_out()
    assert given_back(gateway, payment_id) == 500_00
    assert crm.row(payment_id).refunded_minor == 500_00


# ---------------------------------------------------------------- the pages


def ready(crm: CrmHouse) -> tuple[str, Browser, str]:
    """A request's page, Ada's browser, and her authenticator's secret."""
    request = ask(crm, charged_fee(crm), usd(500_00))
    crm.deps.access.sign_in.set_password(crm.ada.agent_id, "harbour lantern velvet ostrich")
    secret = crm.deps.access.sign_in.enrol_new_authenticator(crm.ada.agent_id)
    return f"/approvals/refunds/{request.id}", crm.browser(crm.ada), secret


def test_an_admin_finds_it_in_rail_dashboard_and_list_and_approves_with_a_fresh_code(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    path, ada, secret = ready(crm)
    assert "1 refund waits for an admin" in html.unescape(ada.get("/").text)
    assert path in ada.get("/approvals").text
    assert "Test mode" in ada.get(path).text
    wrong = ada.post(f"{path}/approve", {"approve-code": "000000"})
    assert wrong.status_code == 422
    assert "That code is not right" in html.unescape(wrong.text)
    assert sum(charge.refunded_minor for found in gateway.charges.values() for charge in found) == 0

    code = pyotp.TOTP(secret).at(crm.clock.now())
    assert ada.post(f"{path}/approve", {"approve-code": code, "approve-word": "Fine"}).status_code == 303
    shown = html.unescape(ada.get(path).text)
    assert "Ada Lindqvist approved it" in shown
    assert "waits for an admin" not in ada.get("/").text
    (noted,) = crm.deps.access.activities.page(crm.ada, ActivityFilter(act=Act.REFUND_APPROVED)).items
    assert noted.who == "Ada Lindqvist"
    assert "US$\u00a0500.00 to Grace Hopper, asked for by Maya Okafor" in noted.about


def test_an_admin_refuses_with_a_reason(crm: CrmHouse) -> None:
    path, ada, _ = ready(crm)
    assert ada.post(f"{path}/refuse", {"refuse-word": ""}).status_code == 422
    assert ada.post(f"{path}/refuse", {"refuse-word": "Too late"}).status_code == 303
    assert "refused it" in ada.get(path).text
    assert len(crm.deps.access.activities.page(crm.ada, ActivityFilter(act=Act.REFUND_REFUSED)).items) == 1


def test_the_admin_sets_the_amount_and_it_is_on_record(crm: CrmHouse) -> None:
    ada = crm.browser(crm.ada)
    agency = crm.deps.access.directory.agency(crm.agency_id)
    form = {
        "version": str(agency.version),
        "name": agency.name,
        "email": agency.data.email,
        "time_zone": agency.data.time_zone,
        "card_retention_days": "30",
        "cvv_retention_hours": "72",
        "notice_days": "3",
    }
    assert ada.post("/agency", form | {"refund_limit": "two"}).status_code == 422
    assert ada.post("/agency", form | {"refund_limit": "-1"}).status_code == 422
    assert ada.post("/agency", form | {"refund_limit": "1,500"}).status_code == 303
    assert crm.deps.access.directory.agency(crm.agency_id).data.refund_limit == 1_500
    changed = crm.deps.access.activities.page(crm.ada, ActivityFilter(act=Act.AGENCY_CHANGED)).items[0]
    assert "Refunds above this need another admin: 100 → 1500" in changed.about


# ---------------------------------------------------------------- what failed while nobody looked


def refund(crm: CrmHouse, payment_id: str) -> None:
    crm.deps.paying.refunds.refund(crm.maya, payment_id, amount=usd(40_00), reason="Cancelled", seen=0, origin=ORIGIN)


def test_a_refund_that_comes_back_later_is_mailed_and_stands_in_the_agents_list(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    payment_id = charged_fee(crm)
    refund(crm, payment_id)
    assert crm.row(payment_id).refunded_minor == 40_00
    gateway.settle_refunds(payment_id, RefundState.FAILED, "The client's card has ended.")
    # The gateway's message got lost: the worker looks by itself, and open pages follow.
    before = crm.deps.paying.signs.of(crm.maya).news
    crm.clock.advance(timedelta(days=1, minutes=1))
    crm.deps.paying.refunds.carry_out()
    crm.deps.paying.refunds.carry_out()

    assert crm.deps.paying.signs.of(crm.maya).news != before
    (told,) = crm.events(PaymentRefundFailed)
    assert (told.amount.minor, told.problem, told.left_before) == (40_00, "The client's card has ended.", True)
    assert told.context.agent.email == "maya@harbour.example"
    assert crm.row(payment_id).refunded_minor == 0
    assert "Refunds that were not made" in page(crm, "/")
    assert "Refunds that were not made" not in page(crm, "/", crm.jonas)
    shown = page(crm, f"/payments/{payment_id}")
    assert "I have taken care of it" in shown
    assert "I have taken care of it" not in page(crm, f"/payments/{payment_id}", crm.ada)

    assert crm.browser(crm.maya).post(f"/payments/{payment_id}/refund/cared-for").status_code == 303
    assert "Refunds that were not made" not in page(crm, "/")


def test_a_message_of_the_gateway_brings_it_at_once(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    refund(crm, payment_id)
    gateway.settle_refunds(payment_id, RefundState.FAILED, "The client's bank did not take the refund.")
    crm.deps.paying.notices.take(crm.agency_id, b"{}", "t=1,v1=abc")
    crm.deps.paying.refunds.carry_out()
    assert len(crm.events(PaymentRefundFailed)) == 1


def test_what_the_agent_sees_fail_is_not_mailed_to_them(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    gateway.next_refund = RefundState.FAILED
    refund(crm, payment_id)
    assert "Not made" in page(crm, f"/payments/{payment_id}")
    assert crm.events(PaymentRefundFailed) == []
    assert "Refunds that were not made" not in page(crm, "/")


def test_what_fails_after_an_approval_is_told_to_who_asked(crm: CrmHouse, gateway: FakeCharging) -> None:
    payment_id = charged_fee(crm)
    request = ask(crm, payment_id, usd(500_00))
    gateway.refuse = InvalidArgument("Your account at the gateway has not enough money for this refund.")
    approve(crm, request)
    (told,) = crm.events(PaymentRefundFailed)
    assert "not enough money" in told.problem
    assert not told.left_before
    gateway.refuse = None
    approve(crm, ask(crm, payment_id, usd(500_00), seen=1))
    assert "Refunds that were not made" not in page(crm, "/")


def test_after_a_month_nobody_asks_about_a_refund_any_more(crm: CrmHouse) -> None:
    payment_id = charged_fee(crm)
    refund(crm, payment_id)
    crm.clock.advance(timedelta(days=31))
    assert crm.deps.paying.refunds.carry_out() == 1
    crm.clock.advance(timedelta(days=31))
    assert crm.deps.paying.refunds.carry_out() == 0


# ---------------------------------------------------------------- a fresh code before a charge


def test_where_the_policy_says_so_a_charge_needs_a_fresh_code(crm: CrmHouse, gateway: FakeCharging) -> None:
    agency = crm.deps.access.directory.agency(crm.agency_id)
    data = replace(agency.data, charge_code=True)
    payment_id = fee(crm)
    assert 'name="charge-code"' not in page(crm, f"/payments/{payment_id}")
    crm.deps.access.directory.change_agency(crm.ada, data, version=agency.version)
    crm.deps.access.sign_in.set_password(crm.maya.agent_id, "harbour lantern velvet ostrich")
    secret = crm.deps.access.sign_in.enrol_new_authenticator(crm.maya.agent_id)
    maya = crm.browser(crm.maya)
    assert 'name="charge-code"' in maya.get(f"/payments/{payment_id}").text

    for typed, words in (
        ("", "Enter the 6 digits that your app shows."),
        ("000000", "That code is not right"),
        ("no", "Enter the 6 digits of the code."),
    ):
        answer = maya.post(f"/payments/{payment_id}/charge", {"charge-code": typed})
        # The page comes back with what is wrong beside the code; its script opens the question again.
        assert answer.status_code == 422
        beside = html.unescape(answer.text).partition('id="charge-code-error"')[2]
        assert words in beside[:400]
        assert gateway.charges == {}
    maya.post(f"/payments/{payment_id}/charge", {"charge-code": pyotp.TOTP(secret).at(crm.clock.now())})
    assert len(gateway.charges[payment_id]) == 1
