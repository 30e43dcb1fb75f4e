"""VaultAdmin on the wire: parses, calls the rooms' services, renders. Caller: the operator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc

from chassis.errors import InvalidArgument
from chassis.rpc.calls import current_call
from chassis.rpc.fields import identifier, one_line
from chassis.rpc.idempotency import CallKey, Idempotency
from chassis.timestamps import stamp
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.agents.service import AgentRegister
from services.vault.audit.service import Audit, VerifyReport
from services.vault.keys.service import KeyService, Progress
from services.vault.sealing_keys.service import SealingKeys
from services.vault.transit.service import KeyInfo, KeyName

# A report holds this many findings at most: the first ones tell where to look, and a message has its limit.
_MAX_FINDINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminServices:
    """What the face calls. `purge` is the sweep: it removes what is past its time and counts it."""

    agents: AgentRegister
    keys: KeyService
    sealing_keys: SealingKeys
    audit: Audit
    purge: Callable[[], pb.PurgeExpiredResponse]
    idempotency: Idempotency


class VaultAdminRpc(vault_pb2_grpc.VaultAdminServicer):
    """See vault.proto."""

    def __init__(self, services: AdminServices) -> None:
        self._services = services

    def EnrollAgent(self, request: pb.EnrollAgentRequest, context: grpc.ServicerContext) -> pb.EnrollAgentResponse:
        key = CallKey.of(request.idempotency_key, request)
        agent_id = identifier(request.agent_id, "agent_id")
        agency_id = identifier(request.agency_id, "agency_id")
        name = one_line(request.display_name, "display_name", longest=120, required=True)
        return self._services.idempotency.once(
            key,
            pb.EnrollAgentResponse,
            lambda session: pb.EnrollAgentResponse(
                enrolled_at=stamp(
                    self._services.agents.enrol(
                        session,
                        agent_id=agent_id,
                        agency_id=agency_id,
                        display_name=name,
                        email=request.email,
                        actor=current_call().caller,
                    )
                )
            ),
        )

    def ChangeAgentEmail(
        self, request: pb.ChangeAgentEmailRequest, context: grpc.ServicerContext
    ) -> pb.ChangeAgentEmailResponse:
        key = CallKey.of(request.idempotency_key, request)
        agent_id = identifier(request.agent_id, "agent_id")
        return self._services.idempotency.once(
            key,
            pb.ChangeAgentEmailResponse,
            lambda session: pb.ChangeAgentEmailResponse(
                changed_at=stamp(
                    self._services.agents.change_email(
                        session, agent_id=agent_id, email=request.email, actor=current_call().caller
                    )
                )
            ),
        )

    def SetApprover(self, request: pb.SetApproverRequest, context: grpc.ServicerContext) -> pb.SetApproverResponse:
        key = CallKey.of(request.idempotency_key, request)
        agent_id = identifier(request.agent_id, "agent_id")
        return self._services.idempotency.once(
            key,
            pb.SetApproverResponse,
            lambda session: pb.SetApproverResponse(
                changed_at=stamp(
                    self._services.agents.set_approver(
                        session, agent_id=agent_id, approver=request.approver, actor=current_call().caller
                    )
                )
            ),
        )

    def RotateKeys(self, request: pb.RotateKeysRequest, context: grpc.ServicerContext) -> pb.RotateKeysResponse:
        """Rotating `sealing` also starts a new sealing key pair, which browsers seal to from now on."""
        key = CallKey.of(request.idempotency_key, request)
        keys = _key_names(request)
        if (kept := self._services.idempotency.recall(key, pb.RotateKeysResponse)) is not None:
            return kept
        # Outside of a transaction, because a key can't be unmade. The same call that comes while this one is at work,
        # or after it broke off, rotates once more, which harms nothing and is audited.
        infos = self._services.keys.rotate(keys, actor=current_call().caller)
        if KeyName.SEALING in keys:
            self._services.sealing_keys.replace()
        answer = pb.RotateKeysResponse(versions=[_version(info) for info in infos])
        return self._services.idempotency.once(key, pb.RotateKeysResponse, lambda _: answer)

    def Rewrap(self, request: pb.RewrapRequest, context: grpc.ServicerContext) -> Iterator[pb.RewrapProgress]:
        for progress in self._services.keys.rewrap(trim=request.trim, actor=current_call().caller):
            yield _progress(progress)

    def PurgeExpired(self, request: pb.PurgeExpiredRequest, context: grpc.ServicerContext) -> pb.PurgeExpiredResponse:
        return self._services.purge()

    def VerifyAudit(self, request: pb.VerifyAuditRequest, context: grpc.ServicerContext) -> pb.VerifyAuditResponse:
        return _report(self._services.audit.verify())


def _key_names(request: pb.RotateKeysRequest) -> list[KeyName]:
    try:
        return list(dict.fromkeys(KeyName(name) for name in request.keys)) or list(KeyName)
    except ValueError:
        # `from None`: the cause quotes what was sent.
        raise InvalidArgument("The keys are card, cvv and sealing.", field="keys") from None


def _version(info: KeyInfo) -> pb.KeyVersion:
    return pb.KeyVersion(
        key=info.key,
        latest_version=info.latest_version,
        min_decryption_version=info.min_decryption_version,
    )


def _progress(progress: Progress) -> pb.RewrapProgress:
    return pb.RewrapProgress(
        done=progress.done,
        total=progress.total,
        finished=progress.finished,
        card_key=_version(progress.card_key),
    )


def _report(report: VerifyReport) -> pb.VerifyAuditResponse:
    return pb.VerifyAuditResponse(
        chains=report.chains,
        rows=report.rows,
        heads=report.heads,
        findings=[
            pb.AuditFinding(chain_id=finding.chain_id, sequence=finding.sequence, problem=finding.problem)
            for finding in report.findings[:_MAX_FINDINGS]
        ],
    )
