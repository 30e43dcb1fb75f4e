"""Refunds that wait for another admin's word, as rows become values, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.ids import new_id
from chassis.money import Money
from services.crm.core.ports.vault import Origin
from services.crm.paying.charging.models import RefundRequestRow
from services.crm.paying.charging.rules import RequestState
from services.crm.paying.payments.service import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A refund that was asked for and needs, or needed, another admin. `word`: the admin's, to the agent."""

    id: str
    payment_id: str
    agent_id: str
    amount: Money
    reason: str
    state: RequestState
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    word: str


def request_of(row: RefundRequestRow, currency: str) -> RefundRequest:
    """The value of a row."""
    return RefundRequest(
        id=row.id,
        payment_id=row.payment_id,
        agent_id=row.agent_id,
        amount=Money(minor=row.amount_minor, currency=currency),
        reason=row.reason,
        state=RequestState(row.state),
        requested_at=row.requested_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        word=row.word,
    )


def requests_of(session: Session, payment_id: str) -> Sequence[RefundRequestRow]:
    """A payment's requests, oldest first."""
    query = select(RefundRequestRow).where(RefundRequestRow.payment_id == payment_id)
    return session.scalars(query.order_by(RefundRequestRow.requested_at, RefundRequestRow.id)).all()


def waiting_request(session: Session, payment_id: str) -> RefundRequestRow | None:
    """The request of a payment that nobody has decided."""
    query = select(RefundRequestRow).where(
        RefundRequestRow.payment_id == payment_id, RefundRequestRow.state == RequestState.REQUESTED
    )
    return session.scalars(query).first()


def write_request(
    session: Session, payment: Payment, *, amount: Money, reason: str, origin: Origin, now: datetime
) -> RefundRequestRow:
    """Writes down that the payment's agent asks for a refund."""
    row = RefundRequestRow(
        id=new_id("refundreq"),
        payment_id=payment.id,
        agency_id=payment.agency_id,
        agent_id=payment.agent_id,
        amount_minor=amount.minor,
        reason=reason,
        state=RequestState.REQUESTED.value,
        ip=origin.ip[:64],
        user_agent=origin.user_agent[:300],
        requested_at=now,
        word="",
    )
    session.add(row)
    session.flush()
    return row
