"""A secure session as pages and report show it: a value, read from its row and its payment's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from chassis.money import Money
from services.crm.core.ordering import Key, Keys, Order
from services.crm.paying.payments.service import Payment, PaymentState, keys_of, payments_by_id
from services.crm.paying.phone.models import PhoneCallRow
from services.crm.paying.phone.rules import RESULT_WORDS, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One secure session as pages and report show it."""

    id: str
    agent_id: str
    payment_id: str
    payer_name: str
    booking_id: str
    booking_title: str
    amount: Money
    payment_state: PaymentState
    result: Result | None
    asked_again: int
    sign_request_id: str
    signature_problem: str
    started_at: datetime
    tied_at: datetime | None
    ended_at: datetime | None

    @property
    def result_words(self) -> str:
        return RESULT_WORDS[self.result] if self.result else "Under way"

    @property
    def seconds(self) -> int | None:
        """How long the session lasted from its PIN on."""
        return int((self.ended_at - self.tied_at).total_seconds()) if self.ended_at and self.tied_at else None


class CallSort(StrEnum):
    """What the report can be ordered by."""

    WHEN = "when"
    CLIENT = "client"
    RESULT = "result"
    AGAIN = "again"
    AMOUNT = "amount"


_PAYMENT = keys_of(PhoneCallRow.payment_id)
NEWEST = Order(CallSort.WHEN)
CALL_KEYS: Keys[CallSort] = {
    CallSort.WHEN: Key(PhoneCallRow.started_at, falling=True),
    CallSort.CLIENT: Key(_PAYMENT.payer, PhoneCallRow.started_at),
    CallSort.RESULT: Key(PhoneCallRow.result, PhoneCallRow.started_at),
    CallSort.AGAIN: Key(PhoneCallRow.asked_again, falling=True),
    CallSort.AMOUNT: Key(_PAYMENT.amount, falling=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """What the report shows; None and empty = all."""

    result: Result | None = None
    since: date | None = None
    order: Order[CallSort] = NEWEST


def calls_of(session: Session, rows: Sequence[PhoneCallRow]) -> list[Call]:
    """The values of these rows, in their order."""
    payments = payments_by_id(session, {row.payment_id for row in rows})
    return [_call_of(row, payments[row.payment_id]) for row in rows]


def _call_of(row: PhoneCallRow, payment: Payment) -> Call:
    return Call(
        id=row.id,
        agent_id=row.agent_id,
        payment_id=row.payment_id,
        payer_name=payment.payer_name,
        booking_id=payment.booking_id,
        booking_title=payment.booking_title,
        amount=payment.amount,
        payment_state=payment.state,
        result=Result(row.result) if row.result else None,
        asked_again=row.asked_again,
        sign_request_id=row.sign_request_id,
        signature_problem=row.signature_problem,
        started_at=row.started_at,
        tied_at=row.tied_at,
        ended_at=row.ended_at,
    )
