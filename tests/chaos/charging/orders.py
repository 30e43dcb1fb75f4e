"""Standing orders whose days come while CRM worker, charging and gateway are killed, and the proof that each day of
each order is charged once. Their clocks leave out the hours in which nothing is to be done."""

import math
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from services.crm.paying.standing_orders.plan import Every, Plan
from services.crm.paying.standing_orders.records import Proposal
from tests.chaos.charging import programs
from tests.chaos.charging.kills import prove_no_card, ready
from tests.chaos.charging.programs import Place
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import CrmHouse, usd
from tests.support.vault_kit import make_kit

_ZONE: Final = ZoneInfo("America/New_York")
# What is still to be done, as (when it is looked at next, as SQLite keeps it).
_TO_DO: Final = """
    SELECT act_at FROM standing_order WHERE state != 'completed'
    UNION ALL SELECT try_at FROM standing_order_old_mandate
"""
_OPEN: Final = "SELECT count(*) FROM payment_charge WHERE state IN ('intent', 'asking', 'needs_client')"
_DAYS: Final = """
    SELECT link.payment_id, link.order_id, link.day_index, link.due_on, payment.closed_at
    FROM standing_order_payment AS link JOIN payment ON payment.id = link.payment_id
"""


def with_orders(folder: Path, orders: int, times: int) -> Place:
    """Weekly orders of `times` charges each, signed with cards of a vault; the first day of all is today."""
    crm, kit = CrmHouse(folder, charging=FakeCharging()), make_kit(folder)
    kit.enrol(crm.maya.agent_id, agency=crm.agency_id)
    today = crm.clock.now().astimezone(_ZONE).date()
    plan = Plan(amount=usd(50_00), every=Every.WEEK, first_on=today, times=times)
    for number in range(orders):
        wanted = Proposal(
            request_key=f"order-{number}-0123456789", client_id=crm.grace_id, purpose="Planning fee", plan=plan
        )
        order = crm.deps.paying.standing_orders.propose(crm.maya, crm.booking_id, wanted)
        payment_id = order.payment_id or ""
        intake = kit.open_intake(payment_id, agency_id=crm.agency_id, owner_agent_id=crm.maya.agent_id)
        token = str(kit.store_card(kit.store_request(intake)).card_token)
        crm.hear(crm.authorization(payment_id, token=token))
    return ready(folder, crm, kit)


def left(place: Place) -> int:
    """How many orders are not completed, and cards not forgotten. Where nothing is to be done now, goes to the hour in
    which something is."""
    with closing(sqlite3.connect(place.folder / "crm.db", timeout=30)) as connection:
        moments = [row[0] for row in connection.execute(_TO_DO)]
        under_way = int(connection.execute(_OPEN).fetchone()[0])
    assert None not in moments, "an order waits for somebody: its card was refused"
    if moments and not under_way:
        wait = min(map(_moment, moments)) - place.clock.now()
        if wait > timedelta():
            with place.skipped.open("ab") as skipped:
                skipped.write(b"." * math.ceil(wait / timedelta(hours=1)))
    return len(moments)


def prove_each_day_once(place: Place, orders: int, times: int) -> None:
    with closing(sqlite3.connect(place.folder / "vault.db")) as vault:
        rows = vault.execute("SELECT id, payment_id, state FROM charges").fetchall()
    payment_of = {charge_id: payment_id for charge_id, payment_id, _ in rows}
    assert not [state for _, _, state in rows if state in ("intent", "asking", "needs_client")]
    with closing(sqlite3.connect(place.folder / "crm.db")) as crm:
        found = {payment_id: tuple(about) for payment_id, *about in crm.execute(_DAYS)}
        made = Counter(row[0] for row in crm.execute("SELECT made FROM standing_order WHERE state = 'completed'"))
    assert made == {times: orders}

    paid = [found[payment_of[charge_id]] for charge_id in programs.paid_at_the_gateway(place)]
    days = Counter((order_id, index) for order_id, index, _, _ in paid)
    assert set(days.values()) == {1}
    assert len(days) == orders * times
    for _, _, due_on, closed_at in paid:
        late = _moment(closed_at).astimezone(_ZONE).date() - datetime.fromisoformat(due_on).date()
        assert timedelta() <= late <= timedelta(days=1)
    assert programs.book_of(place).saved == {}
    prove_no_card(place.folder)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
