"""CardReveal on the wire: parses, calls the service, renders. Caller: the CRM."""

import grpc

from chassis.cards.detector import holds_card
from chassis.errors import InvalidArgument
from chassis.rpc.fields import identifier, one_line
from chassis.rpc.idempotency import CallKey
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.reveal.rules import GrantKind
from services.vault.reveal.service import RevealService, SealedRequest


class CardRevealRpc(vault_pb2_grpc.CardRevealServicer):
    """See vault.proto."""

    def __init__(self, service: RevealService) -> None:
        self._service = service

    def RequestReveal(self, request: pb.RequestRevealRequest, context: grpc.ServicerContext) -> pb.ChallengeResponse:
        key = CallKey.of(request.idempotency_key, request)
        purpose = one_line(request.purpose, "purpose", longest=200, required=True)
        if holds_card(purpose):
            raise InvalidArgument("The purpose must not hold a card number.", field="purpose")
        return self._service.request(
            GrantKind.CARD_CODE,
            identifier(request.card_token, "card_token"),
            agent_id=identifier(request.agent_id, "agent_id"),
            purpose=purpose,
            origin=request.origin,
            key=key,
        )

    def ConfirmReveal(
        self, request: pb.ConfirmRevealRequest, context: grpc.ServicerContext
    ) -> pb.ConfirmRevealResponse:
        return self._service.confirm_reveal(_sealed(request))

    def RequestCvv(self, request: pb.RequestCvvRequest, context: grpc.ServicerContext) -> pb.ChallengeResponse:
        return self._service.request(
            GrantKind.CVV_CODE,
            identifier(request.card_token, "card_token"),
            agent_id=identifier(request.agent_id, "agent_id"),
            purpose="",
            origin=request.origin,
            key=CallKey.of(request.idempotency_key, request),
        )

    def ConfirmCvv(self, request: pb.ConfirmCvvRequest, context: grpc.ServicerContext) -> pb.ConfirmCvvResponse:
        return self._service.confirm_cvv(_sealed(request))

    def RedeemCvvLink(
        self, request: pb.RedeemCvvLinkRequest, context: grpc.ServicerContext
    ) -> pb.RedeemCvvLinkResponse:
        return self._service.redeem_cvv_link(_sealed(request))


def _sealed(request: pb.ConfirmRevealRequest | pb.ConfirmCvvRequest | pb.RedeemCvvLinkRequest) -> SealedRequest:
    if not request.sealed_request:
        raise InvalidArgument("The sealed request is missing.", field="sealed_request")
    return SealedRequest(
        agent_id=identifier(request.agent_id, "agent_id"), sealed=request.sealed_request, origin=request.origin
    )
