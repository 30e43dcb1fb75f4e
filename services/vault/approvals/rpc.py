"""SecondReveal on the wire: parses, calls the services, renders. Caller: the CRM."""

from typing import Protocol

import grpc

from chassis.cards.detector import holds_card
from chassis.errors import InvalidArgument
from chassis.rpc.fields import identifier, one_line
from chassis.rpc.idempotency import CallKey
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.approvals.service import SecondRevealService

_LONGEST = 200


class Approving(Protocol):
    """Approving takes a code; the reveal room, where codes live, does it."""

    def send_code(self, second_id: str, *, approver_id: str, origin: Origin, key: CallKey) -> pb.ChallengeResponse:
        """Mails the approver their code."""
        ...

    def confirm(self, sealed: str, *, approver_id: str, origin: Origin) -> pb.ConfirmApprovalResponse:
        """Turns a right code into an approval."""
        ...


class SecondRevealRpc(vault_pb2_grpc.SecondRevealServicer):
    """See vault.proto."""

    def __init__(self, service: SecondRevealService, approving: Approving) -> None:
        self._service = service
        self._approving = approving

    def RequestSecondReveal(
        self, request: pb.RequestSecondRevealRequest, context: grpc.ServicerContext
    ) -> pb.RequestSecondRevealResponse:
        return self._service.request(
            identifier(request.card_token, "card_token"),
            agent_id=identifier(request.agent_id, "agent_id"),
            reason=_words(request.reason, "reason", required=True),
            origin=request.origin,
            key=CallKey.of(request.idempotency_key, request),
        )

    def RequestApproval(
        self, request: pb.RequestApprovalRequest, context: grpc.ServicerContext
    ) -> pb.ChallengeResponse:
        return self._approving.send_code(
            identifier(request.second_reveal_id, "second_reveal_id"),
            approver_id=identifier(request.approver_id, "approver_id"),
            origin=request.origin,
            key=CallKey.of(request.idempotency_key, request),
        )

    def ConfirmApproval(
        self, request: pb.ConfirmApprovalRequest, context: grpc.ServicerContext
    ) -> pb.ConfirmApprovalResponse:
        if not request.sealed_request:
            raise InvalidArgument("The sealed request is missing.", field="sealed_request")
        return self._approving.confirm(
            request.sealed_request,
            approver_id=identifier(request.approver_id, "approver_id"),
            origin=request.origin,
        )

    def RefuseSecondReveal(
        self, request: pb.RefuseSecondRevealRequest, context: grpc.ServicerContext
    ) -> pb.RefuseSecondRevealResponse:
        return self._service.refuse(
            identifier(request.second_reveal_id, "second_reveal_id"),
            approver_id=identifier(request.approver_id, "approver_id"),
            word=_words(request.word, "word", required=False),
            origin=request.origin,
            key=CallKey.of(request.idempotency_key, request),
        )


def _words(text: str, field: str, *, required: bool) -> str:
    words = one_line(text, field, longest=_LONGEST, required=required)
    if holds_card(words):
        raise InvalidArgument(f"The {field} must not hold a card number.", field=field)
    return words
