"""A RabbitMQ node of our own: TLS only, with an epmd, a cookie and a data directory of its own."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy.dev.engines.host import (
    EngineFault,
    Host,
    demand_free_port,
    find_program,
    host_of,
    is_running,
    read_pid,
    stop_process,
    wait_until,
)
from deploy.dev.state import Ports, State
from deploy.passwords import password_of
from deploy.rabbitmq.management import Management, ManagementFault

NAME = "RabbitMQ"
ADMIN = "wayvault_admin"
_INSTALL = (
    "Install it: `apt-get install rabbitmq-server` (Wayvault starts a node of its own; Debian's may stay stopped)."
)
_CONFIGURATION = """\
# Written by deploy/dev/engines at every start.
listeners.tcp = none
listeners.ssl.default = {address}:{port}
ssl_options.cacertfile = {ca}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {key}
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
management.ssl.ip = {address}
management.ssl.port = {management_port}
management.ssl.cacertfile = {ca}
management.ssl.certfile = {certificate}
management.ssl.keyfile = {key}
# Used once, when the node's database is made.
default_user = {user}
default_pass = {password}
default_vhost = /
disk_free_limit.absolute = 50MB
log.file.level = warning
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """How a node is reached and found. `name` is Erlang's (name@host), `more` the rest of its configuration."""

    name: str
    port: int
    management_port: int
    distribution_port: int
    epmd_port: int
    folder: str = "rabbitmq"
    certificate: str = "rabbitmq"
    address: str = "127.0.0.1"
    namespace: str | None = None
    more: str = ""
    # Nodes with one cookie may join each other; None: one of its own.
    cookie: str | None = None
    erlang: str = ""

    @classmethod
    def alone(cls, ports: Ports) -> "Node":
        """The only node of a state directory."""
        return cls(
            name=f"wayvault-{ports.base}@localhost",
            port=ports.rabbit,
            management_port=ports.rabbit_management,
            distribution_port=ports.rabbit_distribution,
            epmd_port=ports.rabbit_epmd,
        )


class RabbitMq:
    """Starts and stops one node; without another given, the only one of a state directory."""

    name = NAME

    def __init__(self, state: State, node: Node | None = None) -> None:
        self._state = state
        self._at = node or Node.alone(state.ports)

    def admin_password(self) -> str:
        return password_of(self._state.engines / "secrets", "rabbitmq_admin")

    def management_url(self) -> str:
        return f"https://{self._at.address}:{self._at.management_port}"

    def amqp(self) -> str:
        """host:port of the listener."""
        return f"{self._at.address}:{self._at.port}"

    def start(self) -> bool:
        """Starts the node if it does not run yet; returns whether it had to. Raises EngineFault."""
        program = _server_program()
        host = self._host()
        if self._pid(host) is not None:
            return False
        for port in (self._at.port, self._at.management_port, self._at.distribution_port):
            demand_free_port(port, NAME, self._at.address)
        environment = self._configure(host)
        log = host.data / "start.log"
        starter = host.spawn([program], log=log, environment=environment)
        wait_until(self.answers, what=NAME, seconds=120, log=log, alive=lambda: is_running(starter, "rabbitmq"))
        return True

    def stop(self) -> bool:
        """Stops the node and its epmd; returns whether it ran."""
        host = self._host()
        pid = self._pid(host)
        if pid is not None:
            stop_process(pid, marker=str(host.data), what=NAME)
        epmd = find_program("epmd")
        if epmd:
            # It refuses while another node is registered with it, and fails when it is gone already: both are fine.
            host.run([epmd, "-kill"], environment={"ERL_EPMD_PORT": str(self._at.epmd_port)}, check=False)
        return pid is not None

    def reload(self) -> bool:
        """Lets the running node show renewed certificates to new connections; returns whether it runs.

        By itself it would look at its files again within two minutes. Raises EngineFault.
        """
        host = self._host()
        if self._pid(host) is None:
            return False
        host.place_certificates(self._state, self._at.certificate)
        self.control("eval", "ssl:clear_pem_cache().")
        return True

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl says to these arguments. Raises EngineFault."""
        program = Path(_server_program()).with_name("rabbitmqctl")
        return self._host().run([str(program), "--quiet", *arguments], environment=self._node()).stdout

    def answers(self) -> bool:
        """Whether the node serves its administrator."""
        try:
            self.management().get("/api/health/checks/port-listener/" + str(self._at.port))
        except (ManagementFault, OSError):
            return False
        return True

    def management(self) -> Management:
        return Management(
            self.management_url(), user=ADMIN, password=self.admin_password(), ca=self._state.certs / "ca.pem"
        )

    def _host(self) -> Host:
        return host_of(self._state, self._at.folder, account="rabbitmq", namespace=self._at.namespace)

    def _pid(self, host: Host) -> int | None:
        pid = read_pid(host.data / "node.pid")
        return pid if pid is not None and is_running(pid, str(host.data)) else None

    def _configure(self, host: Host) -> dict[str, str]:
        ca, certificate, key = host.place_certificates(self._state, self._at.certificate)
        configuration = host.place(
            "rabbitmq.conf",
            _CONFIGURATION.format(
                address=self._at.address,
                port=self._at.port,
                management_port=self._at.management_port,
                ca=ca,
                certificate=certificate,
                key=key,
                user=ADMIN,
                password=self.admin_password(),
            )
            + self._at.more,
        )
        plugins = host.place("enabled_plugins", "[rabbitmq_management].\n")
        empty = host.place("rabbitmq-env.conf", "")
        if not (host.data / ".erlang.cookie").exists():
            host.place(".erlang.cookie", self._at.cookie or secrets.token_hex(16))
            host.own(host.data / ".erlang.cookie", 0o400)
        interface = self._at.address.replace(".", ",")
        return {
            **self._node(),
            "RABBITMQ_CONF_ENV_FILE": str(empty),
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_MNESIA_BASE": str(host.data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(host.data / "log"),
            "RABBITMQ_PID_FILE": str(host.data / "node.pid"),
            "RABBITMQ_DIST_PORT": str(self._at.distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"-kernel inet_dist_use_interface {{{interface}}} {self._at.erlang}".strip()
            ),
            "ERL_EPMD_ADDRESS": self._at.address,
        }

    def _node(self) -> dict[str, str]:
        """How the node is found."""
        return {
            "RABBITMQ_NODENAME": self._at.name,
            "RABBITMQ_USE_LONGNAME": str("." in self._at.name).lower(),
            "ERL_EPMD_PORT": str(self._at.epmd_port),
        }


def _server_program() -> str:
    """The node's own start script: Debian's wrapper on PATH insists on its own account and directories."""
    inside = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"), reverse=True)
    found = find_program(*(str(path) for path in inside))
    if found is None and not Path("/usr/lib/rabbitmq").exists():
        found = find_program("rabbitmq-server")
    if found is None:
        raise EngineFault(f"{NAME} is not installed. {_INSTALL}")
    if os.geteuid() != 0 and not os.access(found, os.X_OK):
        raise EngineFault(f"{found} can't be executed by this account.")
    return found
