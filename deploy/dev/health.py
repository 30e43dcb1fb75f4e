"""Whether each process of a stack is well."""

import http.client
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.rpc import TlsFiles
from chassis.rpc.tls import client_credentials
from deploy.dev.programs import Program

_OK = 200
# By command: the name in the server's certificate.
_GRPC = {
    "serve": "vault.wayvault.internal",
    "charging": "charging.wayvault.internal",
    "phone": "phone.wayvault.internal",
}
_PATIENCE_SECONDS = 3.0


def probe_of(program: Program, certs: Path) -> Callable[[], bool]:
    """A question to the process that is true when it answers well; a worker has no way to be asked."""
    if program.port is None:
        return lambda: True
    port = program.port
    if program.command in _GRPC:
        return lambda: _grpc_answers(port, certs, _GRPC[program.command])
    return lambda: _web_answers(port)


def is_settled(record: Mapping[str, object]) -> bool:
    """Whether supervisord calls the program running, which means for longer than its start seconds."""
    return record.get("statename") == "RUNNING"


def has_failed(record: Mapping[str, object]) -> bool:
    """Whether supervisord has given the program up, or it has ended at least once while starting."""
    return record.get("statename") in ("FATAL", "BACKOFF", "EXITED")


def _web_answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _grpc_answers(port: int, certs: Path, name: str) -> bool:
    files = TlsFiles(ca=certs / "ca.pem", cert=certs / "operator.pem", key=certs / "operator.key")
    options = [("grpc.ssl_target_name_override", name)]
    with grpc.secure_channel(f"127.0.0.1:{port}", client_credentials(files), options=options) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=_PATIENCE_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
