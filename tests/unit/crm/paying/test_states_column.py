"""A payment's state in two columns: what a process of the last release reads, writes, and leaves behind (O12)."""

from datetime import timedelta
from itertools import combinations

import pytest
from sqlalchemy import func, select, text

from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized
from services.crm.core.ports.charging import ChargeState
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import FORMER, PENDING, PaymentState
from services.crm.paying.payments.states_column import read, written
from services.crm.paying.standing_orders.plan import Every, Plan
from services.crm.paying.standing_orders.records import Proposal, StandingOrder
from services.crm.paying.standing_orders.rules import OrderState
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import CrmHouse, usd

# payments/rules.py of release 0.1.0.
OF_THE_LAST_RELEASE = {
    "requested",
    "opened",
    "authorized",
    "retrieved",
    "processed",
    "voided",
    "expired",
    "revoked",
    "lapsed",
}


pytestmark = pytest.mark.usefixtures("gateway")


def proposed(crm: CrmHouse) -> StandingOrder:
    first_on = crm.clock.now().date() + timedelta(days=5)
    plan = Plan(amount=usd(50_00), every=Every.MONTH, first_on=first_on, times=3)
    wanted = Proposal(request_key="order-1-0123456789", client_id=crm.grace_id, purpose="Planning fee", plan=plan)
    return crm.deps.paying.standing_orders.propose(crm.maya, crm.booking_id, wanted)


def scheduled(crm: CrmHouse) -> StandingOrder:
    """One that is signed; its first charge waits for its day."""
    order = proposed(crm)
    crm.hear(crm.authorization(order.payment_id or ""))
    return now_of(crm, order)


def now_of(crm: CrmHouse, order: StandingOrder) -> StandingOrder:
    return crm.deps.paying.standing_orders.get(crm.maya, order.id)


def as_the_last_release(crm: CrmHouse, payment_id: str, state: str | None = None) -> str:
    """What a process of before reads; `state`: what it writes first."""
    with crm.deps.core.database.transaction() as session:
        if state:
            change = text("UPDATE payment SET state = :state WHERE id = :id")
            session.execute(change, {"state": state, "id": payment_id})
        return str(session.scalar(text("SELECT state FROM payment WHERE id = :id"), {"id": payment_id}))


@pytest.mark.parametrize("state", PaymentState)
def test_each_state_is_written_as_one_that_the_last_release_knows_and_read_as_itself(state: PaymentState) -> None:
    former, exact = written(state)
    assert former in OF_THE_LAST_RELEASE
    assert read(former, exact) == state


def test_what_a_process_of_before_wrote_afterwards_counts() -> None:
    assert read("retrieved", "scheduled") == "retrieved"
    assert read("voided", "scheduled") == "voided"


def test_queries_find_just_the_states_that_they_ask_for(crm: CrmHouse) -> None:
    payment_id = crm.requested("waiting-0123456789")
    for state in PaymentState:
        with crm.deps.core.database.transaction() as session:
            session.get_one(PaymentRow, payment_id).state = state
            assert session.scalar(select(PaymentRow.state).where(PaymentRow.id == payment_id)) == state
            for wanted in (*map(set, combinations(PaymentState, 2)), {state}, set(PENDING), set(PaymentState)):
                found = session.scalar(select(func.count()).where(PaymentRow.state.in_(wanted)))
                assert bool(found) is (state in wanted), (state, wanted)
            for other in PaymentState:
                assert session.scalar(select(func.count()).where(PaymentRow.state == other)) == (state is other)


@pytest.mark.parametrize("left_over", FORMER)
def test_queries_believe_what_a_process_of_before_wrote_last(crm: CrmHouse, left_over: PaymentState) -> None:
    payment_id = crm.requested("waiting-0123456789")
    with crm.deps.core.database.transaction() as session:
        session.get_one(PaymentRow, payment_id).state = left_over
    as_the_last_release(crm, payment_id, "retrieved")
    with crm.deps.core.database.read() as session:
        assert session.scalar(select(PaymentRow.id).where(PaymentRow.state.in_(PENDING))) == payment_id
        assert session.scalar(select(PaymentRow.id).where(PaymentRow.state == left_over)) is None


def test_nobody_asks_for_a_state_in_a_way_that_was_not_thought_of() -> None:
    with pytest.raises(NotImplementedError):
        select(PaymentRow.id).where(PaymentRow.state != PaymentState.VOIDED)


def test_a_process_of_before_reads_a_scheduled_payment_as_authorized(crm: CrmHouse) -> None:
    order = scheduled(crm)
    assert crm.row(order.payment_id or "").state == PaymentState.SCHEDULED
    assert as_the_last_release(crm, order.payment_id or "") == "authorized"
    assert crm.deps.paying.book.pending(crm.maya) == []


def test_an_authorization_that_a_worker_of_before_took_begins_the_order_all_the_same(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = proposed(crm)
    message: PaymentAuthorized = crm.authorization(order.payment_id or "")
    with crm.deps.core.database.transaction() as session:
        row = session.get_one(PaymentRow, order.payment_id or "")
        row.state, row.card_token = PaymentState.AUTHORIZED, message.card_token
        row.card_brand, row.card_last4 = message.brand, message.last4
    assert crm.deps.paying.order_keeping.catch_up() == 1
    begun = now_of(crm, order)
    assert (begun.state, begun.next_on, begun.card_last4) == (OrderState.ACTIVE, order.plan.first_on, message.last4)
    assert crm.row(order.payment_id or "").state == PaymentState.SCHEDULED
    assert crm.deps.paying.order_keeping.catch_up() == 0


def test_a_card_that_was_shown_at_a_process_of_before_is_not_charged_until_its_agent_says_how_it_ended(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = scheduled(crm)
    as_the_last_release(crm, order.payment_id or "", "retrieved")
    run_for(crm, days=8)
    assert gateway.orders == []
    as_the_last_release(crm, order.payment_id or "", "processed")
    run_for(crm, days=2)
    assert now_of(crm, order).made == 1
    assert gateway.orders == []


def test_a_payment_that_was_voided_at_a_process_of_before_asks_for_another_card(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    order = scheduled(crm)
    as_the_last_release(crm, order.payment_id or "", "voided")
    run_for(crm, days=6)
    assert now_of(crm, order).state is OrderState.CARD_NEEDED
    assert gateway.orders == []
    crm.hear(crm.authorization(now_of(crm, order).payment_id or ""))
    run_for(crm, days=1)
    assert [made[0].state for made in gateway.charges.values()] == [ChargeState.SUCCEEDED]
    assert now_of(crm, order).made == 1


def run_for(crm: CrmHouse, *, days: int) -> None:
    for _ in range(days):
        crm.clock.advance(timedelta(days=1))
        for _ in range(4):
            crm.deps.paying.order_keeping.run()
            crm.clock.advance(timedelta(seconds=6))
