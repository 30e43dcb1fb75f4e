"""The vault's gRPC server: the faces of its rooms, and who may call them."""

import threading

import structlog
from sqlalchemy import select

from chassis.health import serve_status
from chassis.lifecycle import every, run_until_stopped
from chassis.rpc import RpcServer, TlsFiles, make_server
from chassis.rpc.server import Service
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.admin.rpc import AdminServices, VaultAdminRpc
from services.vault.agents.rpc import AgentRegisterRpc
from services.vault.approvals.rpc import SecondRevealRpc
from services.vault.audit.service import AuditEntry
from services.vault.audit_reader.rpc import AuditReaderRpc
from services.vault.authz import ALLOW
from services.vault.custody.rpc import CardCustodyRpc
from services.vault.health import readiness
from services.vault.intake.rpc import CardIntakeRpc
from services.vault.parts import Dependencies
from services.vault.phone_trail.rpc import PhoneTrailRpc
from services.vault.reveal.rpc import CardRevealRpc
from services.vault.sealing_keys.rpc import CardFrameRpc


def services(deps: Dependencies) -> list[Service]:
    """The rooms' faces."""
    admin = AdminServices(
        agents=deps.agents,
        keys=deps.keys,
        sealing_keys=deps.sealing_keys,
        audit=deps.core.audit,
        purge=deps.sweep.run,
        idempotency=deps.idempotency,
    )
    return [
        (vault_pb2_grpc.add_CardIntakeServicer_to_server, CardIntakeRpc(deps.intake)),
        (vault_pb2_grpc.add_CardRevealServicer_to_server, CardRevealRpc(deps.reveal)),
        (vault_pb2_grpc.add_SecondRevealServicer_to_server, SecondRevealRpc(deps.seconds, deps.approving)),
        (vault_pb2_grpc.add_CardCustodyServicer_to_server, CardCustodyRpc(deps.custody)),
        (vault_pb2_grpc.add_AuditReaderServicer_to_server, AuditReaderRpc(deps.reading)),
        (vault_pb2_grpc.add_AgentRegisterServicer_to_server, AgentRegisterRpc(deps.core.database)),
        (vault_pb2_grpc.add_VaultAdminServicer_to_server, VaultAdminRpc(admin)),
        (vault_pb2_grpc.add_CardFrameServicer_to_server, CardFrameRpc(deps.sealing_keys)),
        (
            vault_pb2_grpc.add_PhoneTrailServicer_to_server,
            PhoneTrailRpc(deps.core.database, deps.core.audit, deps.idempotency),
        ),
    ]


def open_server(deps: Dependencies, address: str, tls: TlsFiles, *, workers: int) -> RpcServer:
    """The vault's gRPC server. Raises AllowListError when the table and the services do not match."""

    def on_denied(method: str, identity: str) -> None:
        entry = AuditEntry(
            action="call.denied", result="refused", actor=identity, resource=method, reason="PERMISSION_DENIED"
        )
        with deps.core.database.transaction() as session:
            deps.core.audit.record(session, entry)

    def ready() -> bool:
        deps.core.transit.health.check()
        with deps.core.database.read() as session:
            session.execute(select(1))
        return True

    return make_server(address, tls, ALLOW, services(deps), max_workers=workers, on_denied=on_denied, ready=ready)


def run(deps: Dependencies, address: str, tls: TlsFiles, *, workers: int, metrics: str, stop: threading.Event) -> None:
    """Answers on the shared port until it is told to stop, when it sets `stop`; any number may run side by side."""
    server = open_server(deps, address, tls, workers=workers)
    serve_status(metrics, readiness(deps), processes=2)
    structlog.get_logger("vault").info("vault.serving", listen=address)
    try:
        # Before transit answers, calls that need it are told to try again; nothing else has to wait for it.
        run_until_stopped([("rpc", server.run), ("audit_key", every(60, deps.core.audit.prepare, "audit_key"))])
    finally:
        stop.set()
        deps.close()
