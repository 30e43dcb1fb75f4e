"""Reports of what was charged through the agency's gateway (G6): both books as charging reads them, with our words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chassis.db import Database
from chassis.errors import NotFound, WayvaultError
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.core.ports.charging import (
    ChargeState,
    ChargingPort,
    LedgerAnswer,
    LedgerEntry,
    PayoutDetail,
    PayoutsAnswer,
)
from services.crm.paying.payments.service import titles_of

__all__ = ["ChargeReport", "ChargeSums", "GatewayBooks", "PayoutReport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSums:
    """What a report comes to in one currency. `fees`: None where the gateway told none."""

    charged: Money
    refunded: Money
    fees: Money | None
    count: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeReport:
    """Charges, newest first. `titles`: whose payment each is, by the payment's id. `problem`: what could not be had."""

    entries: list[LedgerEntry]
    titles: dict[str, str]
    sums: list[ChargeSums]
    problem: str
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutReport:
    """Payouts, newest first; see ChargeReport."""

    payouts: list[PayoutDetail]
    titles: dict[str, str]
    problem: str


class GatewayBooks:
    """An agent sees their own charges; the agency's, and payouts, are for its admins."""

    def __init__(self, *, database: Database, port: ChargingPort) -> None:
        self._database = database
        self._port = port

    def charges(self, actor: Actor, since: datetime, until: datetime, *, agent_id: str = "") -> ChargeReport:
        """What was asked for in the time; `agent_id`: one agent's, for admins. A gateway that is down costs the fees,
        charging that is down the report; `problem` says so."""
        try:
            answer = self._port.ledger(actor.agency_id, since, until)
        except WayvaultError as error:
            answer = LedgerAnswer(entries=(), problem=error.message)
        whose = agent_id if actor.is_admin else actor.agent_id
        entries = [one for one in answer.entries if whose in ("", one.agent_id)]
        return ChargeReport(
            entries=entries,
            titles=self._titles(actor, (one.payment_id for one in entries)),
            sums=sums_of(entries),
            problem=answer.problem,
            more=answer.more,
        )

    def payouts(self, actor: Actor, since: datetime, until: datetime) -> PayoutReport:
        """What reached the agency's bank. Raises NotFound for agents."""
        if not actor.is_admin:
            raise NotFound("There is no such page.")
        try:
            answer = self._port.payouts(actor.agency_id, since, until)
        except WayvaultError as error:
            answer = PayoutsAnswer(payouts=(), problem=error.message)
        ids = (line.payment_id for payout in answer.payouts for line in payout.lines)
        return PayoutReport(payouts=list(answer.payouts), titles=self._titles(actor, ids), problem=answer.problem)

    def _titles(self, actor: Actor, payment_ids: Iterable[str]) -> dict[str, str]:
        wanted = set(payment_ids) - {""}
        if not wanted:
            return {}
        with self._database.read() as session:
            return titles_of(session, actor.agency_id, wanted)


def sums_of(entries: Iterable[LedgerEntry]) -> list[ChargeSums]:
    """One for each currency, by its code; fees count in the currency in which the gateway keeps them."""
    listed = list(entries)
    made = [one for one in listed if one.charge.state is ChargeState.SUCCEEDED]
    fees = [one.fee for one in made if one.fee is not None]
    found = []
    for currency in sorted({one.charge.currency for one in listed} | {fee.currency for fee in fees}):
        ours = [one for one in listed if one.charge.currency == currency]
        taken = [one.charge for one in ours if one.charge.state is ChargeState.SUCCEEDED]
        kept = [fee.minor for fee in fees if fee.currency == currency]
        found.append(
            ChargeSums(
                charged=Money(minor=sum(charge.amount_minor for charge in taken), currency=currency),
                refunded=Money(minor=sum(charge.refunded_minor for charge in taken), currency=currency),
                fees=Money(minor=sum(kept), currency=currency) if kept else None,
                count=len(taken),
                failed=sum(one.charge.state in (ChargeState.DECLINED, ChargeState.FAILED) for one in ours),
            )
        )
    return found
