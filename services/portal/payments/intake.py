"""The portal's way to the vault: open a slot, hand over what the secure frame sealed. Nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import grpc

from chassis.rpc import Caller
from chassis.timestamps import moment_of
from protos.wayvault.vault.v1 import vault_pb2, vault_pb2_grpc
from services.portal.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A one-time slot for one payment's card."""

    intake_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCard:
    """What is known of a card outside the vault (PCI DSS 4.0.1, 3.4.1)."""

    card_token: str
    brand: str
    last4: str
    cardholder_name: str
    card_kept_until: datetime
    cvv_kept_until: datetime | None


class CardIntakePort(Protocol):
    """The vault's CardIntake service. Every method raises the refusals of chassis.errors."""

    def open_intake(
        self,
        *,
        idempotency_key: str,
        agency_id: str,
        payment_id: str,
        owner_agent_id: str,
        card_retention_days: int,
        cvv_retention_hours: int,
        origin: Origin,
    ) -> Intake:
        """A new slot for the payment's card, which only `owner_agent_id` will ever see."""
        ...

    def store_card(self, *, idempotency_key: str, intake_id: str, sealed_card: str, origin: Origin) -> StoredCard:
        """Stores the sealed card; one of the same payment is replaced. The same key again: the same answer.

        Raises CardInvalid (with `field`), IntakeExpired, IntakeUsed, SealBroken, Unavailable, …
        """
        ...


class GrpcCardIntake:
    """CardIntakePort over gRPC with the portal's certificate. The channel opens at the first call."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._caller = Caller(channel)
        self._stub = vault_pb2_grpc.CardIntakeStub(channel)

    def open_intake(
        self,
        *,
        idempotency_key: str,
        agency_id: str,
        payment_id: str,
        owner_agent_id: str,
        card_retention_days: int,
        cvv_retention_hours: int,
        origin: Origin,
    ) -> Intake:
        answer = self._caller.call(
            self._stub.OpenIntake,
            vault_pb2.OpenIntakeRequest(
                idempotency_key=idempotency_key,
                agency_id=agency_id,
                payment_id=payment_id,
                owner_agent_id=owner_agent_id,
                kind=vault_pb2.INTAKE_KIND_CARD,
                card_retention_days=card_retention_days,
                cvv_retention_hours=cvv_retention_hours,
                origin=origin.to_proto(),
            ),
            timeout=3.0,
        )
        return Intake(intake_id=answer.intake_id, expires_at=moment_of(answer.expires_at))

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
