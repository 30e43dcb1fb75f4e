"""The vault port over gRPC (mTLS by chassis.rpc). Maps messages to values and back, and decides nothing."""

from datetime import datetime
from typing import Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.rpc import Caller
from chassis.timestamps import moment_of
from protos.wayvault.common.v1 import common_pb2 as common
from protos.wayvault.vault.v1 import vault_pb2 as vault
from protos.wayvault.vault.v1.vault_pb2_grpc import (
    AgentRegisterStub,
    CardCustodyStub,
    CardRevealStub,
    SecondRevealStub,
)
from services.crm.core.ports.vault import (
    AccessEntry,
    Answer,
    Approval,
    CardDescription,
    CardState,
    Challenge,
    CvvLinkMail,
    CvvState,
    EnrolledAgent,
    Origin,
    Removal,
    SecondRevealAsked,
    StoredCard,
)

# Seconds an agent waits before they read that the vault can't be reached.
_TIMEOUT: Final = 5.0
# The payment area is shown without the vault's news rather than late.
_READ_TIMEOUT: Final = 2.0

_CARD_STATES: Final = {
    vault.CARD_STATE_STORED: CardState.STORED,
    vault.CARD_STATE_REVEALED: CardState.REVEALED,
    vault.CARD_STATE_REMOVED: CardState.REMOVED,
    vault.CARD_STATE_LAPSED: CardState.LAPSED,
}
_CVV_STATES: Final = {
    vault.CVV_STATE_UNSPECIFIED: CvvState.NONE,
    vault.CVV_STATE_NONE: CvvState.NONE,
    vault.CVV_STATE_HELD: CvvState.HELD,
    vault.CVV_STATE_LINKED: CvvState.LINKED,
    vault.CVV_STATE_SHOWN: CvvState.SHOWN,
    vault.CVV_STATE_PURGED: CvvState.PURGED,
}
_REASONS: Final = {
    Removal.PROCESSED: vault.REMOVAL_REASON_PROCESSED,
    Removal.VOIDED: vault.REMOVAL_REASON_VOIDED,
    Removal.BY_HAND: vault.REMOVAL_REASON_BY_HAND,
}


class GrpcVault:
    """Implements this room's VaultPort. The channel opens at the first call of each process."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._caller = Caller(channel)
        self._reveal = CardRevealStub(channel)
        self._second = SecondRevealStub(channel)
        self._custody = CardCustodyStub(channel)
        self._register = AgentRegisterStub(channel)

    def enrolled(self, agency_id: str) -> list[EnrolledAgent]:
        request = vault.ListEnrolledRequest(agency_id=agency_id)
        answer = self._caller.call(self._register.ListEnrolled, request, timeout=_READ_TIMEOUT)
        return [
            EnrolledAgent(agent_id=agent.agent_id, address_hint=agent.address_hint, approver=agent.approver)
            for agent in answer.agents
        ]

    def request_reveal(
        self, *, idempotency_key: str, card_token: str, agent_id: str, purpose: str, origin: Origin
    ) -> Challenge:
        request = vault.RequestRevealRequest(
            idempotency_key=idempotency_key,
            card_token=card_token,
            agent_id=agent_id,
            purpose=purpose,
            origin=_origin(origin),
        )
        return _challenge(self._caller.call(self._reveal.RequestReveal, request, timeout=_TIMEOUT))

    def confirm_reveal(self, *, agent_id: str, sealed_request: str, origin: Origin) -> Answer:
        request = vault.ConfirmRevealRequest(agent_id=agent_id, sealed_request=sealed_request, origin=_origin(origin))
        answer = self._caller.call(self._reveal.ConfirmReveal, request, timeout=_TIMEOUT)
        return Answer(
            sealed_answer=answer.sealed_answer, at=moment_of(answer.revealed_at), card_token=answer.card_token
        )

    def request_cvv(self, *, idempotency_key: str, card_token: str, agent_id: str, origin: Origin) -> Challenge:
        request = vault.RequestCvvRequest(
            idempotency_key=idempotency_key, card_token=card_token, agent_id=agent_id, origin=_origin(origin)
        )
        return _challenge(self._caller.call(self._reveal.RequestCvv, request, timeout=_TIMEOUT))

    def confirm_cvv(self, *, agent_id: str, sealed_request: str, origin: Origin) -> CvvLinkMail:
        request = vault.ConfirmCvvRequest(agent_id=agent_id, sealed_request=sealed_request, origin=_origin(origin))
        answer = self._caller.call(self._reveal.ConfirmCvv, request, timeout=_TIMEOUT)
        return CvvLinkMail(
            sealed_mail=answer.sealed_mail,
            expires_at=moment_of(answer.link_expires_at),
            address_hint=answer.address_hint,
            card_token=answer.card_token,
        )

    def redeem_cvv_link(self, *, agent_id: str, sealed_request: str, origin: Origin) -> Answer:
        request = vault.RedeemCvvLinkRequest(agent_id=agent_id, sealed_request=sealed_request, origin=_origin(origin))
        answer = self._caller.call(self._reveal.RedeemCvvLink, request, timeout=_TIMEOUT)
        return Answer(sealed_answer=answer.sealed_answer, at=moment_of(answer.shown_at), card_token=answer.card_token)

    def request_second_reveal(
        self, *, idempotency_key: str, card_token: str, agent_id: str, reason: str, origin: Origin
    ) -> SecondRevealAsked:
        request = vault.RequestSecondRevealRequest(
            idempotency_key=idempotency_key,
            card_token=card_token,
            agent_id=agent_id,
            reason=reason,
            origin=_origin(origin),
        )
        answer = self._caller.call(self._second.RequestSecondReveal, request, timeout=_TIMEOUT)
        return SecondRevealAsked(id=answer.second_reveal_id, expires_at=moment_of(answer.expires_at))

    def request_approval(
        self, *, idempotency_key: str, second_reveal_id: str, approver_id: str, origin: Origin
    ) -> Challenge:
        request = vault.RequestApprovalRequest(
            idempotency_key=idempotency_key,
            second_reveal_id=second_reveal_id,
            approver_id=approver_id,
            origin=_origin(origin),
        )
        return _challenge(self._caller.call(self._second.RequestApproval, request, timeout=_TIMEOUT))

    def confirm_approval(self, *, approver_id: str, sealed_request: str, origin: Origin) -> Approval:
        request = vault.ConfirmApprovalRequest(
            approver_id=approver_id, sealed_request=sealed_request, origin=_origin(origin)
        )
        answer = self._caller.call(self._second.ConfirmApproval, request, timeout=_TIMEOUT)
        return Approval(second_reveal_id=answer.second_reveal_id, good_until=moment_of(answer.good_until))

    def refuse_second_reveal(
        self, *, idempotency_key: str, second_reveal_id: str, approver_id: str, word: str, origin: Origin
    ) -> datetime:
        request = vault.RefuseSecondRevealRequest(
            idempotency_key=idempotency_key,
            second_reveal_id=second_reveal_id,
            approver_id=approver_id,
            word=word,
            origin=_origin(origin),
        )
        return moment_of(self._caller.call(self._second.RefuseSecondReveal, request, timeout=_TIMEOUT).refused_at)

    def describe_card(self, *, card_token: str, agent_id: str) -> CardDescription:
        request = vault.DescribeCardRequest(card_token=card_token, agent_id=agent_id)
        card = self._caller.call(self._custody.DescribeCard, request, timeout=_READ_TIMEOUT)
        return CardDescription(
            state=_CARD_STATES[card.state],
            cvv_state=_CVV_STATES[card.cvv_state],
            card_kept_until=_maybe(card.HasField("card_kept_until"), card.card_kept_until),
            cvv_kept_until=_maybe(card.HasField("cvv_kept_until"), card.cvv_kept_until),
            revealed_at=_maybe(card.HasField("revealed_at"), card.revealed_at),
            cvv_shown_at=_maybe(card.HasField("cvv_shown_at"), card.cvv_shown_at),
            removed_at=_maybe(card.HasField("removed_at"), card.removed_at),
        )

    def find_keyed_card(self, *, phone_session_id: str, agent_id: str) -> StoredCard | None:
        request = vault.FindKeyedCardRequest(phone_session_id=phone_session_id, agent_id=agent_id)
        card = self._caller.call(self._custody.FindKeyedCard, request, timeout=_READ_TIMEOUT)
        if not card.card_token:
            return None
        return StoredCard(
            token=card.card_token,
            brand=card.brand,
            last4=card.last4,
            kept_until=moment_of(card.card_kept_until),
            cvv_kept_until=_maybe(card.HasField("cvv_kept_until"), card.cvv_kept_until),
        )

    def list_access(self, *, card_token: str, agent_id: str) -> list[AccessEntry]:
        request = vault.ListAccessRequest(card_token=card_token, agent_id=agent_id)
        answer = self._caller.call(self._custody.ListAccess, request, timeout=_READ_TIMEOUT)
        return [
            AccessEntry(
                at=moment_of(entry.at),
                action=entry.action,
                ok=entry.result == "ok",
                actor=entry.actor,
                reason=entry.reason,
                origin=Origin(ip=entry.origin.ip, user_agent=entry.origin.user_agent),
            )
            for entry in answer.entries
        ]

    def remove_card(
        self, *, idempotency_key: str, card_token: str, agent_id: str, reason: Removal, origin: Origin
    ) -> datetime:
        request = vault.RemoveCardRequest(
            idempotency_key=idempotency_key,
            card_token=card_token,
            agent_id=agent_id,
            reason=_REASONS[reason],
            origin=_origin(origin),
        )
        return moment_of(self._caller.call(self._custody.RemoveCard, request, timeout=_TIMEOUT).removed_at)


def _origin(origin: Origin) -> common.Origin:
    return common.Origin(ip=origin.ip, user_agent=origin.user_agent)


def _challenge(answer: vault.ChallengeResponse) -> Challenge:
    return Challenge(
        challenge_id=answer.challenge_id,
        sealed_mail=answer.sealed_mail,
        expires_at=moment_of(answer.expires_at),
        address_hint=answer.address_hint,
    )


def _maybe(present: bool, sent: Timestamp) -> datetime | None:
    return moment_of(sent) if present else None
