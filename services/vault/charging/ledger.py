"""What was charged and refunded in a time, by our books and by the gateway's: fees, payouts, and what doesn't agree.

Reads only. The gateway is asked when somebody wants to know; nothing of its answers is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.money import Money
from chassis.rpc.calls import require_time
from services.vault.charging.accounts import Accounts, account_of
from services.vault.charging.gateways.port import Books, GatewayError, GatewayRefused, Movement, MovementKind, Payout
from services.vault.charging.models import ChargeRow, RefundRow
from services.vault.charging.reconciling import Line, OurCharge, OurRefund, line_of, payout_mismatch
from services.vault.charging.rules import GATEWAY_PATIENCE, ChargeState, RefundState

log = structlog.get_logger("vault.charging")

MOST_CHARGES: Final = 2_000
# A charge that was asked for late in the time may have been confirmed, and so be in the books, days after it.
_CONFIRMED_WITHIN: Final = timedelta(days=3)
_AWAY: Final = "The gateway does not answer now, so its fees and payouts are not shown. Try again in a moment."
_TOO_MANY: Final = "That is more than the gateway tells at once. Choose a shorter time."
_KEY_REFUSED: Final = "The gateway does not let its key read the books. Give the key that right, or use another one."
_SILENT: Final = "This gateway tells nothing of its fees and payouts."
_NO_GATEWAY: Final = "Your agency has no payment gateway."


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A charge of ours, with what the gateway kept of it. `fee`: None where the gateway does not say."""

    row: ChargeRow
    fee: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargesFound:
    """Newest first. `problem`: why there are no fees. `more`: there are others in the time."""

    charges: list[Charged]
    problem: str
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFound:
    """A payout, what is in it, and what does not agree."""

    payout: Payout
    lines: list[Line]
    mismatch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutsFound:
    """Newest first. `problem`: why there are none."""

    payouts: list[PayoutFound]
    problem: str


class LedgerService:
    """Both books."""

    def __init__(self, *, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    def charges(self, agency_id: str, since: datetime, until: datetime) -> ChargesFound:
        """What was asked for in the time, whatever became of it."""
        query = select(ChargeRow).where(
            ChargeRow.agency_id == agency_id, ChargeRow.made_at >= since, ChargeRow.made_at < until
        )
        with self._database.read() as session:
            rows = session.scalars(query.order_by(ChargeRow.made_at.desc(), ChargeRow.id).limit(MOST_CHARGES + 1)).all()
            for row in rows:
                session.expunge(row)
        shown, problem = rows[:MOST_CHARGES], ""
        fees: dict[str, Money] = {}
        if any(row.state == ChargeState.SUCCEEDED for row in shown):
            fees, problem = self._fees(agency_id, since, until + _CONFIRMED_WITHIN)
        charges = [Charged(row=row, fee=fees.get(row.id) or fees.get(row.reference)) for row in shown]
        return ChargesFound(charges=charges, problem=problem, more=len(rows) > MOST_CHARGES)

    def payouts(self, agency_id: str, since: datetime, until: datetime) -> PayoutsFound:
        """What reached the bank in the time, beside our books."""
        books, problem = self._books(agency_id)
        if books is None:
            return PayoutsFound(payouts=[], problem=problem)
        found: list[PayoutFound] = []
        try:
            for payout in books.payouts(since, until):
                require_time(GATEWAY_PATIENCE)
                movements = books.paid_out(payout) if payout.itemized else []
                lines = self._beside_ours(agency_id, movements)
                found.append(PayoutFound(payout=payout, lines=lines, mismatch=payout_mismatch(payout, lines)))
        except GatewayError as error:
            return PayoutsFound(payouts=[], problem=_words(error))
        return PayoutsFound(payouts=found, problem="")

    def _fees(self, agency_id: str, since: datetime, until: datetime) -> tuple[dict[str, Money], str]:
        """What the gateway kept of each charge, by our id and by its own; and why it is not known."""
        books, problem = self._books(agency_id)
        if books is None:
            return {}, problem
        try:
            movements = books.movements(since, until)
        except GatewayError as error:
            return {}, _words(error)
        fees: dict[str, Money] = {}
        for movement in movements:
            if movement.kind is MovementKind.CHARGE:
                fee = Money(minor=movement.fee_minor, currency=movement.currency)
                fees |= {key: fee for key in (movement.charge_id, movement.about) if key}
        return fees, ""

    def _books(self, agency_id: str) -> tuple[Books | None, str]:
        with self._database.read() as session:
            account = account_of(session, agency_id)
        if account is None:
            return None, _NO_GATEWAY
        books = self._accounts.open(account).books
        return books, "" if books is not None else _SILENT

    def _beside_ours(self, agency_id: str, movements: Sequence[Movement]) -> list[Line]:
        names = {name for one in movements for name in (one.charge_id, one.refund_id, one.about) if name}
        with self._database.read() as session:
            refunds = _refunds_named(session, agency_id, names)
            charges = _charges_named(session, agency_id, names)
        return [line_of(movement, charges, refunds) for movement in movements]


def _charges_named(session: Session, agency_id: str, names: Iterable[str]) -> dict[str, OurCharge]:
    found: dict[str, OurCharge] = {}
    for some in _chunks(names):
        query = select(ChargeRow).where(
            ChargeRow.agency_id == agency_id, or_(ChargeRow.id.in_(some), ChargeRow.reference.in_(some))
        )
        for row in session.scalars(query):
            found |= {row.id: _ours(row), row.reference: _ours(row)}
    return found


def _refunds_named(session: Session, agency_id: str, names: Iterable[str]) -> dict[str, OurRefund]:
    found: dict[str, OurRefund] = {}
    for some in _chunks(names):
        query = (
            select(RefundRow, ChargeRow)
            .join(ChargeRow, ChargeRow.id == RefundRow.charge_id)
            .where(ChargeRow.agency_id == agency_id, or_(RefundRow.id.in_(some), RefundRow.reference.in_(some)))
        )
        for refund, charge in session.execute(query):
            ours = OurRefund(
                id=refund.id,
                charge=_ours(charge),
                amount=Money(minor=refund.amount_minor, currency=charge.currency),
                state=RefundState(refund.state),
            )
            found |= {refund.id: ours, refund.reference: ours}
    return found


def _ours(row: ChargeRow) -> OurCharge:
    return OurCharge(
        id=row.id,
        payment_id=row.payment_id,
        agent_id=row.agent_id,
        amount=Money(minor=row.amount_minor, currency=row.currency),
        state=ChargeState(row.state),
    )


def _chunks(names: Iterable[str], size: int = 500) -> Iterable[list[str]]:
    """So many names as a statement takes."""
    listed = sorted(names)
    return (listed[at : at + size] for at in range(0, len(listed), size))


def _words(error: GatewayError) -> str:
    log.warning("ledger.not_told", cause=type(error).__name__)
    if isinstance(error, GatewayRefused) and error.code == "too_many":
        return _TOO_MANY
    return _KEY_REFUSED if isinstance(error, GatewayRefused) else _AWAY
