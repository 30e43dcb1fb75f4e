"""Whatever happens to a standing order: no day is charged twice, and what can be charged is."""

import tempfile
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.errors import InvalidArgument
from services.crm.core.ports.charging import ChargeState
from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.standing_orders.models import StandingPaymentRow
from services.crm.paying.standing_orders.plan import Every, Plan
from services.crm.paying.standing_orders.records import Proposal, StandingOrder
from services.crm.paying.standing_orders.rules import ENDED, MORNING, OrderState
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import CrmHouse, usd
from tests.support.thorough import examples

ZONE = ZoneInfo("America/New_York")
TIMES = 4
EVERY = [Every.WEEK, Every.FORTNIGHT, Every.MONTH]


class Orders(RuleBasedStateMachine):
    """One order over months: a worker that runs or not, a gateway in every mood, both sides at their buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.gateway = FakeCharging()
        self.crm = CrmHouse(Path(self.folder.name), charging=self.gateway)
        self.cards = 0

    def teardown(self) -> None:
        self.crm.deps.core.database.dispose()
        self.folder.cleanup()

    @initialize(
        every=st.sampled_from([Every.WEEK, Every.FORTNIGHT, Every.MONTH]),
        wait=st.integers(0, 5),
        notice=st.sampled_from([0, 3]),
    )
    def propose_and_sign(self, every: Every, wait: int, notice: int) -> None:
        plan = Plan(amount=usd(50_00), every=every, first_on=self.today() + timedelta(days=wait), times=TIMES)
        wanted = Proposal(
            request_key="machine-0123456789",
            client_id=self.crm.grace_id,
            purpose="Planning fee",
            plan=plan,
        )
        agency = self.crm.deps.access.directory.agency(self.crm.agency_id)
        policy = replace(agency.data, notice_days=notice)
        self.crm.deps.access.directory.change_agency(self.crm.ada, policy, version=agency.version)
        self.order_id = self.crm.deps.paying.standing_orders.propose(self.crm.maya, self.crm.booking_id, wanted).id
        self.sign()

    # ---- what may happen

    @rule(days=st.integers(1, 35), runs=st.booleans())
    def days_pass(self, days: int, runs: bool) -> None:
        """With a worker that looks every morning, or with none."""
        for _ in range(days):
            self.next_morning()
            if runs:
                self.work()

    @rule(
        mood=st.sampled_from([ChargeState.SUCCEEDED, ChargeState.SUCCEEDED, ChargeState.DECLINED, ChargeState.FAILED]),
        may_pass=st.booleans(),
    )
    def the_bank_changes_its_mind(self, mood: ChargeState, may_pass: bool) -> None:
        self.gateway.next, self.gateway.may_pass = mood, may_pass

    @rule(lost=st.booleans(), never=st.booleans())
    def the_wire_breaks(self, lost: bool, never: bool) -> None:
        self.gateway.lost, self.gateway.never_arrives = lost, never

    @rule()
    def the_worker_runs(self) -> None:
        self.work()

    @rule(what=st.sampled_from(["pause", "resume", "ask_for_card"]))
    def the_agent_presses(self, what: str) -> None:
        try:
            getattr(self.crm.deps.paying.standing_orders, what)(self.crm.maya, self.order_id)
        except InvalidArgument:
            return

    @rule()
    def the_client_signs_what_waits(self) -> None:
        self.sign()

    @precondition(lambda self: self.order().made >= 2)
    @rule()
    def somebody_cancels(self) -> None:
        orders = self.crm.deps.paying.standing_orders
        if self.order().can_cancel:
            orders.cancel(self.crm.maya, self.order_id)

    # ---- what holds

    @invariant()
    def no_day_is_charged_twice(self) -> None:
        if not hasattr(self, "order_id"):
            return
        taken = self.taken()
        assert all(count == 1 for count in taken.values()), taken
        assert len(taken) <= TIMES
        assert self.order().made <= len(taken)

    def check_the_end(self) -> None:
        """When everything works again, everything that is still wanted is charged."""
        self.gateway.next, self.gateway.may_pass = ChargeState.SUCCEEDED, True
        self.gateway.lost = self.gateway.never_arrives = False
        for _ in range(TIMES * 40):
            if self.order().state in ENDED and not self.gateway.mandates:
                break
            if self.order().state is OrderState.PAUSED:
                self.crm.deps.paying.standing_orders.resume(self.crm.maya, self.order_id)
            self.sign()
            self.next_morning()
            self.work()
        order = self.order()
        assert order.state in (OrderState.COMPLETED, OrderState.CANCELLED), order
        if order.state is OrderState.COMPLETED:
            assert len(self.taken()) == order.made == TIMES
        assert order.made == len(self.taken())
        assert self.gateway.mandates == set()

    # ---- pieces

    def order(self) -> StandingOrder:
        return self.crm.deps.paying.standing_orders.get(self.crm.maya, self.order_id)

    def today(self) -> date:
        return self.crm.clock.now().astimezone(ZONE).date()

    def next_morning(self) -> None:
        moment = datetime.combine(self.today() + timedelta(days=1), MORNING, tzinfo=ZONE) + timedelta(minutes=1)
        self.crm.clock.advance(moment - self.crm.clock.now())

    def work(self) -> None:
        paying = self.crm.deps.paying
        for _ in range(4):
            paying.charges.find_out()
            paying.order_keeping.run()
            paying.order_keeping.forget()
            self.crm.clock.advance(timedelta(minutes=3))

    def sign(self) -> None:
        payment_id = self.order().payment_id
        if payment_id and self.crm.row(payment_id).state in (PaymentState.REQUESTED, PaymentState.OPENED):
            self.cards += 1
            self.crm.hear(self.crm.authorization(payment_id, token=f"card_{self.cards}"))

    def taken(self) -> Counter[int]:
        """How often each day was charged, by the gateway's books."""
        with self.crm.deps.core.database.read() as session:
            days = {row.payment_id: row.index for row in session.query(StandingPaymentRow)}
        return Counter(
            days[payment_id]
            for payment_id, charges in self.gateway.charges.items()
            for charge in charges
            if charge.state is ChargeState.SUCCEEDED
        )


class EndedOrders(Orders):
    def teardown(self) -> None:
        try:
            if hasattr(self, "order_id"):
                self.check_the_end()
        finally:
            super().teardown()


TestOrders = EndedOrders.TestCase
TestOrders.settings = settings(
    max_examples=examples(12), stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
