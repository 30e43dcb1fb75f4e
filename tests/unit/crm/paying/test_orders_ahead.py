"""What standing orders will charge when (G3, G6): the report ahead, and the list as a file."""

import csv
import html
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from protos.wayvault.events.v1.events_pb2 import StandingOrderTold
from services.crm.core.actor import Actor
from services.crm.core.ports.charging import ChargeState
from services.crm.paying.standing_orders.plan import Every, Plan
from services.crm.paying.standing_orders.records import Proposal, StandingOrder
from services.crm.paying.standing_orders.rules import MORNING, OrderState
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import Browser, CrmHouse, usd

ZONE = ZoneInfo("America/New_York")
AHEAD = "/reports/standing-orders"


class House(CrmHouse):
    """In which each agent signs in once."""

    def __init__(self, folder: Path, gateway: FakeCharging) -> None:
        super().__init__(folder, charging=gateway)
        self._browsers: dict[str, Browser] = {}

    def browser(self, agent: Actor) -> Browser:
        if agent.agent_id not in self._browsers:
            self._browsers[agent.agent_id] = super().browser(agent)
        return self._browsers[agent.agent_id]


@pytest.fixture
def crm(tmp_path: Path, gateway: FakeCharging) -> Iterator[CrmHouse]:
    house = House(tmp_path, gateway)
    yield house
    house.deps.core.database.dispose()


def today(crm: CrmHouse) -> date:
    return crm.clock.now().astimezone(ZONE).date()


def proposed(crm: CrmHouse, purpose: str, every: Every = Every.MONTH, times: int | None = 3) -> StandingOrder:
    plan = Plan(amount=usd(50_00), every=every, first_on=today(crm), times=times)
    wanted = Proposal(request_key=f"key of {purpose}", client_id=crm.grace_id, purpose=purpose, plan=plan)
    return crm.deps.paying.standing_orders.propose(crm.maya, crm.booking_id, wanted)


def signed(crm: CrmHouse, purpose: str, every: Every = Every.MONTH, times: int | None = 3) -> StandingOrder:
    """Signed, and charged for the first time."""
    order = proposed(crm, purpose, every, times)
    crm.hear(crm.authorization(order.payment_id or ""))
    work(crm)
    return crm.deps.paying.standing_orders.get(crm.maya, order.id)


def work(crm: CrmHouse) -> None:
    for _ in range(4):
        crm.deps.paying.order_keeping.run()
        crm.clock.advance(timedelta(seconds=6))


def morning(crm: CrmHouse, day: date) -> None:
    moment = datetime.combine(day, MORNING, tzinfo=ZONE) + timedelta(minutes=1)
    crm.clock.advance(max(timedelta(), moment - crm.clock.now()))
    work(crm)


def page(crm: CrmHouse, path: str = AHEAD, actor: Actor | None = None) -> str:
    return html.unescape(crm.browser(actor or crm.maya).get(path).text)


def rows(crm: CrmHouse, path: str, actor: Actor | None = None) -> list[dict[str, str]]:
    text = crm.browser(actor or crm.maya).get(path).text.lstrip("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_report_lists_each_charge_to_come_by_its_day_with_sums(crm: CrmHouse) -> None:
    signed(crm, "Planning fee")
    proposed(crm, "Club fee", Every.QUARTER, None)
    shown = page(crm)
    assert "Planning fee" in shown
    assert "2 of 3" in shown
    assert "Waits for signature" in shown
    assert "US$\u00a0100.00" in shown

    listed = rows(crm, f"{AHEAD}.csv?to={today(crm) + timedelta(days=100)}")
    first, second = (row for row in listed if row["For"] == "Planning fee")
    assert (first["Amount"], first["Currency"], first["State"], first["Number"], first["Of"]) == (
        "50.00",
        "USD",
        "Active",
        "2",
        "3",
    )
    assert date.fromisoformat(second["Day"]) > date.fromisoformat(first["Day"]) > today(crm)
    assert next(row["Day"] for row in listed if row["For"] == "Club fee") == today(crm).isoformat()
    assert [row["Day"] for row in listed] == sorted(row["Day"] for row in listed)
    sheet = load_workbook(io.BytesIO(crm.browser(crm.maya).get(f"{AHEAD}.xlsx").data)).active
    assert sheet is not None
    assert sheet["F2"].value == 50
    assert sheet["A2"].value.date() == today(crm)


def test_agents_read_of_their_own_and_admins_of_all_or_of_one(crm: CrmHouse) -> None:
    signed(crm, "Planning fee")
    for path in (AHEAD, f"{AHEAD}.csv", "/standing-orders/standing-orders.csv"):
        assert "Planning fee" in page(crm, path)
        assert "Planning fee" in page(crm, path, crm.ada)
        assert "Planning fee" not in page(crm, path, crm.jonas)
    assert "Nothing is charged in this time" in page(crm, AHEAD, crm.jonas)
    assert "Planning fee" not in page(crm, f"{AHEAD}?agent={crm.jonas.agent_id}", crm.ada)
    assert crm.browser(crm.jonas).get(f"{AHEAD}?agent={crm.maya.agent_id}").status_code == 404


def test_what_charges_nothing_now_is_listed_apart_with_why(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm, "Planning fee")
    crm.deps.paying.standing_orders.pause(crm.maya, order.id)
    assert "Paused until its agent resumes it." in page(crm)
    assert [(row["Day"], row["State"]) for row in rows(crm, f"{AHEAD}.csv")] == [("", "Paused")]
    crm.deps.paying.standing_orders.cancel(crm.maya, order.id)
    assert rows(crm, f"{AHEAD}.csv") == []
    assert [row["State"] for row in rows(crm, "/standing-orders/standing-orders.csv")] == ["Cancelled"]


@pytest.mark.parametrize("days_away", [0, 20], ids=["always running", "away for three weeks"])
def test_what_is_foretold_is_what_is_charged(crm: CrmHouse, days_away: int) -> None:
    signed(crm, "Planning fee", Every.WEEK, 5)
    begun = today(crm)
    crm.clock.advance(timedelta(days=days_away))
    told = [date.fromisoformat(row["Day"]) for row in rows(crm, f"{AHEAD}.csv?to={begun + timedelta(days=90)}")]

    charged: list[date] = []
    for day in range(days_away, 36):
        before = len(charges(crm))
        morning(crm, begun + timedelta(days=day))
        charged += [begun + timedelta(days=day)] * (len(charges(crm)) - before)
    assert charged == told
    assert len(told) == 4
    state = crm.deps.paying.standing_orders.list_page(crm.maya, 1).items[0].state
    assert state is OrderState.COMPLETED


def charges(crm: CrmHouse) -> list[StandingOrderTold]:
    return [event for event in crm.events(StandingOrderTold) if event.news == StandingOrderTold.NEWS_CHARGED]


def test_a_decline_moves_the_day_and_its_reason_stands_beside_it(crm: CrmHouse, gateway: FakeCharging) -> None:
    order = signed(crm, "Planning fee")
    due = order.next_on
    assert due is not None
    morning(crm, due - timedelta(days=3))
    gateway.next = ChargeState.DECLINED
    morning(crm, due)
    first, *_ = rows(crm, f"{AHEAD}.csv?to={due + timedelta(days=10)}")
    assert (first["Day"], first["Note"]) == (
        (due + timedelta(days=1)).isoformat(),
        "There is not enough money on the card.",
    )
    assert "There is not enough money on the card." in page(crm, f"{AHEAD}?to={due + timedelta(days=10)}")


def test_the_reports_lead_to_it_and_a_wrong_period_is_said(crm: CrmHouse) -> None:
    signed(crm, "Planning fee")
    for path in ("/reports", "/reports/charges", "/standing-orders"):
        assert f'href="{AHEAD}"' in page(crm, path)
    assert "before the beginning" in page(crm, f"{AHEAD}?from=2027-02-01&to=2027-01-01")
    assert "Enter both dates" in page(crm, f"{AHEAD}?from=soon")
    assert crm.browser(crm.maya).get(f"{AHEAD}.csv?from=soon").status_code == 200
