"""Use cases of refunds (G2): ask, carry out, tell. Those that another admin has to approve wait in `approvals`.

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
from protos.wayvault.events.v1.events_pb2 import (
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentReversed,
    RefundApprovalRequested,
)
from services.crm.access.agency.service import Directory, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.news import tell
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
from services.crm.paying.charging.requests import RefundRequest, request_of, waiting_request, write_request
from services.crm.paying.charging.rules import CHECK_EVERY, look_at_refund_again, needs_approval, refund_refusal
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
_FULL = "All of it was given back."
_WAITS = "A refund of this payment waits for an admin. Take it back first, if another is wanted in its place."
_NO_ADMIN = (
    "Your agency wants another admin to approve a refund of this size, and there is none. An admin can add one, or "
    "change the amount, under Agency."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDetail:
    """A refund, for people. `problem` says why it failed."""

    amount: Money
    state: RefundState
    reason: str
    problem: str
    asked_at: datetime
    settled_at: datetime | None
    # Who approved it; empty where nobody had to.
    approved_by: str
    # It failed, and the agent has not yet taken care of it.
    needs_agent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOutlook:
    """A refund as it is about to be written down, its payment held."""

    payment: HeldPayment
    charge: PaymentChargeRow
    asked: Sequence[PaymentRefundRow]
    amount: Money
    reason: str

    def refusal(self, *, news: bool = False) -> str:
        """What speaks against it now, in words; `news`: of refunds that whoever asks has not seen."""
        return refund_refusal(
            left_minor=_left(self.charge, self.asked),
            wanted=self.amount,
            news=news,
            unanswered=any(row.state == RefundState.ASKING for row in self.asked),
        )

    @property
    def given_alone(self) -> int:
        """What was given back before, or is on its way, without another admin's word, in minor units."""
        return sum(row.amount_minor for row in self.asked if row.state != RefundState.FAILED and not row.approved_by)


class Refunds:
    """Doing one twice does it once."""

    def __init__(
        self, *, database: Database, outbox: Outbox, clock: Clock, port: ChargingPort, directory: Directory
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._port = port
        self._directory = directory

    def of_payment(self, payment: Payment) -> list[RefundDetail]:
        """A payment's refunds, oldest first."""
        with self._database.read() as session:
            return [_detail(row, payment.amount.currency) for row in _refunds(session, payment.id)]

    def refund(
        self, actor: Actor, payment_id: str, *, amount: Money, reason: str, seen: int, origin: Origin
    ) -> RefundDetail | RefundRequest:
        """Gives money back through the gateway, and says how that stands; or asks the agency's other admins, where the
        agency wants two people. `seen`: how many refunds the page showed.

        Raises NotFound, PermissionDenied, InvalidArgument.
        """
        made = self._intend(actor, payment_id, amount=amount, reason=reason, seen=seen, origin=origin)
        if isinstance(made, RefundRequest):
            return made
        self.ask(made, watched=True)
        with self._database.read() as session:
            return _detail(session.get_one(PaymentRefundRow, made), amount.currency)

    def carry_out(self) -> int:
        """For the worker: asks for what has no answer yet or is on its way; returns how many it asked about."""
        query = (
            select(PaymentRefundRow.id)
            .where(PaymentRefundRow.check_at <= self._clock.now())
            .order_by(PaymentRefundRow.check_at)
            .limit(_AT_ONCE)
        )
        with self._database.read() as session:
            due = session.scalars(query).all()
        for refund_id in due:
            self.ask(refund_id)
        return len(due)

    # ---- the parts of a refund, for those that need another admin too

    def outlook(self, session: Session, payment: HeldPayment, *, amount: Money, reason: str) -> RefundOutlook:
        """What is known of a held payment's charge and refunds. Raises InvalidArgument for one that wasn't charged."""
        charge = session.get(PaymentChargeRow, payment.id)
        if charge is None or charge.state != ChargeState.SUCCEEDED or amount.currency != payment.now.amount.currency:
            raise InvalidArgument("There is no charge of this payment that could be refunded.")
        asked = _refunds(session, payment.id)
        return RefundOutlook(payment=payment, charge=charge, asked=asked, amount=amount, reason=reason)

    def write_down(self, session: Session, wanted: RefundOutlook, *, origin: Origin, approved_by: str = "") -> str:
        """The refund, in the transaction that holds its payment: from here on it is carried out. Raises InvalidArgument
        (field "amount") for what can't be given back."""
        if refused := wanted.refusal():
            raise InvalidArgument(refused, field="amount")
        now, payment, number = self._clock.now(), wanted.payment.now, len(wanted.asked) + 1
        row = PaymentRefundRow(
            id=f"{payment.id}-refund-{number}",
            payment_id=payment.id,
            agency_id=payment.agency_id,
            agent_id=payment.agent_id,
            charge_id=wanted.charge.charge_id,
            number=number,
            amount_minor=wanted.amount.minor,
            reason=wanted.reason,
            state=RefundState.ASKING.value,
            ip=origin.ip[:64],
            user_agent=origin.user_agent[:300],
            asked_at=now,
            check_at=now + CHECK_EVERY,
            approved_by=approved_by,
        )
        session.add(row)
        for before in wanted.asked:
            before.needs_agent = False  # this is how its agent takes care of it
        session.flush()
        return row.id

    def ask(self, refund_id: str, *, watched: bool = False) -> None:
        """Asks charging for a refund, or once more with the same key, and writes down what it says. `watched`: the
        agent reads the answer at once, and needs no e-mail about it."""
        with self._database.read() as session:
            row = session.get_one(PaymentRefundRow, refund_id)
            order = RefundOrder(
                id=row.id,
                agency_id=row.agency_id,
                charge_id=row.charge_id,
                agent_id=row.agent_id,
                amount_minor=row.amount_minor,
                reason=row.reason,
                approver_id=row.approved_by,
            )
            payment_id, origin = row.payment_id, Origin(ip=row.ip, user_agent=row.user_agent)
        try:
            answer = self._port.refund(order, origin=origin)
        except (Unavailable, DeadlineTooShort, Busy) as error:
            _log.warning("refund.unanswered", refund=refund_id, cause=type(error).__name__)
            self._ask_later(refund_id)
        except WayvaultError as error:
            self._refused(refund_id, error.message, watched=watched)
        else:
            self._take_over(payment_id, refund_id, answer.refund_id, answer.charge, watched=watched)

    # ---- pieces

    def _intend(
        self, actor: Actor, payment_id: str, *, amount: Money, reason: str, seen: int, origin: Origin
    ) -> str | RefundRequest:
        """The id of the refund that is to be asked for, or the request that waits for an admin."""
        with self._database.transaction() as session:
            held = locked_own(session, actor, payment_id)
            wanted = self.outlook(session, held, amount=amount, reason=reason)
            asked = wanted.asked
            if len(asked) == seen + 1 and (asked[-1].amount_minor, asked[-1].reason) == (amount.minor, reason):
                return asked[-1].id  # the same click again
            if waiting := waiting_request(session, payment_id):
                if (waiting.amount_minor, waiting.reason) == (amount.minor, reason):
                    return request_of(waiting, amount.currency)
                raise InvalidArgument(_WAITS, field="amount")
            if refused := wanted.refusal(news=len(asked) != seen):
                raise InvalidArgument(refused, field="amount")
            limit = self._directory.load_agency(session, held.now.agency_id).data.refund_limit
            if needs_approval(limit, given_minor=wanted.given_alone, wanted=amount):
                return self._ask_admins(session, wanted, origin)
            return self.write_down(session, wanted, origin=origin)

    def _ask_admins(self, session: Session, wanted: RefundOutlook, origin: Origin) -> RefundRequest:
        """Writes the request down, and has every admin mailed who may approve it."""
        payment = wanted.payment.now
        admins = [one for one in self._directory.admins(session, payment.agency_id) if one.id != payment.agent_id]
        if not admins:
            raise InvalidArgument(_NO_ADMIN, field="amount")
        row = write_request(
            session, payment, amount=wanted.amount, reason=wanted.reason, origin=origin, now=self._clock.now()
        )
        event = RefundApprovalRequested(
            context=wanted.payment.context,
            amount=common_pb2.Money(minor=row.amount_minor, currency=wanted.amount.currency),
            reason=row.reason,
            admins=[agent_snapshot(admin) for admin in admins],
            request_id=row.id,
        )
        self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.agency_id)
        tell(session, (admin.id for admin in admins))
        return request_of(row, wanted.amount.currency)

    def _ask_later(self, refund_id: str) -> None:
        with self._database.transaction() as session:
            session.get_one(PaymentRefundRow, refund_id).check_at = self._clock.now() + CHECK_EVERY

    def _refused(self, refund_id: str, why: str, *, watched: bool) -> None:
        with self._database.transaction() as session:
            row = session.get_one(PaymentRefundRow, refund_id)
            payment = locked(session, row.payment_id)
            session.refresh(row)
            if row.state == RefundState.ASKING and payment is not None:
                row.state, row.problem, row.check_at = RefundState.FAILED.value, why[:300], None
                if not watched:
                    self._tell_failed(session, payment, row, left_before=False)

    def _take_over(
        self, payment_id: str, asked_as: str, refund_id: str, charge: Charge, *, watched: bool = False
    ) -> None:
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
                    self._follow(session, payment, ours, told, now, watched=watched and ours.id == asked_as)

    def _follow(
        self,
        session: Session,
        payment: HeldPayment,
        ours: PaymentRefundRow,
        told: Refund,
        now: datetime,
        *,
        watched: bool,
    ) -> None:
        before = RefundState(ours.state)
        ours.state, ours.problem, ours.settled_at = told.state.value, told.problem[:300], told.settled_at
        ours.check_at = look_at_refund_again(told.state, asked_at=ours.asked_at, now=now)
        if (told.state is RefundState.SUCCEEDED) != (before is RefundState.SUCCEEDED):
            self._count(session, payment, ours, now)
        if told.state is RefundState.FAILED and before is not RefundState.FAILED and not watched:
            self._tell_failed(session, payment, ours, left_before=before is RefundState.SUCCEEDED)

    def _tell_failed(
        self, session: Session, payment: HeldPayment, ours: PaymentRefundRow, *, left_before: bool
    ) -> None:
        """The agent is mailed, and the refund stands in their list until they have taken care of it. `left_before`: it
        counted as made, and the client was told so."""
        ours.needs_agent = True
        event = PaymentRefundFailed(
            context=payment.context,
            at=stamp(self._clock.now()),
            amount=common_pb2.Money(minor=ours.amount_minor, currency=payment.now.amount.currency),
            reason=ours.reason,
            problem=ours.problem,
            left_before=left_before,
        )
        self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)

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
        approved_by=row.approved_by,
        needs_agent=row.needs_agent,
    )
