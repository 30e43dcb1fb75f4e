"""The portal's way to the vault: open a slot, hand over what the secure frame sealed. Nothing else."""

from datetime import datetime
from typing import Final

import grpc

from chassis.rpc import Caller
from chassis.timestamps import moment_of
from protos.wayvault.vault.v1 import vault_pb2, vault_pb2_grpc
from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest
from services.portal.payments.intake import Intake, StoredCard

# A person waits for the page.
_OPEN_SECONDS: Final = 3.0


class VaultIntake:
    """CardIntakePort and CvvIntakePort over gRPC with the portal's certificate. The channel opens at the first call."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._caller = Caller(channel)
        self._stub = vault_pb2_grpc.CardIntakeStub(channel)

    def open_intake(self, *, idempotency_key: str, request: PaymentRequest, origin: Origin) -> Intake:
        wanted = _slot_for(request, idempotency_key, origin)
        wanted.kind, wanted.card_retention_days = vault_pb2.INTAKE_KIND_CARD, request.card_retention_days
        answer = self._open(wanted)
        return Intake(intake_id=answer.intake_id, expires_at=moment_of(answer.expires_at))

    def open_cvv_intake(self, *, idempotency_key: str, request: PaymentRequest, card_token: str, origin: Origin) -> str:
        wanted = _slot_for(request, idempotency_key, origin)
        wanted.kind, wanted.card_token = vault_pb2.INTAKE_KIND_CVV, card_token
        # The card's own time is not touched; the vault wants the field within its bounds.
        wanted.card_retention_days = 1
        return str(self._open(wanted).intake_id)

    def store_card(self, *, idempotency_key: str, intake_id: str, sealed_card: str, origin: Origin) -> StoredCard:
        answer = self._caller.call(
            self._stub.StoreCard,
            vault_pb2.StoreCardRequest(
                idempotency_key=idempotency_key,
                intake_id=intake_id,
                sealed_card=sealed_card,
                origin=origin.to_proto(),
            ),
        )
        cvv = moment_of(answer.cvv_kept_until) if answer.HasField("cvv_kept_until") else None
        return StoredCard(
            card_token=answer.card_token,
            brand=answer.brand,
            last4=answer.last4,
            cardholder_name=answer.cardholder_name,
            card_kept_until=moment_of(answer.card_kept_until),
            cvv_kept_until=cvv,
        )

    def replace_cvv(self, *, idempotency_key: str, intake_id: str, sealed_cvv: str, origin: Origin) -> datetime:
        answer = self._caller.call(
            self._stub.ReplaceCvv,
            vault_pb2.ReplaceCvvRequest(
                idempotency_key=idempotency_key, intake_id=intake_id, sealed_cvv=sealed_cvv, origin=origin.to_proto()
            ),
        )
        return moment_of(answer.cvv_kept_until)

    def _open(self, wanted: vault_pb2.OpenIntakeRequest) -> vault_pb2.OpenIntakeResponse:
        return self._caller.call(self._stub.OpenIntake, wanted, timeout=_OPEN_SECONDS)


def _slot_for(request: PaymentRequest, idempotency_key: str, origin: Origin) -> vault_pb2.OpenIntakeRequest:
    """What slots of both kinds are told of the payment."""
    return vault_pb2.OpenIntakeRequest(
        idempotency_key=idempotency_key,
        agency_id=request.agency_id,
        payment_id=request.payment_id,
        owner_agent_id=request.agent_id,
        cvv_retention_hours=request.cvv_retention_hours,
        origin=origin.to_proto(),
    )
