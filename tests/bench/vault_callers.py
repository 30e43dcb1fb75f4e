"""What a caller of the vault does: portal, frame, CRM and notifier of one payment in one thread."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import grpc
import uuid6

from chassis.clock import SystemClock
from chassis.ids import new_id
from chassis.rpc import Caller, TlsFiles, open_channel
from chassis.sealing import LetterReader
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc as rpc
from tests.support.vault_kit import Frame

AGENCY, AGENT = "agency_bench", "agent_bench"
SERVER_NAME = "vault.wayvault.internal"
_ORIGIN = Origin(ip="203.0.113.7", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36")
_TIMEOUT = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultCallers:
    """Makes callers of a vault: `state` holds certificates and letter keys as `deploy.dev.certificates` makes them."""

    address: str
    state: Path

    def __call__(self, number: int) -> "VaultCaller":
        return VaultCaller(self.address, self.state)


class VaultCaller:
    """Jobs: `store` (StoreCard) and `reveal` (RequestReveal, open the letter, ConfirmReveal), one connection each."""

    def __init__(self, address: str, state: Path) -> None:
        certs = state / "certs"

        def channel(identity: str) -> grpc.Channel:
            files = TlsFiles(ca=certs / "ca.pem", cert=certs / f"{identity}.pem", key=certs / f"{identity}.key")
            return open_channel(address, files, SERVER_NAME)

        portal, crm = channel("portal"), channel("crm")
        self._portal, self._intake = Caller(portal), rpc.CardIntakeStub(portal)
        self._crm, self._reveal = Caller(crm), rpc.CardRevealStub(crm)
        with channel("frame") as frame:
            asked = Caller(frame).call(rpc.CardFrameStub(frame).GetSealingKey, pb.GetSealingKeyRequest(), _TIMEOUT)
        self._jwk = asked.public_jwk
        secrets = state / "secrets"
        signers = {"vault": secrets / "public" / "vault_signing.jwk"}
        self._letters = LetterReader(secrets / "notifier" / "letters.jwk", signers)
        self._clock = SystemClock()
        self._sealed: deque[pb.StoreCardRequest] = deque()
        self._cards: deque[tuple[Frame, str]] = deque()

    def prepare(self, job: str, count: int) -> None:
        """For `store`: opens slots and seals cards. For `reveal`: stores cards too, and makes each frame's key."""
        if job == "store":
            self._sealed.extend(self._ready_to_store() for _ in range(count))
        else:
            self._cards.extend(
                (Frame(sealing_jwk=self._jwk), self._store(self._ready_to_store())) for _ in range(count)
            )

    def step(self, job: str) -> None:
        if job == "store":
            self._store(self._sealed.popleft())
        else:
            self._show(*self._cards.popleft())

    def close(self) -> None:
        self._portal.close()
        self._crm.close()

    def _ready_to_store(self) -> pb.StoreCardRequest:
        opened = self._portal.call(
            self._intake.OpenIntake,
            pb.OpenIntakeRequest(
                idempotency_key=str(uuid6.uuid7()),
                agency_id=AGENCY,
                payment_id=new_id("payment"),
                owner_agent_id=AGENT,
                kind=pb.INTAKE_KIND_CARD,
                card_retention_days=30,
                cvv_retention_hours=72,
                origin=_ORIGIN,
            ),
            _TIMEOUT,
        )
        sealed = Frame(sealing_jwk=self._jwk).card(opened.intake_id)
        return pb.StoreCardRequest(
            idempotency_key=str(uuid6.uuid7()), intake_id=opened.intake_id, sealed_card=sealed, origin=_ORIGIN
        )

    def _store(self, request: pb.StoreCardRequest) -> str:
        token: str = self._portal.call(self._intake.StoreCard, request, _TIMEOUT).card_token
        return token

    def _show(self, frame: Frame, token: str) -> None:
        request = pb.RequestRevealRequest(
            idempotency_key=str(uuid6.uuid7()),
            card_token=token,
            agent_id=AGENT,
            purpose="Supplier on the line",
            origin=_ORIGIN,
        )
        asked = self._crm.call(self._reveal.RequestReveal, request, _TIMEOUT)
        code = self._letters.open(asked.sealed_mail, self._clock.now()).letter.data["code"]
        confirm = pb.ConfirmRevealRequest(
            agent_id=AGENT, sealed_request=frame.reveal(asked.challenge_id, code), origin=_ORIGIN
        )
        answer = self._crm.call(self._reveal.ConfirmReveal, confirm, _TIMEOUT)
        if frame.opened(answer.sealed_answer, "wv-card+jwe")["name"] != "Grace Hopper":
            raise ValueError("another card was shown")
