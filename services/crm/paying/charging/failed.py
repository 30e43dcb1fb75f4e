"""Refunds that failed while nobody looked: they stand in their agent's list until the agent has taken care of them."""

from dataclasses import dataclass

from sqlalchemy import select, update

from chassis.db import Database
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.paying.charging.models import PaymentRefundRow
from services.crm.paying.payments.service import Payment, locked_own, payments_by_id

_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRefund:
    """What didn't reach the client of a payment, and why."""

    payment: Payment
    amount: Money
    problem: str


class FailedRefunds:
    """The list."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def of(self, actor: Actor) -> list[FailedRefund]:
        """The actor's own, newest first."""
        query = (
            select(PaymentRefundRow)
            .where(PaymentRefundRow.agent_id == actor.agent_id, PaymentRefundRow.needs_agent)
            .order_by(PaymentRefundRow.asked_at.desc())
            .limit(_MOST_SHOWN)
        )
        with self._database.read() as session:
            rows = session.scalars(query).all()
            payments = payments_by_id(session, {row.payment_id for row in rows}) if rows else {}
            return [_failed(row, payments[row.payment_id]) for row in rows]

    def cared_for(self, actor: Actor, payment_id: str) -> None:
        """The agent has taken care of a payment's failed refunds. Raises NotFound, PermissionDenied."""
        with self._database.transaction() as session:
            locked_own(session, actor, payment_id)
            session.execute(
                update(PaymentRefundRow).where(PaymentRefundRow.payment_id == payment_id).values(needs_agent=False)
            )


def _failed(row: PaymentRefundRow, payment: Payment) -> FailedRefund:
    amount = Money(minor=row.amount_minor, currency=payment.amount.currency)
    return FailedRefund(payment=payment, amount=amount, problem=row.problem)
