"""The room's way to the vault: a slot for the CVV of a stored card, and what the secure frame sealed for it."""

from datetime import datetime
from typing import Protocol

import grpc

from chassis.rpc import Caller
from chassis.timestamps import moment_of
from protos.wayvault.vault.v1 import vault_pb2, vault_pb2_grpc
from services.portal.origin import Origin


class CvvIntakePort(Protocol):
    """The CVV half of the vault's CardIntake. Every method raises the refusals of chassis.errors."""

    def open_cvv_intake(
        self,
        *,
        idempotency_key: str,
        agency_id: str,
        payment_id: str,
        owner_agent_id: str,
        card_token: str,
        cvv_retention_hours: int,
        origin: Origin,
    ) -> str:
        """The id of a one-time slot. Raises CardGone when the card is destroyed."""
        ...

    def replace_cvv(self, *, idempotency_key: str, intake_id: str, sealed_cvv: str, origin: Origin) -> datetime:
        """Stores the sealed CVV; until when it is kept. The same key again: the same answer.

        Raises CardInvalid (with `field`), CardGone, IntakeExpired, IntakeUsed, SealBroken, Unavailable, …
        """
        ...


class GrpcCvvIntake:
    """CvvIntakePort over gRPC with the portal's certificate. The channel opens at the first call."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._caller = Caller(channel)
        self._stub = vault_pb2_grpc.CardIntakeStub(channel)

    def open_cvv_intake(
        self,
        *,
        idempotency_key: str,
        agency_id: str,
        payment_id: str,
        owner_agent_id: str,
        card_token: str,
        cvv_retention_hours: int,
        origin: Origin,
    ) -> str:
        answer = self._caller.call(
            self._stub.OpenIntake,
            vault_pb2.OpenIntakeRequest(
                idempotency_key=idempotency_key,
                agency_id=agency_id,
                payment_id=payment_id,
                owner_agent_id=owner_agent_id,
                kind=vault_pb2.INTAKE_KIND_CVV,
                card_token=card_token,
                # The card's own time is not touched; the vault wants the field within its bounds.
                card_retention_days=1,
                cvv_retention_hours=cvv_retention_hours,
                origin=origin.to_proto(),
            ),
            timeout=3.0,
        )
        return str(answer.intake_id)

    def replace_cvv(self, *, idempotency_key: str, intake_id: str, sealed_cvv: str, origin: Origin) -> datetime:
        answer = self._caller.call(
            self._stub.ReplaceCvv,
            vault_pb2.ReplaceCvvRequest(
                idempotency_key=idempotency_key, intake_id=intake_id, sealed_cvv=sealed_cvv, origin=origin.to_proto()
            ),
        )
        return moment_of(answer.cvv_kept_until)
