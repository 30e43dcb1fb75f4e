"""Use cases of payments by phone: prepare, open a session, capture, record how it ended, report (T1 to T9).

Storing the card: `storing.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, Unavailable, WayvaultError
from chassis.ids import new_id
from services.crm.core.actor import Actor
from services.crm.core.ordering import in_order
from services.crm.core.visibility import visible_to
from services.crm.paying.payments.service import (
    Payment,
    context_of,
    own,
)
from services.crm.paying.phone.masker import MaskerPort, Opened, Progress, Readiness, Session
from services.crm.paying.phone.models import PhoneCallRow, PhoneDeskRow, PhoneFlowRow
from services.crm.paying.phone.records import CALL_KEYS, NEWEST, Call, CallFilter, CallSort, calls_of
from services.crm.paying.phone.rules import FIRST_SCRIPT, RESULT_WORDS, Field, Flow, Result
from services.crm.paying.phone.storing import WAITING, SignatureDesk, Storing, own_row

__all__ = [
    "CALL_KEYS",
    "FIRST_SCRIPT",
    "NEWEST",
    "RESULT_WORDS",
    "Call",
    "CallFilter",
    "CallSort",
    "Field",
    "Flow",
    "PhonePayments",
    "Result",
]

EXPORT_LIMIT: Final = 10_000


class PhonePayments:
    """See the module. `masker` is None where phone payments are not set up."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        masker: MaskerPort | None,
        signatures: SignatureDesk,
        storing: Storing,
    ) -> None:
        self._database = database
        self._clock = clock
        self._masker = masker
        self._signatures = signatures
        self.storing = storing

    @property
    def is_set_up(self) -> bool:
        """Whether the operator has given the CRM a masker."""
        return self._masker is not None

    def readiness(self) -> Readiness | None:
        """How the masker is; None when it can't be reached, or there is none."""
        try:
            return self._masker.readiness() if self._masker is not None else None
        except WayvaultError:
            return None

    # ---- one payment
    def payment(self, actor: Actor, payment_id: str) -> Payment:
        """An own payment that can be paid by phone. Raises NotFound, PermissionDenied, InvalidArgument."""
        with self._database.read() as session:
            return _waiting(session, actor, payment_id)

    def start(self, actor: Actor, payment_id: str, *, script: str) -> tuple[str, Opened]:
        """The client agreed: opens a session for the payment. Returns the call's id, and the PIN.

        Raises NotFound, PermissionDenied, InvalidArgument, and Unavailable when the masker can't be reached.
        """
        masker, now = self._required(), self._clock.now()
        with self._database.read() as session:
            _waiting(session, actor, payment_id)
            policy = context_of(session, payment_id).policy
            telephone = session.get(PhoneDeskRow, actor.agent_id)
            desk = telephone.extension if telephone else ""
            flow = _flow(session.get(PhoneFlowRow, actor.agency_id))
        opened = masker.open(
            Session(
                agency_id=actor.agency_id,
                agent_id=actor.agent_id,
                payment_id=payment_id,
                desk=desk,
                card_days=policy.card_retention_days,
                cvv_hours=policy.cvv_retention_hours,
                flow=flow,
            )
        )
        call_id = new_id("call")
        with self._database.transaction() as session:
            session.add(
                PhoneCallRow(
                    id=call_id,
                    agency_id=actor.agency_id,
                    agent_id=actor.agent_id,
                    payment_id=payment_id,
                    session_id=opened.session_id,
                    script=script,
                    consented_at=now,
                    started_at=now,
                )
            )
        return call_id, opened

    def demand(self, actor: Actor, call_id: str) -> None:
        """Raises NotFound unless the call is the actor's own."""
        self._own_call(actor, call_id)

    def watch(self, actor: Actor, call_id: str, seconds: float) -> Iterator[Progress]:
        """Progress as it happens; how it ended is recorded. Raises NotFound, and Unavailable when the line is lost."""
        masker, call = self._required(), self._own_call(actor, call_id)
        tied = call.tied_at is not None
        try:
            for progress in masker.watch(call.session_id, actor.agent_id, seconds):
                if progress.state == "tied" and not tied:
                    tied = True
                    self._note(call_id, tied=True)
                if progress.result and progress.result != Result.STORED:
                    self._note(call_id, result=Result(progress.result), asked_again=_again(progress))
                yield progress
        except NotFound:
            self._note(call_id, result=Result.LOST)
            raise

    def capture(self, actor: Actor, call_id: str, field: Field) -> Progress:
        """Asks for a field, first or again."""
        return self._required().capture(self._own_call(actor, call_id).session_id, actor.agent_id, field)

    def give_up_field(self, actor: Actor, call_id: str) -> Progress:
        """Closes the open field."""
        return self._required().give_up_field(self._own_call(actor, call_id).session_id, actor.agent_id)

    def cancel(self, actor: Actor, call_id: str) -> None:
        """Ends the session. One that is over stays as it ended."""
        call = self._own_call(actor, call_id)
        try:
            progress = self._required().cancel(call.session_id, actor.agent_id)
        except NotFound:
            # Whatever the vault may have: the agent does not want it any more.
            self._note(call_id, result=Result.CANCELLED if call.is_storing else Result.LOST)
            return
        if progress.result and progress.result != Result.STORED:
            self._note(call_id, result=Result(progress.result), asked_again=_again(progress))

    # ---- many
    def of_payment(self, payment_id: str) -> Call | None:
        """The session that stored a payment's card; the caller has the payment from a look-up of their own."""
        query = select(PhoneCallRow).where(PhoneCallRow.payment_id == payment_id, PhoneCallRow.result == Result.STORED)
        with self._database.read() as session:
            found = session.scalars(query.order_by(PhoneCallRow.started_at.desc()).limit(1)).all()
            return next(iter(calls_of(session, found)), None)

    def signature_outstanding(self, call: Call) -> bool:
        """Whether the authorization of a payment by phone is still to be signed."""
        return not call.sign_request_id or not self._signatures.is_signed(call.sign_request_id)

    def calls(self, actor: Actor, wanted: CallFilter, limit: int = 200) -> list[Call]:
        """T5: an admin's agency's, an agent's own."""
        query = select(PhoneCallRow).where(visible_to(actor, PhoneCallRow.agency_id, PhoneCallRow.agent_id))
        if wanted.result is not None:
            query = query.where(PhoneCallRow.result == wanted.result)
        if wanted.since is not None:
            query = query.where(PhoneCallRow.started_at >= datetime.combine(wanted.since, datetime.min.time(), UTC))
        query = in_order(query, wanted.order, CALL_KEYS, PhoneCallRow.id).limit(limit)
        with self._database.read() as session:
            return calls_of(session, session.scalars(query).all())

    # ---- settings
    def flow(self, agency_id: str) -> Flow:
        """The agency's flow (T8)."""
        with self._database.read() as session:
            return _flow(session.get(PhoneFlowRow, agency_id))

    def change_flow(self, actor: Actor, flow: Flow) -> None:
        """For admins, whose page alone leads here."""
        with self._database.transaction() as session:
            row = session.get(PhoneFlowRow, actor.agency_id, with_for_update=True) or PhoneFlowRow(
                agency_id=actor.agency_id
            )
            row.field_order, row.script = ",".join(flow.order), flow.script
            row.field_seconds, row.idle_seconds = flow.field_seconds, flow.idle_seconds
            row.total_seconds, row.changed_at = flow.total_seconds, self._clock.now()
            session.add(row)

    def desk(self, agent_id: str) -> str:
        """The agent's telephone; empty = any of the agency's."""
        with self._database.read() as session:
            row = session.get(PhoneDeskRow, agent_id)
            return row.extension if row else ""

    def change_desk(self, actor: Actor, extension: str) -> None:
        """Which telephone is the agent's own."""
        with self._database.transaction() as session:
            row = session.get(PhoneDeskRow, actor.agent_id, with_for_update=True)
            if row is not None and not extension:
                session.delete(row)
            elif row is not None:
                row.extension = extension
            elif extension:
                session.add(PhoneDeskRow(agent_id=actor.agent_id, extension=extension))

    # ---- inside
    def _required(self) -> MaskerPort:
        if self._masker is None:
            raise Unavailable("Phone payments are not set up here. An operator can: docs/phone.md says how.")
        return self._masker

    def _own_call(self, actor: Actor, call_id: str) -> "_OwnCall":
        with self._database.read() as session:
            row = own_row(session, actor, call_id)
            return _OwnCall(session_id=row.session_id, tied_at=row.tied_at, is_storing=row.storing_at is not None)

    def _note(self, call_id: str, *, result: Result | None = None, asked_again: int = 0, tied: bool = False) -> None:
        with self._database.transaction() as session:
            row = session.get_one(PhoneCallRow, call_id, with_for_update=True)
            if tied and row.tied_at is None:
                row.tied_at = self._clock.now()
            if result is not None and not row.result:
                row.result, row.asked_again, row.ended_at = result, asked_again, self._clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnCall:
    session_id: str
    tied_at: datetime | None
    is_storing: bool


def _again(progress: Progress) -> int:
    return sum(max(0, shown.asked - 1) for shown in progress.fields.values())


def _waiting(session: DbSession, actor: Actor, payment_id: str) -> Payment:
    """An own payment that can be paid by phone. Raises NotFound, PermissionDenied, InvalidArgument."""
    payment = own(session, actor, payment_id)
    if payment.state not in WAITING:
        raise InvalidArgument("This payment is not waiting for a card any more.")
    if context_of(session, payment_id).plan:
        raise InvalidArgument("A standing order has to be signed first; the client does that by the link.")
    return payment


def _flow(row: PhoneFlowRow | None) -> Flow:
    if row is None:
        return Flow()
    return Flow(
        order=tuple(Field(name) for name in row.field_order.split(",")),
        script=row.script,
        field_seconds=row.field_seconds,
        idle_seconds=row.idle_seconds,
        total_seconds=row.total_seconds,
    )
