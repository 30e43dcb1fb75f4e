"""What an operator sees of charging: every call to a gateway, how charges stand, and how long one has been unknown."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import func, select, union_all

from chassis.clock import Clock
from chassis.db import Database
from chassis.telemetry import Gauge, Histogram
from services.vault.charging.gateways.port import (
    AccountTold,
    Card,
    Gateway,
    GatewayRefused,
    GatewayUnknown,
    Order,
    Outcome,
    RefundOutcome,
)
from services.vault.charging.models import ChargeRow, RefundRow
from services.vault.charging.rules import ChargeState, RefundState

_Answer = TypeVar("_Answer")

_CALLS: Final = Histogram(
    "wayvault_gateway_seconds",
    "Calls to gateways, whatever came of them",
    ["gateway", "call", "outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30),
)
_CHARGES: Final = Gauge("wayvault_charges", "Charges, by state", ["state"])
_REFUNDS: Final = Gauge("wayvault_refunds", "Refunds, by state", ["state"])
_UNKNOWN: Final = Gauge(
    "wayvault_charge_unknown_seconds", "Age of the oldest charge or refund of which is not known what became"
)


def measure(database: Database, clock: Clock) -> None:
    """Sets the gauges. Raises what the database raises."""
    unknown = union_all(
        select(ChargeRow.made_at.label("at")).where(ChargeRow.state.in_((ChargeState.INTENT, ChargeState.ASKING))),
        select(RefundRow.made_at.label("at")).where(RefundRow.state == RefundState.ASKING),
    ).subquery()
    with database.read() as session:
        charges: dict[str, int] = {
            row[0]: row[1] for row in session.execute(select(ChargeRow.state, func.count()).group_by(ChargeRow.state))
        }
        refunds: dict[str, int] = {
            row[0]: row[1] for row in session.execute(select(RefundRow.state, func.count()).group_by(RefundRow.state))
        }
        since: datetime | None = session.execute(select(func.min(unknown.c.at))).scalar()
    for state in ChargeState:
        _CHARGES.labels(state.value).set(charges.get(state.value, 0))
    for refund_state in RefundState:
        _REFUNDS.labels(refund_state.value).set(refunds.get(refund_state.value, 0))
    _UNKNOWN.set((clock.now() - since).total_seconds() if since is not None else 0.0)


class MeasuredGateway:
    """A gateway whose calls are counted and timed by what came of them: a state, `done`, `refused` (it said no),
    `unknown` (no answer that says anything) or `fault` (ours)."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.name = gateway.name
        self.mode = gateway.mode
        # Read when somebody wants a report; no money hangs on it.
        self.books = gateway.books

    def prove(self) -> AccountTold:
        return self._timed("prove", self._gateway.prove)

    def check_amount(self, amount_minor: int, currency: str) -> None:
        self._gateway.check_amount(amount_minor, currency)

    def prepare(self, order: Order) -> str:
        return self._timed("prepare", lambda: self._gateway.prepare(order))

    def charge(self, order: Order, reference: str, card: Card) -> Outcome:
        return self._timed("charge", lambda: self._gateway.charge(order, reference, card))

    def charge_mandate(self, order: Order, reference: str) -> Outcome:
        return self._timed("charge_mandate", lambda: self._gateway.charge_mandate(order, reference))

    def end_mandate(self, mandate: str) -> None:
        self._timed("end_mandate", lambda: self._gateway.end_mandate(mandate))

    def hosted_page(self, order: Order, reference: str) -> Outcome:
        return self._timed("hosted_page", lambda: self._gateway.hosted_page(order, reference))

    def find_out(self, order: Order, reference: str, *, waits_for_client: bool) -> Outcome:
        def ask() -> Outcome:
            return self._gateway.find_out(order, reference, waits_for_client=waits_for_client)

        return self._timed("find_out", ask)

    def void(self, order: Order, reference: str) -> Outcome:
        return self._timed("void", lambda: self._gateway.void(order, reference))

    def find_refund(self, order: Order, reference: str, refund_id: str, refund_reference: str) -> RefundOutcome | None:
        def ask() -> RefundOutcome | None:
            return self._gateway.find_refund(order, reference, refund_id, refund_reference)

        return self._timed("find_refund", ask)

    def read_notice(self, body: bytes, signature: str, secret: str, now: datetime) -> frozenset[str]:
        return self._gateway.read_notice(body, signature, secret, now)

    def refund(self, order: Order, reference: str, refund_id: str, amount_minor: int) -> RefundOutcome:
        return self._timed("refund", lambda: self._gateway.refund(order, reference, refund_id, amount_minor))

    def _timed(self, call: str, ask: Callable[[], _Answer]) -> _Answer:
        began, outcome = time.monotonic(), "fault"
        try:
            answer = ask()
            outcome = answer.state.value if isinstance(answer, Outcome | RefundOutcome) else "done"
        except GatewayRefused:
            outcome = "refused"
            raise
        except GatewayUnknown:
            outcome = "unknown"
            raise
        else:
            return answer
        finally:
            _CALLS.labels(self.name, call, outcome).observe(time.monotonic() - began)
