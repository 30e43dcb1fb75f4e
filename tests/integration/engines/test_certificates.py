"""The engines show renewed certificates while they run, and what is connected stays so (O5)."""

import socket
import ssl
import time
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography import x509
from psycopg import sql

from deploy.dev import certificates
from deploy.dev.engines.__main__ import main
from deploy.dev.engines.hcvault import HcVault
from deploy.dev.state import State
from tests.support import engines

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]
# When PostgreSQL's client asks for TLS (protocol 3.0, SSLRequest).
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
_PATIENCE_SECONDS = 30.0


def serial_shown(port: int, *, postgres: bool = False) -> int:
    """Of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=str(engines.settings()["WAYVAULT_CA"]))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        if postgres:
            plain.sendall(_SSL_REQUEST)
            assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def serial_of(state: State, identity: str) -> int:
    return x509.load_pem_x509_certificate((state.certs / f"{identity}.pem").read_bytes()).serial_number


@pytest.mark.parametrize("engine", ["postgres", "rabbitmq", "hcvault"])
def test_a_running_engine_shows_its_renewed_certificate(engine: str) -> None:
    engines.postgres_admin_url()
    state = State.from_environment()
    given = engines.settings()
    addresses = {
        "postgres": given["WAYVAULT_POSTGRES_ADMIN_URL"],
        "rabbitmq": f"//{given['WAYVAULT_RABBIT_AMQP']}",
        "hcvault": given["WAYVAULT_HCVAULT_ADDRESS"],
    }
    port = urlsplit(addresses[engine]).port
    assert port is not None
    with psycopg.connect(engines.postgres_admin_url(), autocommit=True) as connected:
        before = serial_shown(port, postgres=engine == "postgres")
        certificates.ensure(state, rotate=engine)
        assert serial_of(state, engine) != before

        assert main(["reload", engine]) == 0

        ends = time.monotonic() + _PATIENCE_SECONDS
        while serial_shown(port, postgres=engine == "postgres") != serial_of(state, engine):
            assert time.monotonic() < ends, "it still shows the old one"
            time.sleep(0.1)
        assert connected.execute(sql.SQL("SELECT 1")).fetchone() == (1,)


def test_an_engine_that_does_not_run_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    engines.postgres_admin_url()
    state = State(root=tmp_path_factory.mktemp("none"), ports=State.from_environment().ports)
    certificates.ensure(state)
    assert HcVault(state).reload() is False
