"""Use cases of refunds that two people decide (G2): the agent asks (`refunds`), another admin approves or refuses.

Before it is approved, a request is no refund: nothing that carries refunds out reads it. Approving writes the refund
down in the transaction that holds the payment, as an agent's own refund is, so that never more than was charged goes
back, whoever clicks at the same time.
"""

from dataclasses import dataclass

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import RefundApprovalDecided
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.news import tell
from services.crm.core.ports.vault import Origin
from services.crm.paying.charging.models import RefundRequestRow
from services.crm.paying.charging.refunds import Refunds
from services.crm.paying.charging.requests import RefundRequest, request_of, requests_of, waiting_request
from services.crm.paying.charging.rules import RequestState, decision_refusal
from services.crm.paying.payments.service import (
    HeldPayment,
    Payment,
    asked_of_admins,
    locked,
    locked_own,
    payments_by_id,
)

__all__ = ["AskedRefund", "RefundApprovals", "RefundRequest", "RequestState"]

LONGEST_WORD = 200
_UNKNOWN = "There is no such request."


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRefund:
    """A request with what an admin needs to decide it."""

    request: RefundRequest
    payment: Payment
    agent_name: str
    decided_by_name: str


class RefundApprovals:
    """All raise WayvaultErrors whose text is for the person."""

    def __init__(
        self, *, database: Database, outbox: Outbox, clock: Clock, directory: Directory, refunds: Refunds
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._directory = directory
        self._refunds = refunds

    # ---- the agent

    def of_payment(self, payment: Payment) -> list[RefundRequest]:
        """The requests of a payment that did not become refunds, oldest first. The caller may see the payment."""
        with self._database.read() as session:
            found = [request_of(row, payment.amount.currency) for row in requests_of(session, payment.id)]
        return [one for one in found if one.state is not RequestState.APPROVED]

    def withdraw(self, actor: Actor, payment_id: str) -> bool:
        """The payment's agent takes a request back that nobody has decided; False when none is waiting any more."""
        with self._database.transaction() as session:
            locked_own(session, actor, payment_id)
            row = waiting_request(session, payment_id)
            if row is None:
                return False
            row.state, row.decided_at = RequestState.WITHDRAWN.value, self._clock.now()
            return True

    # ---- the approver

    def asked(self, actor: Actor, limit: int = 50) -> list[AskedRefund]:
        """The agency's requests for its admins, newest first. Raises NotFound for others."""
        with self._database.read() as session:
            found = asked_of_admins(session, RefundRequestRow, actor, limit=limit, unknown=_UNKNOWN)
            names = self._directory.names(session, actor.agency_id)
            return [_asked(row, payment, names) for row, payment in found]

    def get(self, actor: Actor, request_id: str) -> AskedRefund:
        """One request, for an admin of its agency. Raises NotFound."""
        with self._database.read() as session:
            row = _row(session, actor, request_id)
            names = self._directory.names(session, actor.agency_id)
            return _asked(row, payments_by_id(session, [row.payment_id])[row.payment_id], names)

    def to_decide(self, actor: Actor, request_id: str) -> AskedRefund:
        """The request, when this admin may decide it now. Raises NotFound, PermissionDenied, InvalidArgument."""
        asked = self.get(actor, request_id)
        _demand_open(actor, asked.request.agent_id, asked.request.state)
        return asked

    def approve(self, actor: Actor, request_id: str, *, word: str) -> AskedRefund:
        """Has the money given back. The caller has checked the admin's authenticator. Raises as `to_decide`, and
        InvalidArgument when so much is not left of the charge any more."""
        with self._database.transaction() as session:
            row, payment = self._held(session, actor, request_id)
            asked = request_of(row, payment.now.amount.currency)
            wanted = self._refunds.outlook(session, payment, amount=asked.amount, reason=asked.reason)
            origin = Origin(ip=row.ip, user_agent=row.user_agent)
            refund_id = self._refunds.write_down(session, wanted, origin=origin, approved_by=actor.agent_id)
            self._decide(session, actor, row, payment, state=RequestState.APPROVED, word=word)
        self._refunds.ask(refund_id)
        return self.get(actor, request_id)

    def refuse(self, actor: Actor, request_id: str, *, word: str) -> AskedRefund:
        """Says no, and why. Raises as `to_decide`."""
        with self._database.transaction() as session:
            row, payment = self._held(session, actor, request_id)
            self._decide(session, actor, row, payment, state=RequestState.REFUSED, word=word)
        return self.get(actor, request_id)

    # ---- pieces

    def _held(self, session: Session, actor: Actor, request_id: str) -> tuple[RefundRequestRow, HeldPayment]:
        """The request and its payment, held, the payment first as everywhere; checked anew behind the lock."""
        row = _row(session, actor, request_id)
        payment = locked(session, row.payment_id)
        if payment is None:
            raise NotFound(_UNKNOWN)
        session.refresh(row, with_for_update=True)
        _demand_open(actor, row.agent_id, RequestState(row.state))
        return row, payment

    def _decide(
        self,
        session: Session,
        actor: Actor,
        row: RefundRequestRow,
        payment: HeldPayment,
        *,
        state: RequestState,
        word: str,
    ) -> None:
        row.state, row.word = state.value, " ".join(word.split())[:LONGEST_WORD]
        row.decided_by, row.decided_at = actor.agent_id, self._clock.now()
        event = RefundApprovalDecided(
            context=payment.context,
            amount=common_pb2.Money(minor=row.amount_minor, currency=payment.now.amount.currency),
            reason=row.reason,
            approved=state is RequestState.APPROVED,
            decided_by=actor.name,
            word=row.word,
        )
        self._outbox.add(session, event, aggregate_id=row.payment_id, agency_id=row.agency_id)
        tell(session, (admin.id for admin in self._directory.admins(session, row.agency_id)))


def count_waiting(actor: Actor) -> Select[int]:
    """How many requests wait for this admin; none for anybody else."""
    return select(func.count()).where(
        RefundRequestRow.agency_id == actor.agency_id,
        RefundRequestRow.agent_id != actor.agent_id,
        RefundRequestRow.state == RequestState.REQUESTED,
        literal(actor.is_admin),
    )


def _row(session: Session, actor: Actor, request_id: str) -> RefundRequestRow:
    row = session.get(RefundRequestRow, request_id) if actor.is_admin else None
    if row is None or row.agency_id != actor.agency_id:
        raise NotFound(_UNKNOWN)
    return row


def _demand_open(actor: Actor, asker_id: str, state: RequestState) -> None:
    by_asker = actor.agent_id == asker_id
    if refused := decision_refusal(state, by_asker=by_asker):
        raise PermissionDenied(refused) if by_asker else InvalidArgument(refused)


def _asked(row: RefundRequestRow, payment: Payment, names: dict[str, str]) -> AskedRefund:
    return AskedRefund(
        request=request_of(row, payment.amount.currency),
        payment=payment,
        agent_name=names.get(row.agent_id, ""),
        decided_by_name=names.get(row.decided_by or "", ""),
    )


def _require_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise NotFound(_UNKNOWN)
