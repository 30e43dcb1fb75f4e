"""Giving money back: the amount is set aside by one conditional UPDATE before the gateway is asked."""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import IdempotencyMismatch, InvalidArgument
from chassis.ids import new_id
from chassis.rpc.calls import require_time
from chassis.rpc.idempotency import CallKey
from protos.wayvault.common.v1.common_pb2 import Origin
from services.vault.charging.accounts import Accounts, account_of, is_of
from services.vault.charging.entries import refund_entry
from services.vault.charging.gateways.port import (
    Gateway,
    GatewayRefused,
    GatewayUnknown,
    RefundOutcome,
)
from services.vault.charging.models import ChargeRow, RefundRow
from services.vault.charging.reasons import reason_of
from services.vault.charging.records import (
    charge_by_id,
    charge_of,
    known_request,
    look_tomorrow,
    postpone_refund,
    reserve_refund,
    settle_refund,
)
from services.vault.charging.rules import GATEWAY_PATIENCE, SETTLE_AFTER, ChargeState, RefundState, refund_refusal
from services.vault.charging.service import order_of
from services.vault.refusals import Act, Recorder, Refusals

log = structlog.get_logger("vault.charging")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefund:
    """What is asked for."""

    agency_id: str
    charge_id: str
    agent_id: str
    amount_minor: int
    reason: str
    origin: Origin
    # Empty where the agency wants nobody's.
    approver_id: str = ""


class RefundService:
    """Refunds. Repeating a call to the gateway with the same refund's id gives money back once (`Gateway.refund`)."""

    def __init__(self, *, database: Database, clock: Clock, trail: Recorder, accounts: Accounts) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._accounts = accounts
        self._refusals = Refusals(database, trail)

    def refund(self, new: NewRefund, key: CallKey) -> str:
        """Gives money back; returns the refund's id. The same call again asks for nothing new.

        Raises NotFound, InvalidArgument (more than what is left), IdempotencyMismatch, Unavailable.
        """
        if (known := self._known(key)) is not None:
            return known
        require_time(GATEWAY_PATIENCE + 1)
        act = Act(
            action="refund.asked",
            refused_action="refund.refused",
            origin=new.origin,
            resource=new.charge_id,
            agent_id=new.agent_id,
        )
        with self._refusals.audited(act):
            refund = self._reserve(new, key, act)
        self.ask(refund)
        return refund.id

    def ask(self, refund: RefundRow) -> None:
        """Asks the gateway for a refund, or once more after an answer was lost, and records what it said."""
        with self._database.read() as session:
            charge = charge_by_id(session, refund.charge_id)
            account = account_of(session, charge.agency_id)
        outcome = None
        if account is not None and is_of(charge, account):
            try:
                outcome = self._outcome(self._accounts.open(account), refund, charge)
            except (GatewayUnknown, GatewayRefused) as fault:
                log.warning("refund.unknown", refund=refund.id, cause=type(fault).__name__)
        if outcome is not None:
            self._record(refund, charge, outcome)
            return
        with self._database.transaction() as session:
            postpone_refund(session, refund, self._clock.now())

    def look_by_the_clock(self, refund: RefundRow) -> None:
        """As `look_again`, in case the gateway's message got lost; and once more tomorrow."""
        try:
            self.look_again(refund)
        except (GatewayUnknown, GatewayRefused) as fault:
            log.warning("refund.not_looked_at", refund=refund.id, cause=type(fault).__name__)
        with self._database.transaction() as session:
            look_tomorrow(session, refund, self._clock.now())

    def look_again(self, refund: RefundRow) -> None:
        """Reads a refund that was settled: the client's bank may have sent it back since. Raises GatewayUnknown,
        GatewayRefused."""
        with self._database.read() as session:
            charge = charge_by_id(session, refund.charge_id)
            account = account_of(session, charge.agency_id)
        if account is None or not is_of(charge, account):
            return
        gateway = self._accounts.open(account)
        outcome = gateway.find_refund(order_of(charge), charge.reference, refund.id, refund.reference)
        if outcome is not None and outcome.state is RefundState.FAILED:
            self._record(refund, charge, outcome)

    def _outcome(self, gateway: Gateway, refund: RefundRow, charge: ChargeRow) -> RefundOutcome:
        order = order_of(charge)
        if refund.asked or refund.reference:
            found = gateway.find_refund(order, charge.reference, refund.id, refund.reference)
            if found is not None:
                return found
        return gateway.refund(order, charge.reference, refund.id, refund.amount_minor)

    def _record(self, refund: RefundRow, charge: ChargeRow, outcome: RefundOutcome) -> None:
        with self._database.transaction() as session:
            if settle_refund(session, refund, outcome, self._clock.now()):
                entry = refund_entry(refund, charge, outcome.state, outcome.code)
                self._trail.record(session, entry)

    def _reserve(self, new: NewRefund, key: CallKey, act: Act) -> RefundRow:
        now = self._clock.now()
        with self._database.read() as session:
            charge = charge_of(session, new.agency_id, new.charge_id)
            account = account_of(session, new.agency_id)
        act.card_token = charge.card_token
        if account is None:
            raise InvalidArgument("Your agency has no payment gateway. An admin enters its keys under Agency.")
        if not is_of(charge, account):
            raise InvalidArgument(reason_of("left_account").words, field="amount")
        refused = refund_refusal(
            ChargeState(charge.state),
            charged=charge.amount_minor,
            refunded=charge.refunded_minor,
            wanted=new.amount_minor,
        )
        if refused is not None:
            raise InvalidArgument(refused.why, field="amount")
        refund = _row(new, key, now)
        try:
            with self._database.transaction() as session:
                if not reserve_refund(session, charge.id, new.amount_minor):
                    raise InvalidArgument("That is more than what is left of this charge.", field="amount")
                session.add(refund)
                self._trail.record(session, act.entry(new.reason))
                if new.approver_id:
                    self._trail.record(session, replace(act, agent_id=new.approver_id).entry(action="refund.approved"))
                session.flush()
                session.expunge(refund)
        except IntegrityError:
            raise IdempotencyMismatch from None
        return refund

    def _known(self, key: CallKey) -> str | None:
        with self._database.read() as session:
            row = known_request(session, key.key_hash)
        if row is None:
            return None
        if bytes(row.body_hash) != key.body_hash or not isinstance(row, RefundRow):
            raise IdempotencyMismatch
        return row.id


def _row(new: NewRefund, key: CallKey, now: datetime) -> RefundRow:
    return RefundRow(
        id=new_id("rfd"),
        request_hash=key.key_hash,
        body_hash=key.body_hash,
        charge_id=new.charge_id,
        agent_id=new.agent_id,
        amount_minor=new.amount_minor,
        reason=new.reason,
        state=RefundState.ASKING,
        reference="",
        reason_code="",
        made_at=now,
        ask_at=now + SETTLE_AFTER,
        asked=0,
    )
