"""CardIntake on the wire: parses, calls the service, renders. Callers: the portal, the masker."""

import grpc

from chassis.errors import InvalidArgument
from chassis.rpc import current_call
from chassis.rpc.fields import identifier, whole_number
from chassis.rpc.idempotency import CallKey
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.custody.service import MAX_CARD_DAYS, MAX_CVV_HOURS, Retention
from services.vault.intake.rules import IntakeKind
from services.vault.intake.service import IntakeService, NewIntake, Submission

_KINDS = {pb.INTAKE_KIND_CARD: IntakeKind.CARD, pb.INTAKE_KIND_CVV: IntakeKind.CVV}


class CardIntakeRpc(vault_pb2_grpc.CardIntakeServicer):
    """See vault.proto."""

    def __init__(self, service: IntakeService) -> None:
        self._service = service

    def OpenIntake(self, request: pb.OpenIntakeRequest, context: grpc.ServicerContext) -> pb.OpenIntakeResponse:
        key = CallKey.of(request.idempotency_key, request)
        kind = _KINDS.get(request.kind)
        if kind is None:
            raise InvalidArgument("kind says what the form takes: a card, or a CVV.", field="kind")
        cvv = kind is IntakeKind.CVV
        if request.card_token and not cvv:
            raise InvalidArgument("A form for a card names no stored card.", field="card_token")
        return self._service.open(
            NewIntake(
                kind=kind,
                agency_id=identifier(request.agency_id, "agency_id"),
                payment_id=identifier(request.payment_id, "payment_id"),
                owner_agent_id=identifier(request.owner_agent_id, "owner_agent_id"),
                card_token=identifier(request.card_token, "card_token") if cvv else "",
                retention=Retention(
                    card_days=0
                    if cvv
                    else whole_number(request.card_retention_days, "card_retention_days", least=1, most=MAX_CARD_DAYS),
                    cvv_hours=whole_number(
                        request.cvv_retention_hours, "cvv_retention_hours", least=int(cvv), most=MAX_CVV_HOURS
                    ),
                ),
                origin=request.origin,
                keyed_in=_keyed_in(request),
            ),
            key,
        )

    def StoreCard(self, request: pb.StoreCardRequest, context: grpc.ServicerContext) -> pb.StoreCardResponse:
        key = CallKey.of(request.idempotency_key, request)
        return self._service.store_card(_submission(request.intake_id, request.sealed_card, request), key)

    def ReplaceCvv(self, request: pb.ReplaceCvvRequest, context: grpc.ServicerContext) -> pb.ReplaceCvvResponse:
        key = CallKey.of(request.idempotency_key, request)
        return self._service.replace_cvv(_submission(request.intake_id, request.sealed_cvv, request), key)


def _keyed_in(request: pb.OpenIntakeRequest) -> str | None:
    """The phone session. Raises InvalidArgument for any other caller than the masker: only it has sessions."""
    if not request.phone_session_id:
        return None
    if current_call().caller != "phone":
        raise InvalidArgument("Only the masker stores cards of phone sessions.", field="phone_session_id")
    return identifier(request.phone_session_id, "phone_session_id")


def _submission(intake_id: str, sealed: str, request: pb.StoreCardRequest | pb.ReplaceCvvRequest) -> Submission:
    if not sealed:
        raise InvalidArgument("The sealed card is missing.", field="sealed_card")
    return Submission(intake_id=identifier(intake_id, "intake_id"), sealed=sealed, origin=request.origin)
