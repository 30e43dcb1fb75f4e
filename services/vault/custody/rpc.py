"""CardCustody on the wire: parses, calls the service, renders. Caller: the CRM."""

import grpc

from chassis.errors import InvalidArgument
from chassis.rpc.fields import identifier
from chassis.rpc.idempotency import CallKey
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.custody.service import CustodyService

_REASONS = {
    pb.REMOVAL_REASON_PROCESSED: "PROCESSED",
    pb.REMOVAL_REASON_VOIDED: "VOIDED",
    pb.REMOVAL_REASON_BY_HAND: "BY_HAND",
}


class CardCustodyRpc(vault_pb2_grpc.CardCustodyServicer):
    """See vault.proto."""

    def __init__(self, service: CustodyService) -> None:
        self._service = service

    def DescribeCard(self, request: pb.DescribeCardRequest, context: grpc.ServicerContext) -> pb.DescribeCardResponse:
        return self._service.describe(
            identifier(request.card_token, "card_token"), identifier(request.agent_id, "agent_id")
        )

    def ListAccess(self, request: pb.ListAccessRequest, context: grpc.ServicerContext) -> pb.ListAccessResponse:
        return self._service.accesses(
            identifier(request.card_token, "card_token"), identifier(request.agent_id, "agent_id")
        )

    def FindKeyedCard(
        self, request: pb.FindKeyedCardRequest, context: grpc.ServicerContext
    ) -> pb.FindKeyedCardResponse:
        return self._service.find_keyed(
            identifier(request.phone_session_id, "phone_session_id"), identifier(request.agent_id, "agent_id")
        )

    def RemoveCard(self, request: pb.RemoveCardRequest, context: grpc.ServicerContext) -> pb.RemoveCardResponse:
        key = CallKey.of(request.idempotency_key, request)
        reason = _REASONS.get(request.reason)
        if reason is None:
            raise InvalidArgument("reason says why the card is destroyed.", field="reason")
        return self._service.remove(
            identifier(request.card_token, "card_token"),
            identifier(request.agent_id, "agent_id"),
            reason,
            request.origin,
            key,
        )
