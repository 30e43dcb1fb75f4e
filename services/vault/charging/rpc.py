"""Charging on the wire: parses, calls the services, renders. Callers: the CRM; the operator for SetGatewayKey."""

import re
from datetime import datetime, timedelta
from typing import Final

import grpc
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.money import Money
from chassis.rpc.fields import identifier, one_line, whole_number
from chassis.rpc.idempotency import CallKey
from chassis.timestamps import moment_of, stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.vault.v1 import charging_pb2 as pb
from protos.wayvault.vault.v1 import charging_pb2_grpc
from services.vault.charging.accounts import Secrets, account_of, is_of
from services.vault.charging.gateways.registry import KINDS
from services.vault.charging.key_entries import Entered, KeyEntries, NewEntry
from services.vault.charging.ledger import LedgerService, PayoutFound
from services.vault.charging.mandates import MandateService
from services.vault.charging.models import ChargeRow, GatewayAccountRow, RefundRow
from services.vault.charging.notices import Notices
from services.vault.charging.reasons import PASSING, REASONS, reason_of
from services.vault.charging.reconciling import Line
from services.vault.charging.records import charge_of, charges_of, kept_cards, open_refunds, refunds_of
from services.vault.charging.refunds import NewRefund, RefundService
from services.vault.charging.rules import ChargeState, RefundState
from services.vault.charging.service import ChargeService, NewCharge

_LARGEST_NOTICE: Final = 256 * 1024
_LONGEST_SPAN: Final = timedelta(days=800)
_MOST_MINOR: Final = 10**12
_MOST_LEFT: Final = 1_000
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_STATES: Final = {state: pb.ChargeState.Value(f"CHARGE_STATE_{state.name}") for state in ChargeState}
_REFUND_STATES: Final = {state: pb.RefundState.Value(f"REFUND_STATE_{state.name}") for state in RefundState}


class ChargingRpc(charging_pb2_grpc.ChargingServicer):
    """See charging.proto."""

    def __init__(
        self,
        *,
        database: Database,
        keys: KeyEntries,
        charges: ChargeService,
        refunds: RefundService,
        mandates: MandateService,
        notices: Notices,
        ledger: LedgerService,
    ) -> None:
        self._database = database
        self._keys = keys
        self._charges = charges
        self._refunds = refunds
        self._mandates = mandates
        self._notices = notices
        self._ledger = ledger

    def Charge(self, request: pb.ChargeRequest, context: grpc.ServicerContext) -> pb.ChargeAnswer:
        key = CallKey.of(request.idempotency_key, request)
        if not _CURRENCY.fullmatch(request.currency):
            raise InvalidArgument("A currency is three capital letters, such as USD.", field="currency")
        if request.mandate_id and (request.card_token or request.keep_card):
            raise InvalidArgument("A charge is of a card or of one that the gateway keeps.", field="mandate_id")
        new = NewCharge(
            agency_id=identifier(request.agency_id, "agency_id"),
            payment_id=identifier(request.payment_id, "payment_id"),
            card_token="" if request.mandate_id else identifier(request.card_token, "card_token"),
            mandate_id=identifier(request.mandate_id, "mandate_id") if request.mandate_id else "",
            keep_card=request.keep_card,
            agent_id=identifier(request.agent_id, "agent_id"),
            amount_minor=whole_number(request.amount_minor, "amount", least=1, most=_MOST_MINOR),
            currency=request.currency,
            description=one_line(request.description, "description", longest=200),
            origin=request.origin,
        )
        return self._answer(new.agency_id, self._charges.charge(new, key))

    def Refund(self, request: pb.RefundRequest, context: grpc.ServicerContext) -> pb.ChargeAnswer:
        key = CallKey.of(request.idempotency_key, request)
        new = NewRefund(
            agency_id=identifier(request.agency_id, "agency_id"),
            charge_id=identifier(request.charge_id, "charge_id"),
            agent_id=identifier(request.agent_id, "agent_id"),
            amount_minor=whole_number(request.amount_minor, "amount", least=1, most=_MOST_MINOR),
            reason=one_line(request.reason, "reason", longest=200, required=True),
            approver_id=identifier(request.approver_id, "approver_id") if request.approver_id else "",
            origin=request.origin,
        )
        refund_id = self._refunds.refund(new, key)
        answer = self._answer(new.agency_id, new.charge_id)
        answer.refund_id = refund_id
        return answer

    def Void(self, request: pb.VoidRequest, context: grpc.ServicerContext) -> pb.ChargeAnswer:
        CallKey.of(request.idempotency_key, request)
        agency_id = identifier(request.agency_id, "agency_id")
        charge_id = identifier(request.charge_id, "charge_id")
        self._charges.void(agency_id, charge_id, identifier(request.agent_id, "agent_id"), request.origin)
        return self._answer(agency_id, charge_id)

    def EndMandate(self, request: pb.EndMandateRequest, context: grpc.ServicerContext) -> pb.EndMandateResponse:
        CallKey.of(request.idempotency_key, request)
        agency_id = identifier(request.agency_id, "agency_id")
        self._mandates.end(agency_id, identifier(request.mandate_id, "mandate_id"), request.origin)
        return pb.EndMandateResponse()

    def Status(self, request: pb.StatusRequest, context: grpc.ServicerContext) -> pb.StatusResponse:
        agency_id = identifier(request.agency_id, "agency_id")
        payment_id = identifier(request.payment_id, "payment_id")
        with self._database.read() as session:
            rows = charges_of(session, agency_id, payment_id)
            return pb.StatusResponse(charges=[_rendered(session, row) for row in rows])

    def Ledger(self, request: pb.LedgerRequest, context: grpc.ServicerContext) -> pb.LedgerResponse:
        found = self._ledger.charges(identifier(request.agency_id, "agency_id"), *_span(request))
        with self._database.read() as session:
            entries = [
                pb.LedgerResponse.Entry(
                    charge=_rendered(session, one.row), agent_id=one.row.agent_id, fee=_money(one.fee)
                )
                for one in found.charges
            ]
        return pb.LedgerResponse(entries=entries, problem=found.problem, more=found.more)

    def Payouts(self, request: pb.LedgerRequest, context: grpc.ServicerContext) -> pb.PayoutsResponse:
        found = self._ledger.payouts(identifier(request.agency_id, "agency_id"), *_span(request))
        return pb.PayoutsResponse(payouts=[_payout(one) for one in found.payouts], problem=found.problem)

    def ListReasons(self, request: pb.ListReasonsRequest, context: grpc.ServicerContext) -> pb.ListReasonsResponse:
        return pb.ListReasonsResponse(
            reasons=[
                pb.Reason(code=one.code, words=one.words, next_step=one.next_step, may_retry=one.may_retry)
                for one in REASONS.values()
            ]
        )

    def TakeNotice(self, request: pb.TakeNoticeRequest, context: grpc.ServicerContext) -> pb.TakeNoticeResponse:
        agency_id = identifier(request.agency_id, "agency_id")
        signature = one_line(request.signature, "signature", longest=2_000)
        if len(request.body) > _LARGEST_NOTICE:
            raise InvalidArgument("A message of a gateway has at most 256 KiB.", field="body")
        return pb.TakeNoticeResponse(payment_ids=self._notices.take(agency_id, request.body, signature))

    def DescribeGateway(
        self, request: pb.DescribeGatewayRequest, context: grpc.ServicerContext
    ) -> pb.DescribeGatewayResponse:
        with self._database.read() as session:
            account = account_of(session, identifier(request.agency_id, "agency_id"))
            answer = _described(account) if account else pb.DescribeGatewayResponse()
            kept = kept_cards(session, request.agency_id)
            answer.kept_cards = sum(is_of(one, account) for one in kept)
            answer.open_refunds = sum(is_of(one, account) for one in open_refunds(session, request.agency_id))
            answer.left_mandates.extend([one.id for one in kept if not is_of(one, account)][:_MOST_LEFT])
            return answer

    def ListGateways(self, request: pb.ListGatewaysRequest, context: grpc.ServicerContext) -> pb.ListGatewaysResponse:
        return pb.ListGatewaysResponse(
            kinds=[
                pb.ListGatewaysResponse.Kind(
                    gateway=name,
                    keeps_cards=kind.keeps_cards,
                    tells_books=kind.tells_books,
                    takes_notices=kind.takes_notices,
                )
                for name, kind in sorted(KINDS.items())
            ]
        )

    def SetGatewayKey(
        self, request: pb.SetGatewayKeyRequest, context: grpc.ServicerContext
    ) -> pb.DescribeGatewayResponse:
        CallKey.of(request.idempotency_key, request)
        agency_id = identifier(request.agency_id, "agency_id")
        secrets = Secrets(key=request.key, signing=request.signing_secret)
        return _described(self._keys.set_by_operator(agency_id, request.gateway, secrets))

    def CheckGateway(
        self, request: pb.CheckGatewayRequest, context: grpc.ServicerContext
    ) -> pb.DescribeGatewayResponse:
        return _described(self._keys.check(identifier(request.agency_id, "agency_id")))

    def OpenKeyEntry(self, request: pb.OpenKeyEntryRequest, context: grpc.ServicerContext) -> pb.OpenKeyEntryResponse:
        key = CallKey.of(request.idempotency_key, request)
        new = NewEntry(
            agency_id=identifier(request.agency_id, "agency_id"),
            agent_id=identifier(request.agent_id, "agent_id"),
            gateway=request.gateway,
            origin=request.origin,
        )
        entry = self._keys.open(new, key)
        return pb.OpenKeyEntryResponse(entry_id=entry.id, expires_at=stamp(entry.expires_at))

    def EnterGatewayKey(
        self, request: pb.EnterGatewayKeyRequest, context: grpc.ServicerContext
    ) -> pb.DescribeGatewayResponse:
        key = CallKey.of(request.idempotency_key, request)
        if not request.sealed:
            raise InvalidArgument("The sealed key is missing.", field="sealed")
        entered = Entered(
            agency_id=identifier(request.agency_id, "agency_id"),
            agent_id=identifier(request.agent_id, "agent_id"),
            entry_id=identifier(request.entry_id, "entry_id"),
            sealed=request.sealed,
            origin=request.origin,
        )
        return _described(self._keys.enter(entered, key))

    def _answer(self, agency_id: str, charge_id: str) -> pb.ChargeAnswer:
        with self._database.read() as session:
            return _rendered(session, charge_of(session, agency_id, charge_id))


def _span(request: pb.LedgerRequest) -> tuple[datetime, datetime]:
    since, until = moment_of(request.since), moment_of(request.until)
    if not since < until <= since + _LONGEST_SPAN:
        raise InvalidArgument("Ask for a time of at most 800 days.", field="until")
    return since, until


def _money(amount: Money | None) -> common_pb2.Money | None:
    return common_pb2.Money(minor=amount.minor, currency=amount.currency) if amount is not None else None


def _payout(found: PayoutFound) -> pb.PayoutsResponse.Payout:
    payout = found.payout
    return pb.PayoutsResponse.Payout(
        reference=payout.reference,
        amount=common_pb2.Money(minor=payout.amount_minor, currency=payout.currency),
        arrives_at=stamp(payout.arrives_at),
        state=payout.state,
        lines=[_payout_line(line) for line in found.lines],
        mismatch=found.mismatch,
    )


def _payout_line(line: Line) -> pb.PayoutsResponse.Line:
    told = line.movement
    return pb.PayoutsResponse.Line(
        kind=told.kind,
        reference=told.reference,
        payment_id=line.charge.payment_id if line.charge else "",
        agent_id=line.charge.agent_id if line.charge else "",
        gross=common_pb2.Money(minor=told.gross_minor, currency=told.currency),
        fee=common_pb2.Money(minor=told.fee_minor, currency=told.currency),
        net=common_pb2.Money(minor=told.net_minor, currency=told.currency),
        at=stamp(told.at),
        words=told.words,
        mismatch=line.mismatch,
    )


def _described(account: GatewayAccountRow) -> pb.DescribeGatewayResponse:
    return pb.DescribeGatewayResponse(
        gateway=account.gateway,
        live=account.live,
        set_at=stamp(account.set_at),
        keeps_cards=KINDS[account.gateway].keeps_cards,
        set_by=account.set_by or "operator",
        key_hint=account.key_hint,
        account=account.account,
        account_name=account.account_name,
        checked_at=stamp(account.checked_at),
        check_problem=reason_of(account.check_code).words if account.check_code else "",
        takes_notices=account.takes_notices,
    )


def _rendered(session: Session, row: ChargeRow) -> pb.ChargeAnswer:
    reason = reason_of(row.reason_code) if row.reason_code else None
    account = session.get(GatewayAccountRow, row.agency_id)
    return pb.ChargeAnswer(
        charge_id=row.id,
        payment_id=row.payment_id,
        state=_STATES[ChargeState(row.state)],
        amount_minor=row.amount_minor,
        currency=row.currency,
        refunded_minor=row.refunded_minor,
        gateway=row.gateway,
        live=row.live,
        reason_code=row.reason_code,
        reason=reason.words if reason else "",
        next_step=reason.next_step if reason else "",
        client_url=row.client_url,
        reference=row.reference,
        made_at=stamp(row.made_at),
        settled_at=stamp(row.settled_at),
        refunds=[_refunded(refund, left=not is_of(row, account)) for refund in refunds_of(session, row.id)],
        mandate_id=row.mandate_id,
        may_pass=row.state == ChargeState.DECLINED and row.reason_code in PASSING,
    )


def _refunded(refund: RefundRow, *, left: bool) -> pb.Refunded:
    """`left`: it is of an account that the agency has left, so nothing more can be learned of one on its way."""
    code = refund.reason_code
    if left and refund.state in (RefundState.ASKING, RefundState.PENDING):
        code = "left_account_refund"
    return pb.Refunded(
        refund_id=refund.id,
        amount_minor=refund.amount_minor,
        state=_REFUND_STATES[RefundState(refund.state)],
        reason=refund.reason,
        problem=reason_of(code).words if code else "",
        made_at=stamp(refund.made_at),
        settled_at=stamp(refund.settled_at),
    )
