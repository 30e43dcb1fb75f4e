"""A HashiCorp Vault server of our own: raft storage and TLS, initialised and unsealed here, never `-dev`.

The unseal key and the root token stay in `<state>/engines/secrets/hcvault.json` (0600). That suits one developer's
machine; a production Vault is unsealed by its operators or its cloud's key service.
"""

import json
import os
import signal
from dataclasses import dataclass
from typing import Any

import hvac
import hvac.exceptions
import requests

from deploy.dev.engines.build_vault import find_or_build
from deploy.dev.engines.host import (
    EngineFault,
    Host,
    demand_free_port,
    host_of,
    is_running,
    read_pid,
    stop_process,
    wait_until,
)
from deploy.dev.state import Ports, State
from deploy.files import private_directory, write_file

NAME = "HashiCorp Vault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How one server is reached and found. `keys` is the file of its unseal key and root token; `cluster` are the
    addresses of all, of which the first one makes the cluster."""

    port: int
    cluster_port: int
    folder: str = "hcvault"
    certificate: str = "hcvault"
    node_id: str = "development"
    address: str = "127.0.0.1"
    namespace: str | None = None
    keys: str = "hcvault.json"
    cluster: tuple[str, ...] = ()

    @classmethod
    def alone(cls, ports: Ports) -> "Server":
        """The only server of a state directory."""
        return cls(port=ports.hcvault, cluster_port=ports.hcvault_cluster)


class HcVault:
    """Starts, unseals and stops one server; without another given, the only one of a state directory."""

    name = NAME

    def __init__(self, state: State, server: Server | None = None) -> None:
        self._state = state
        self._at = server or Server.alone(state.ports)

    def address(self) -> str:
        return f"https://{self._at.address}:{self._at.port}"

    def audit_log(self) -> str:
        """Where the audit device writes; the bootstrap turns it on."""
        return str(self._host().data / "audit.log")

    def root_token(self) -> str:
        """The root token. Raises EngineFault when the server was never initialised from here."""
        return str(self._keys()["root_token"])

    def client(self) -> hvac.Client:
        """A client without a token that trusts the development authority only."""
        return hvac.Client(url=self.address(), verify=str((self._state.certs / "ca.pem").resolve()), timeout=60)

    def start(self) -> bool:
        """Starts and unseals the server as needed; returns whether it did anything. Raises EngineFault."""
        host = self._host()
        started = False
        if self._pid(host) is None:
            program = find_or_build()
            demand_free_port(self._at.port, NAME, self._at.address)
            configuration = self._configure(host)
            log = host.data / "server.log"
            pid = host.spawn(
                [program, "server", f"-config={configuration}"],
                log=log,
                # Vault would otherwise take these from the environment of whoever starts it.
                environment={"VAULT_DISABLE_TELEMETRY": "1"},
            )
            write_file(host.data / "server.pid", str(pid))
            wait_until(self._listens, what=NAME, seconds=60, log=log, alive=lambda: self._pid(host) is not None)
            started = True
        return self._open() or started

    def stop(self) -> bool:
        """Stops the server; returns whether it ran."""
        host = self._host()
        pid = self._pid(host)
        if pid is None:
            return False
        stop_process(pid, marker=str(host.data), what=NAME)
        (host.data / "server.pid").unlink(missing_ok=True)
        return True

    def reload(self) -> bool:
        """Lets the running server show renewed certificates to new connections; returns whether it runs."""
        host = self._host()
        pid = self._pid(host)
        if pid is None:
            return False
        host.place_certificates(self._state, self._at.certificate)
        os.kill(pid, signal.SIGHUP)
        return True

    def answers(self) -> bool:
        """Whether the server runs, is initialised and unsealed."""
        return self._listens() and not self.client().sys.is_sealed()

    def _listens(self) -> bool:
        try:
            self.client().sys.read_seal_status()
        except (requests.RequestException, hvac.exceptions.VaultError):
            return False
        return True

    def _open(self) -> bool:
        """Initialises and unseals as far as needed; returns whether anything was needed."""
        client = self.client()
        if self._at.cluster and (self._keys_file().exists() or self.address() != self._at.cluster[0]):
            return self._join(client)
        if not client.sys.is_initialized():
            if self._keys_file().exists():
                raise EngineFault(
                    f"{NAME} lost its data but {self._keys_file()} still holds keys for it. "
                    "Remove that file if the data is gone for good, then start again."
                )
            made = client.sys.initialize(secret_shares=1, secret_threshold=1)
            private_directory(self._keys_file().parent)
            write_file(
                self._keys_file(), json.dumps({"unseal_key": made["keys_base64"][0], "root_token": made["root_token"]})
            )
        if not client.sys.is_sealed():
            return False
        client.sys.submit_unseal_key(self._keys()["unseal_key"])
        wait_until(self.is_active, what=f"{NAME} to unseal", seconds=30, log=self._host().data / "server.log")
        return True

    def _join(self, client: hvac.Client) -> bool:
        """Unseals one that joins, or has joined, the others; returns whether it had to.

        The key is taken once the leader was found.
        """
        if not client.sys.is_sealed():
            return False
        wait_until(
            lambda: self._unsealed(client), what=f"{NAME} to join", seconds=60, log=self._host().data / "server.log"
        )
        return True

    def _unsealed(self, client: hvac.Client) -> bool:
        try:
            client.sys.submit_unseal_key(self._keys()["unseal_key"])
            return not client.sys.is_sealed()
        except (requests.RequestException, hvac.exceptions.VaultError):
            return False

    def is_active(self) -> bool:
        """Whether it is unsealed and the one that answers."""
        status = self.client().sys.read_health_status(method="GET")
        body: Any = status.json() if hasattr(status, "json") else status
        return bool(body.get("initialized")) and not body.get("sealed") and not body.get("standby")

    def _keys_file(self) -> Any:
        return self._state.engines / "secrets" / self._at.keys

    def _keys(self) -> dict[str, str]:
        try:
            keys: dict[str, str] = json.loads(self._keys_file().read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise EngineFault(
                f"The unseal key of {NAME} in {self._keys_file()} can't be read. Without it its data is lost: remove "
                f"{self._host().data} and start again; development cards sealed with it are lost too."
            ) from error
        return keys

    def _host(self) -> Host:
        return host_of(self._state, self._at.folder, account=None, namespace=self._at.namespace)

    def _pid(self, host: Host) -> int | None:
        pid = read_pid(host.data / "server.pid")
        return pid if pid is not None and is_running(pid, str(host.data)) else None

    def _configure(self, host: Host) -> str:
        ca, certificate, key = host.place_certificates(self._state, self._at.certificate)
        storage = private_directory(host.data / "storage")
        listener = {
            "address": f"{self._at.address}:{self._at.port}",
            "cluster_address": f"{self._at.address}:{self._at.cluster_port}",
            "tls_cert_file": str(certificate),
            "tls_key_file": str(key),
            "tls_min_version": "tls12",
        }
        configuration = {
            # The `minimal` build holds no file storage.
            "storage": {"raft": {"path": str(storage), "node_id": self._at.node_id, **self._joining(str(ca))}},
            "listener": {"tcp": listener},
            "api_addr": self.address(),
            "cluster_addr": f"https://{self._at.address}:{self._at.cluster_port}",
            # Locking memory needs a capability that a developer's account lacks.
            "disable_mlock": True,
            "ui": False,
            "log_level": "warn",
        }
        return str(host.place("server.json", json.dumps(configuration, indent=2)))

    def _joining(self, ca: str) -> dict[str, Any]:  # Any: Vault's configuration
        """Elections follow a missing leader within two seconds or so, not ten: the network is this machine's."""
        if not self._at.cluster:
            return {}
        others = [{"leader_api_addr": at, "leader_ca_cert_file": ca} for at in self._at.cluster if at != self.address()]
        return {"performance_multiplier": 1, "retry_join": others}
