"""The charging port over gRPC (mTLS by chassis.rpc), and what stands in its place where nothing can be charged."""

from datetime import datetime
from typing import Final, NoReturn

import grpc

from chassis.errors import Unavailable
from chassis.ids import new_id
from chassis.money import Money
from chassis.rpc import Caller
from chassis.timestamps import moment_of, stamp
from protos.wayvault.common.v1 import common_pb2 as common
from protos.wayvault.vault.v1 import charging_pb2 as pb
from protos.wayvault.vault.v1.charging_pb2_grpc import ChargingStub
from services.crm.core.ports.charging import (
    Charge,
    ChargeOrder,
    ChargeState,
    GatewayDetail,
    GatewayKind,
    KeyEntry,
    LedgerAnswer,
    LedgerEntry,
    PayoutDetail,
    PayoutLine,
    PayoutsAnswer,
    Refund,
    Refunded,
    RefundOrder,
    RefundState,
)
from services.crm.core.ports.vault import Origin

# Seconds: charging begins nothing for which the gateway's patience, twice, would not be left.
_CHARGE_TIMEOUT: Final = 36.0
_REFUND_TIMEOUT: Final = 20.0
_READ_TIMEOUT: Final = 2.0
# Charging reads the gateway's books page by page.
_BOOKS_TIMEOUT: Final = 40.0
_NOT_SET_UP: Final = "Charging is not set up here."
# Charging reads what the message names at the gateway.
_NOTICE_TIMEOUT: Final = 20.0


class GrpcCharging:
    """Implements ChargingPort. The channel opens at the first call of each process."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._caller = Caller(channel)
        self._stub = ChargingStub(channel)

    def gateway_of(self, agency_id: str) -> GatewayDetail | None:
        request = pb.DescribeGatewayRequest(agency_id=agency_id)
        answer = self._caller.call(self._stub.DescribeGateway, request, timeout=_READ_TIMEOUT)
        return _gateway(answer) if answer.gateway else None

    def check_gateway(self, agency_id: str) -> GatewayDetail:
        request = pb.CheckGatewayRequest(agency_id=agency_id)
        return _gateway(self._caller.call(self._stub.CheckGateway, request, timeout=_CHARGE_TIMEOUT))

    def open_key_entry(self, agency_id: str, agent_id: str, gateway: str, *, origin: Origin) -> str:
        request = pb.OpenKeyEntryRequest(
            idempotency_key=new_id("key"),
            agency_id=agency_id,
            agent_id=agent_id,
            gateway=gateway,
            origin=_origin(origin),
        )
        return self._caller.call(self._stub.OpenKeyEntry, request, timeout=_READ_TIMEOUT).entry_id

    def enter_key(self, entry: KeyEntry, *, idempotency_key: str, origin: Origin) -> GatewayDetail:
        request = pb.EnterGatewayKeyRequest(
            idempotency_key=idempotency_key,
            agency_id=entry.agency_id,
            agent_id=entry.agent_id,
            entry_id=entry.entry_id,
            sealed=entry.sealed,
            origin=_origin(origin),
        )
        return _gateway(self._caller.call(self._stub.EnterGatewayKey, request, timeout=_CHARGE_TIMEOUT))

    def gateways(self) -> list[GatewayKind]:
        answer = self._caller.call(self._stub.ListGateways, pb.ListGatewaysRequest(), timeout=_READ_TIMEOUT)
        return [
            GatewayKind(
                name=one.gateway,
                keeps_cards=one.keeps_cards,
                tells_books=one.tells_books,
                takes_notices=one.takes_notices,
            )
            for one in answer.kinds
        ]

    def reasons(self) -> dict[str, str]:
        answer = self._caller.call(self._stub.ListReasons, pb.ListReasonsRequest(), timeout=_READ_TIMEOUT)
        return {one.code: one.words for one in answer.reasons}

    def charge(self, order: ChargeOrder, *, idempotency_key: str, origin: Origin) -> Charge:
        request = pb.ChargeRequest(
            idempotency_key=idempotency_key,
            agency_id=order.agency_id,
            payment_id=order.payment_id,
            card_token=order.card_token,
            agent_id=order.agent_id,
            amount_minor=order.amount_minor,
            currency=order.currency,
            description=order.description,
            keep_card=order.keep_card,
            mandate_id=order.mandate_id,
            origin=_origin(origin),
        )
        return _charge(self._caller.call(self._stub.Charge, request, timeout=_CHARGE_TIMEOUT))

    def refund(self, order: RefundOrder, *, origin: Origin) -> Refunded:
        request = pb.RefundRequest(
            idempotency_key=order.id,
            agency_id=order.agency_id,
            charge_id=order.charge_id,
            agent_id=order.agent_id,
            amount_minor=order.amount_minor,
            reason=order.reason,
            origin=_origin(origin),
            approver_id=order.approver_id,
        )
        answer = self._caller.call(self._stub.Refund, request, timeout=_REFUND_TIMEOUT)
        return Refunded(charge=_charge(answer), refund_id=answer.refund_id)

    def void(self, *, idempotency_key: str, agency_id: str, charge_id: str, agent_id: str, origin: Origin) -> Charge:
        request = pb.VoidRequest(
            idempotency_key=idempotency_key,
            agency_id=agency_id,
            charge_id=charge_id,
            agent_id=agent_id,
            origin=_origin(origin),
        )
        return _charge(self._caller.call(self._stub.Void, request, timeout=_REFUND_TIMEOUT))

    def end_mandate(self, agency_id: str, mandate_id: str) -> None:
        request = pb.EndMandateRequest(
            idempotency_key=f"end-{mandate_id}", agency_id=agency_id, mandate_id=mandate_id, origin=common.Origin()
        )
        self._caller.call(self._stub.EndMandate, request, timeout=_REFUND_TIMEOUT)

    def take_notice(self, agency_id: str, body: bytes, signature: str) -> list[str]:
        request = pb.TakeNoticeRequest(agency_id=agency_id, body=body, signature=signature)
        return list(self._caller.call(self._stub.TakeNotice, request, timeout=_NOTICE_TIMEOUT).payment_ids)

    def ledger(self, agency_id: str, since: datetime, until: datetime) -> LedgerAnswer:
        request = pb.LedgerRequest(agency_id=agency_id, since=stamp(since), until=stamp(until))
        answer = self._caller.call(self._stub.Ledger, request, timeout=_BOOKS_TIMEOUT)
        return LedgerAnswer(
            entries=tuple(_entry(one) for one in answer.entries), problem=answer.problem, more=answer.more
        )

    def payouts(self, agency_id: str, since: datetime, until: datetime) -> PayoutsAnswer:
        request = pb.LedgerRequest(agency_id=agency_id, since=stamp(since), until=stamp(until))
        answer = self._caller.call(self._stub.Payouts, request, timeout=_BOOKS_TIMEOUT)
        return PayoutsAnswer(payouts=tuple(_payout(one) for one in answer.payouts), problem=answer.problem)

    def charges_of(self, agency_id: str, payment_id: str) -> list[Charge]:
        request = pb.StatusRequest(agency_id=agency_id, payment_id=payment_id)
        answer = self._caller.call(self._stub.Status, request, timeout=_READ_TIMEOUT)
        return [_charge(charge) for charge in answer.charges]


class NoCharging:
    """Where no program `charging` runs (CRM_CHARGING_ADDRESS is empty): no agency has a gateway."""

    def gateway_of(self, agency_id: str) -> GatewayDetail | None:
        return None

    def check_gateway(self, agency_id: str) -> GatewayDetail:
        _refuse()

    def open_key_entry(self, agency_id: str, agent_id: str, gateway: str, *, origin: Origin) -> str:
        _refuse()

    def enter_key(self, entry: KeyEntry, *, idempotency_key: str, origin: Origin) -> GatewayDetail:
        _refuse()

    def gateways(self) -> list[GatewayKind]:
        return []

    def reasons(self) -> dict[str, str]:
        return {}

    def charge(self, order: ChargeOrder, *, idempotency_key: str, origin: Origin) -> Charge:
        _refuse()

    def refund(self, order: RefundOrder, *, origin: Origin) -> Refunded:
        _refuse()

    def void(self, *, idempotency_key: str, agency_id: str, charge_id: str, agent_id: str, origin: Origin) -> Charge:
        _refuse()

    def end_mandate(self, agency_id: str, mandate_id: str) -> None:
        _refuse()

    def take_notice(self, agency_id: str, body: bytes, signature: str) -> list[str]:
        _refuse()

    def ledger(self, agency_id: str, since: datetime, until: datetime) -> LedgerAnswer:
        return LedgerAnswer(entries=(), problem=_NOT_SET_UP)

    def payouts(self, agency_id: str, since: datetime, until: datetime) -> PayoutsAnswer:
        return PayoutsAnswer(payouts=(), problem=_NOT_SET_UP)

    def charges_of(self, agency_id: str, payment_id: str) -> list[Charge]:
        _refuse()


def _refuse() -> NoReturn:
    raise Unavailable("Charging is not set up here. Nothing was charged; ask your administrator.")


def _origin(origin: Origin) -> common.Origin:
    return common.Origin(ip=origin.ip, user_agent=origin.user_agent)


def _gateway(answer: pb.DescribeGatewayResponse) -> GatewayDetail:
    return GatewayDetail(
        name=answer.gateway,
        live=answer.live,
        keeps_cards=answer.keeps_cards,
        set_by=answer.set_by,
        set_at=moment_of(answer.set_at),
        key_hint=answer.key_hint,
        account=answer.account,
        account_name=answer.account_name,
        checked_at=moment_of(answer.checked_at) if answer.HasField("checked_at") else None,
        check_problem=answer.check_problem,
        takes_notices=answer.takes_notices,
        kept_cards=answer.kept_cards,
        open_refunds=answer.open_refunds,
        left_mandates=frozenset(answer.left_mandates),
    )


def _charge(answer: pb.ChargeAnswer) -> Charge:
    name = pb.ChargeState.Name(answer.state).removeprefix("CHARGE_STATE_").lower()
    return Charge(
        id=answer.charge_id,
        state=ChargeState(name),
        amount_minor=answer.amount_minor,
        currency=answer.currency,
        refunded_minor=answer.refunded_minor,
        gateway=answer.gateway,
        live=answer.live,
        reason_code=answer.reason_code,
        reason=answer.reason,
        next_step=answer.next_step,
        client_url=answer.client_url,
        reference=answer.reference,
        settled_at=moment_of(answer.settled_at) if answer.HasField("settled_at") else None,
        refunds=tuple(_refund(each) for each in answer.refunds),
        mandate_id=answer.mandate_id,
        may_pass=answer.may_pass,
    )


def _refund(answer: pb.Refunded) -> Refund:
    name = pb.RefundState.Name(answer.state).removeprefix("REFUND_STATE_").lower()
    return Refund(
        id=answer.refund_id,
        state=RefundState(name),
        amount_minor=answer.amount_minor,
        problem=answer.problem,
        settled_at=moment_of(answer.settled_at) if answer.HasField("settled_at") else None,
    )


def _entry(answer: pb.LedgerResponse.Entry) -> LedgerEntry:
    return LedgerEntry(
        charge=_charge(answer.charge),
        payment_id=answer.charge.payment_id,
        agent_id=answer.agent_id,
        made_at=moment_of(answer.charge.made_at),
        fee=_money(answer.fee) if answer.HasField("fee") else None,
    )


def _payout(answer: pb.PayoutsResponse.Payout) -> PayoutDetail:
    return PayoutDetail(
        reference=answer.reference,
        amount=_money(answer.amount),
        arrives_at=moment_of(answer.arrives_at),
        state=answer.state,
        lines=tuple(_payout_line(line) for line in answer.lines),
        mismatch=answer.mismatch,
    )


def _payout_line(answer: pb.PayoutsResponse.Line) -> PayoutLine:
    return PayoutLine(
        kind=answer.kind,
        reference=answer.reference,
        payment_id=answer.payment_id,
        agent_id=answer.agent_id,
        gross=_money(answer.gross),
        fee=_money(answer.fee),
        net=_money(answer.net),
        at=moment_of(answer.at),
        words=answer.words,
        mismatch=answer.mismatch,
    )


def _money(answer: common.Money) -> Money:
    return Money(minor=answer.minor, currency=answer.currency)
