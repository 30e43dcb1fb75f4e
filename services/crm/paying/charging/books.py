"""Reports of what was charged through the agency's gateway (G6): both books as charging reads them, with our words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.db import Database
from chassis.errors import NotFound, WayvaultError
from chassis.money import Money
from chassis.typed.names import title_key
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, falls
from services.crm.core.ports.charging import (
    ChargeState,
    ChargingPort,
    LedgerAnswer,
    LedgerEntry,
    PayoutDetail,
    PayoutsAnswer,
)
from services.crm.paying.payments.service import titles_of

__all__ = [
    "FALLING",
    "NEWEST",
    "ChargeReport",
    "ChargeSort",
    "ChargeSums",
    "GatewayBooks",
    "PayoutReport",
    "ordered_entries",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSums:
    """What a report comes to in one currency, live or in test mode: what never moved is no money. `fees`: None where
    the gateway told none."""

    live: bool

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


class ChargeSort(StrEnum):
    """What the charges can be ordered by."""

    ASKED = "asked"
    PAYMENT = "payment"
    STATE = "state"
    AMOUNT = "amount"
    REFUNDED = "refunded"
    FEE = "fee"


NEWEST = Order(ChargeSort.ASKED)
# Their usual direction; amounts of one currency stand together.
FALLING: Keys[ChargeSort] = {
    each: Key(falling=each not in (ChargeSort.PAYMENT, ChargeSort.STATE)) for each in ChargeSort
}


def ordered_entries(
    entries: Sequence[LedgerEntry], titles: Mapping[str, str], order: Order[ChargeSort]
) -> list[LedgerEntry]:
    """Charges in this order, equal ones newest first. What has no fee comes last either way."""

    def key(one: LedgerEntry) -> tuple[object, ...]:
        match order.by:
            case ChargeSort.ASKED:
                return (one.made_at,)
            case ChargeSort.PAYMENT:
                return (title_key(titles.get(one.payment_id, "")),)
            case ChargeSort.STATE:
                return (one.charge.state.value,)
            case ChargeSort.AMOUNT:
                return (one.charge.currency, one.charge.amount_minor)
            case ChargeSort.REFUNDED:
                return (one.charge.currency, one.charge.refunded_minor)
            case ChargeSort.FEE:
                return (one.fee.currency, one.fee.minor) if one.fee else ()

    newest = sorted(entries, key=lambda one: one.made_at, reverse=True)
    known = sorted((one for one in newest if key(one)), key=key, reverse=falls(order, FALLING))
    return [*known, *(one for one in newest if not key(one))]


class GatewayBooks:
    """An agent sees their own charges; the agency's, and payouts, are for its admins."""

    def __init__(self, *, database: Database, port: ChargingPort) -> None:
        self._database = database
        self._port = port

    def charges(
        self,
        actor: Actor,
        since: datetime,
        until: datetime,
        *,
        agent_id: str = "",
        order: Order[ChargeSort] = NEWEST,
    ) -> ChargeReport:
        """What was asked for in the time; `agent_id`: one agent's, for admins. A gateway that is down costs the fees,
        charging that is down the report; `problem` says so."""
        try:
            answer = self._port.ledger(actor.agency_id, since, until)
        except WayvaultError as error:
            answer = LedgerAnswer(entries=(), problem=error.message)
        whose = agent_id if actor.is_admin else actor.agent_id
        entries = [one for one in answer.entries if whose in ("", one.agent_id)]
        titles = self._titles(actor, (one.payment_id for one in entries))
        return ChargeReport(
            entries=ordered_entries(entries, titles, order),
            titles=titles,
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

    def live(self, actor: Actor) -> bool | None:
        """Whether real money moves at the agency's gateway; None where there is none, or it can't be told now."""
        try:
            gateway = self._port.gateway_of(actor.agency_id)
        except WayvaultError:
            return None
        return gateway.live if gateway else None

    def _titles(self, actor: Actor, payment_ids: Iterable[str]) -> dict[str, str]:
        wanted = set(payment_ids) - {""}
        if not wanted:
            return {}
        with self._database.read() as session:
            return titles_of(session, actor.agency_id, wanted)


def sums_of(entries: Iterable[LedgerEntry]) -> list[ChargeSums]:
    """One for each currency, by its code, live ones first; fees count in the currency in which the gateway keeps
    them."""
    listed = list(entries)
    return [
        found
        for live in (True, False)
        for found in _sums_of([one for one in listed if one.charge.live is live], live=live)
    ]


def _sums_of(listed: Sequence[LedgerEntry], *, live: bool) -> list[ChargeSums]:
    made = [one for one in listed if one.charge.state is ChargeState.SUCCEEDED]
    fees = [one.fee for one in made if one.fee is not None]
    found = []
    for currency in sorted({one.charge.currency for one in listed} | {fee.currency for fee in fees}):
        ours = [one for one in listed if one.charge.currency == currency]
        taken = [one.charge for one in ours if one.charge.state is ChargeState.SUCCEEDED]
        kept = [fee.minor for fee in fees if fee.currency == currency]
        found.append(
            ChargeSums(
                live=live,
                charged=Money(minor=sum(charge.amount_minor for charge in taken), currency=currency),
                refunded=Money(minor=sum(charge.refunded_minor for charge in taken), currency=currency),
                fees=Money(minor=sum(kept), currency=currency) if kept else None,
                count=len(taken),
                failed=sum(one.charge.state in (ChargeState.DECLINED, ChargeState.FAILED) for one in ours),
            )
        )
    return found
