"""Use cases of refunds (G2): ask, carry out, tell.

A refund is written down before charging is asked, and asked for with the same key until charging has answered: so it is
made once, whatever becomes of an answer. A page that was loaded before another refund was asked for can't ask for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Busy, DeadlineTooShort, InvalidArgument, Unavailable, WayvaultError
from chassis.money import Money
from chassis.timestamps import stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import PaymentRefunded, PaymentReversed
from services.crm.core.actor import Actor
from services.crm.core.ports.charging import (
    Charge,
    ChargeState,
    ChargingPort,
    Refund,
    RefundOrder,
    RefundState,
)
from services.crm.core.ports.vault import Origin
from services.crm.paying.charging.models import PaymentChargeRow, PaymentRefundRow
from services.crm.paying.charging.rules import CHECK_EVERY, refund_refusal
from services.crm.paying.payments.service import (
    Fact,
    HeldPayment,
    Payment,
    locked,
    locked_own,
)

__all__ = ["RefundDetail", "Refunds"]

_log = structlog.get_logger(__name__)
_AT_ONCE = 50
_OPEN = (RefundState.ASKING, RefundState.PENDING)
_FULL = "All of it was given back."


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDetail:
    """A refund, for people. `problem` says why it failed."""

    amount: Money
    state: RefundState
    reason: str
    problem: str
    asked_at: datetime
    settled_at: datetime | None


class Refunds:
    """Doing one twice does it once."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, port: ChargingPort) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._port = port

    def of_payment(self, payment: Payment) -> list[RefundDetail]:
        """A payment's refunds, oldest first."""
        with self._database.read() as session:
            return [_detail(row, payment.amount.currency) for row in _refunds(session, payment.id)]

    def refund(
        self, actor: Actor, payment_id: str, *, amount: Money, reason: str, seen: int, origin: Origin
    ) -> RefundDetail:
        """Gives money back through the gateway, and says how that stands. `seen`: how many refunds the page showed.

        Raises NotFound, PermissionDenied, InvalidArgument.
        """
        refund_id = self._intend(actor, payment_id, amount=amount, reason=reason, seen=seen, origin=origin)
        self._ask(refund_id)
        with self._database.read() as session:
            return _detail(session.get_one(PaymentRefundRow, refund_id), amount.currency)

    def carry_out(self) -> int:
        """For the worker: asks for what has no answer yet or is on its way; says how many it asked about."""
        query = (
            select(PaymentRefundRow.id)
            .where(PaymentRefundRow.check_at <= self._clock.now())
            .order_by(PaymentRefundRow.check_at)
            .limit(_AT_ONCE)
        )
        with self._database.read() as session:
            due = session.scalars(query).all()
        for refund_id in due:
            self._ask(refund_id)
        return len(due)

    # ---- pieces

    def _intend(self, actor: Actor, payment_id: str, *, amount: Money, reason: str, seen: int, origin: Origin) -> str:
        now = self._clock.now()
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id).now
            charge = session.get(PaymentChargeRow, payment_id)
            if charge is None or charge.state != ChargeState.SUCCEEDED or amount.currency != payment.amount.currency:
                raise InvalidArgument("There is no charge of this payment that could be refunded.")
            asked = _refunds(session, payment_id)
            if len(asked) == seen + 1 and (asked[-1].amount_minor, asked[-1].reason) == (amount.minor, reason):
                return asked[-1].id  # the same click again
            if refused := refund_refusal(
                left_minor=_left(charge, asked),
                wanted=amount,
                news=len(asked) != seen,
                unanswered=any(row.state == RefundState.ASKING for row in asked),
            ):
                raise InvalidArgument(refused, field="amount")
            row = PaymentRefundRow(
                id=f"{payment_id}-refund-{len(asked) + 1}",
                payment_id=payment_id,
                agency_id=payment.agency_id,
                agent_id=payment.agent_id,
                charge_id=charge.charge_id,
                number=len(asked) + 1,
                amount_minor=amount.minor,
                reason=reason,
                state=RefundState.ASKING.value,
                ip=origin.ip[:64],
                user_agent=origin.user_agent[:300],
                asked_at=now,
                check_at=now + CHECK_EVERY,
            )
            session.add(row)
            session.flush()
            return row.id

    def _ask(self, refund_id: str) -> None:
        """Asks charging for a refund, or once more with the same key, and writes down what it says."""
        with self._database.read() as session:
            row = session.get_one(PaymentRefundRow, refund_id)
            order = RefundOrder(
                id=row.id,
                agency_id=row.agency_id,
                charge_id=row.charge_id,
                agent_id=row.agent_id,
                amount_minor=row.amount_minor,
                reason=row.reason,
            )
            payment_id, origin = row.payment_id, Origin(ip=row.ip, user_agent=row.user_agent)
        try:
            answer = self._port.refund(order, origin=origin)
        except (Unavailable, DeadlineTooShort, Busy) as error:
            _log.warning("refund.unanswered", refund=refund_id, cause=type(error).__name__)
            self._ask_later(refund_id)
        except WayvaultError as error:
            self._refused(refund_id, error.message)
        else:
            self._take_over(payment_id, refund_id, answer.refund_id, answer.charge)

    def _ask_later(self, refund_id: str) -> None:
        with self._database.transaction() as session:
            session.get_one(PaymentRefundRow, refund_id).check_at = self._clock.now() + CHECK_EVERY

    def _refused(self, refund_id: str, why: str) -> None:
        with self._database.transaction() as session:
            row = session.get_one(PaymentRefundRow, refund_id, with_for_update=True)
            if row.state == RefundState.ASKING:
                row.state, row.problem, row.check_at = RefundState.FAILED.value, why[:300], None

    def _take_over(self, payment_id: str, asked_as: str, refund_id: str, charge: Charge) -> None:
        """Writes down how a charge's refunds stand, and tells of money that was given back. Taking it over twice
        changes nothing."""
        now = self._clock.now()
        theirs = {refund.id: refund for refund in charge.refunds}
        with self._database.transaction() as session:
            payment = locked(session, payment_id)
            row = session.get(PaymentChargeRow, payment_id)
            if payment is None or row is None:
                return
            row.refunded_minor = charge.refunded_minor
            for ours in _refunds(session, payment_id):
                if ours.id == asked_as:
                    ours.refund_id = refund_id
                if (told := theirs.get(ours.refund_id)) is not None:
                    self._follow(session, payment, ours, told, now)

    def _follow(
        self, session: Session, payment: HeldPayment, ours: PaymentRefundRow, told: Refund, now: datetime
    ) -> None:
        before = RefundState(ours.state)
        ours.state, ours.problem, ours.settled_at = told.state.value, told.problem[:300], told.settled_at
        ours.check_at = now + CHECK_EVERY if told.state in _OPEN else None
        if (told.state is RefundState.SUCCEEDED) != (before is RefundState.SUCCEEDED):
            self._count(session, payment, ours, now)

    def _count(self, session: Session, payment: HeldPayment, ours: PaymentRefundRow, now: datetime) -> None:
        """Money was given back, or came back from a card that had ended: what is left counts."""
        session.flush()
        done = sum(row.amount_minor for row in _refunds(session, payment.id) if row.state == RefundState.SUCCEEDED)
        given = ours.amount_minor if ours.state == RefundState.SUCCEEDED else 0
        payment.give_back(done)
        context, currency = payment.context, payment.now.amount.currency
        event = PaymentRefunded(
            context=context,
            at=stamp(now),
            amount=common_pb2.Money(minor=given, currency=currency),
            refunded=common_pb2.Money(minor=done, currency=currency),
            reason=ours.reason,
        )
        self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)
        if done < context.amount.minor:
            payment.happen(Fact.REFUND_FAILED, at=now)
        elif payment.happen(Fact.REVERSED, at=now):
            reversal = PaymentReversed(context=context, at=stamp(now), reason=_FULL)
            self._outbox.add(session, reversal, aggregate_id=payment.id, agency_id=payment.now.agency_id)


def _refunds(session: Session, payment_id: str) -> Sequence[PaymentRefundRow]:
    query = select(PaymentRefundRow).where(PaymentRefundRow.payment_id == payment_id)
    return session.scalars(query.order_by(PaymentRefundRow.number)).all()


def _left(charge: PaymentChargeRow, asked: Sequence[PaymentRefundRow]) -> int:
    """What can still be given back, by our own list and by charging's."""
    ours = sum(row.amount_minor for row in asked if row.state != RefundState.FAILED)
    theirs = 0 if asked else charge.refunded_minor
    return charge.amount_minor - max(ours, theirs)


def _detail(row: PaymentRefundRow, currency: str) -> RefundDetail:
    return RefundDetail(
        amount=Money(minor=row.amount_minor, currency=currency),
        state=RefundState(row.state),
        reason=row.reason,
        problem=row.problem,
        asked_at=row.asked_at,
        settled_at=row.settled_at,
    )
