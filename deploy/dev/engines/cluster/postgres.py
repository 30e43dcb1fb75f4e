"""PostgreSQL as three Patroni members, each with an etcd, behind HAProxy, which leads every connection to the leader.

Strict synchronous mode: a commit is acknowledged when a standby has it too, and without a standby none is. So whatever
a failover makes leader has all that was acknowledged. A reveal that it forgot would be shown twice.
"""

import json
from pathlib import Path
from typing import Any

import psycopg

from deploy.dev.engines.cluster.network import MEMBERS, Network, Place
from deploy.dev.engines.cluster.proxy import Front, Proxy
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
from deploy.dev.engines.postgres import NAME, Postgres, programs_folder
from deploy.dev.state import State
from deploy.passwords import password_of

_ENGINE = "postgres"
_INSTALL = "Install them: `apt-get install patroni etcd-server python3-idna` (Debian's own services may stay stopped)."
# Seconds. The leader is lost to the others after `ttl`; smaller values take a busy machine for a dead one.
_DCS = {
    "ttl": 15,
    "loop_wait": 2,
    "retry_timeout": 5,
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    # A leader whose server died is not waited for.
    "master_start_timeout": 0,
}
_PARAMETERS = {
    "max_connections": 200,
    "max_wal_senders": 10,
    "max_replication_slots": 10,
    "shared_buffers": "48MB",
    "max_wal_size": "256MB",
    "wal_keep_size": "128MB",
    "password_encryption": "scram-sha-256",
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_min_protocol_version": "TLSv1.2",
    "wal_sender_timeout": "6s",
    "wal_receiver_timeout": "6s",
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and their parameters stay out of the log: they may hold what must not be in logs.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": 0,
    "log_parameter_max_length_on_error": 0,
}
# One that begins to follow may turn out to need a copy made anew: it follows when it has for three seconds.
_STREAMING = """\
SELECT count(*), count(*) FILTER (WHERE sync_state = 'sync') FROM pg_stat_replication
WHERE state = 'streaming' AND backend_start < clock_timestamp() - interval '3 seconds'
"""


class PostgresCluster:
    """Starts and stops the three members of one state directory."""

    name = f"{NAME} (three members)"

    def __init__(self, state: State) -> None:
        self._state = state
        self._network = Network(state)
        self._proxy = Proxy(state, _ENGINE)

    def admin_url(self) -> str:
        """The superuser's libpq URL, by way of HAProxy."""
        return Postgres(self._state).admin_url()

    def start(self) -> bool:
        """Starts what does not run; returns whether it had to do anything. Raises EngineFault."""
        started = False
        for place in self._places():
            self._network.make(place)
            started = self._start_etcd(place) or started
        for place in self._places():
            started = self._start_patroni(place) or started
        started = self._proxy.start([self._front()]) or started
        log = self._host(self._places()[0]).data / "patroni.log"
        wait_until(self.answers, what=self.name, seconds=180, log=log)
        return started

    def stop(self) -> bool:
        """Stops all, standbys first; returns whether any ran."""
        leader, ran = self._leader_or_none(), self._proxy.stop()
        for place in sorted(self._places(), key=lambda each: each.folder == leader):
            ran = self._stop(place, "patroni", seconds=60.0) or ran
        for place in self._places():
            ran = self._stop(place, "etcd", seconds=10.0) or ran
        self._network.remove(_ENGINE)
        return ran

    def reload(self) -> bool:
        """Lets all members show renewed certificates; returns whether any runs."""
        reloaded = False
        for place in self._places():
            host = self._host(place)
            if self._pid(place, "patroni") is None:
                continue
            self._network.certify(place)
            host.place_certificates(self._state, place.folder)
            host.run([str(programs_folder() / "pg_ctl"), "reload", "-D", str(host.data / "data")])
            reloaded = True
        return reloaded

    def answers(self) -> bool:
        """Whether there is a leader, both others follow it, and its commits wait for one of them."""
        try:
            with psycopg.connect(self.admin_url(), connect_timeout=2) as connection:
                following, synchronous = connection.execute(_STREAMING).fetchone() or (0, 0)
        except psycopg.OperationalError:
            return False
        return bool(following == len(MEMBERS) - 1 and synchronous >= 1)

    def leader(self) -> str:
        """The name of the member that leads. Raises psycopg.OperationalError when none does."""
        with psycopg.connect(self.admin_url(), connect_timeout=2) as connection:
            row = connection.execute("SELECT current_setting('port')::int").fetchone() or (0,)
        return {self._ports(place)[0]: place.folder for place in self._places()}[row[0]]

    def _leader_or_none(self) -> str | None:
        try:
            return self.leader()
        except psycopg.OperationalError:
            return None

    def _places(self) -> list[Place]:
        return self._network.places(_ENGINE)

    def _host(self, place: Place) -> Host:
        return host_of(self._state, place.folder, account="postgres", namespace=place.namespace)

    def _ports(self, place: Place) -> tuple[int, int, int, int]:
        """PostgreSQL, Patroni's API, etcd's clients, etcd's peers."""
        found = self._state.ports.member(_ENGINE, place.number)
        return found[0], found[1], found[2], found[3]

    def _start_etcd(self, place: Place) -> bool:
        host = self._host(place)
        if self._pid(place, "etcd") is not None:
            return False
        program = find_program("etcd")
        if program is None:
            raise EngineFault(f"etcd is not installed. {_INSTALL}")
        for port in self._ports(place):
            demand_free_port(port, self.name, place.address)
        ca, certificate, key = host.place_certificates(self._state, place.folder)
        _, _, clients, peers = self._ports(place)
        cluster = ",".join(f"{each.folder}=https://{each.address}:{self._ports(each)[3]}" for each in self._places())
        files = {"cert-file": certificate, "key-file": key, "trusted-ca-file": ca}
        options = {
            "name": place.folder,
            "data-dir": host.data / "etcd",
            "listen-client-urls": f"https://{place.address}:{clients}",
            "advertise-client-urls": f"https://{place.address}:{clients}",
            "listen-peer-urls": f"https://{place.address}:{peers}",
            "initial-advertise-peer-urls": f"https://{place.address}:{peers}",
            "initial-cluster": cluster,
            "initial-cluster-token": f"wayvault-{self._state.ports.base}",
            "election-timeout": 2000,
            "heartbeat-interval": 200,
            "log-level": "warn",
            **files,
            **{f"peer-{name}": file for name, file in files.items()},
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        pid = host.spawn(
            [program, *arguments, "--enable-v2", "--client-cert-auth", "--peer-client-cert-auth"],
            log=host.data / "etcd.log",
        )
        host.place("etcd.pid", str(pid))
        return True

    def _start_patroni(self, place: Place) -> bool:
        host = self._host(place)
        if self._pid(place, "patroni") is not None:
            return False
        program = find_program("patroni")
        if program is None:
            raise EngineFault(f"Patroni is not installed. {_INSTALL}")
        configuration = host.place("patroni.json", json.dumps(self._configuration(place, host), indent=2))
        pid = host.spawn([program, str(configuration)], log=host.data / "patroni.log")
        host.place("patroni.pid", str(pid))
        return True

    def _configuration(self, place: Place, host: Host) -> dict[str, Any]:  # Any: Patroni's configuration
        port, api, _, _ = self._ports(place)
        ca, certificate, key = (str(host.data / name) for name in ("ca.pem", "server.pem", "server.key"))
        etcds = [f"{each.address}:{self._ports(each)[2]}" for each in self._places()]
        files = {"ssl_ca_file": ca, "ssl_cert_file": certificate, "ssl_key_file": key}
        return {
            "scope": "wayvault",
            "name": place.folder,
            "restapi": {
                "listen": f"{place.address}:{api}",
                "connect_address": f"{place.address}:{api}",
                "certfile": certificate,
                "keyfile": key,
                "cafile": ca,
                # Whoever changes something shows a certificate.
                "verify_client": "optional",
            },
            "ctl": {"cacert": ca, "certfile": certificate, "keyfile": key},
            # Not etcd3: by that API Debian's Patroni 3.0.2 writes the leader's key without asking whose it is. A leader
            # that was frozen took it back from the one that was chosen meanwhile, whose commits were lost. By this API
            # it compares and swaps.
            "etcd": {"hosts": etcds, "protocol": "https", "cacert": ca, "cert": certificate, "key": key},
            "bootstrap": {
                "dcs": {**_DCS, "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": _PARAMETERS}},
                "initdb": [
                    {"encoding": "UTF8"},
                    {"locale": "C.UTF-8"},
                    {"auth": "scram-sha-256"},
                    "data-checksums",
                ],
            },
            "postgresql": {
                "listen": f"{place.address}:{port}",
                "connect_address": f"{place.address}:{port}",
                "data_dir": str(host.data / "data"),
                "bin_dir": str(programs_folder()),
                "pgpass": str(host.data / "pgpass"),
                "authentication": self._logins(ca),
                "parameters": files,
                "pg_hba": self._access(place),
            },
        }

    def _logins(self, ca: str) -> dict[str, dict[str, str]]:
        secrets: Path = self._state.engines / "secrets"
        safe = {"sslmode": "verify-full", "sslrootcert": ca}
        return {
            "superuser": {"username": "postgres", "password": password_of(secrets, "postgres_admin"), **safe},
            "replication": {
                "username": "wayvault_replication",
                "password": password_of(secrets, "postgres_replication"),
                **safe,
            },
        }

    def _access(self, place: Place) -> list[str]:
        """Members and this machine; where members have addresses of their own, HAProxy comes from the bridge's."""
        around = "127.0.0.1/32" if place.namespace is None else f"{place.address.rpartition('.')[0]}.0/24"
        return [
            f"hostssl replication wayvault_replication {around} scram-sha-256",
            f"hostssl all all {around} scram-sha-256",
        ]

    def _stop(self, place: Place, program: str, *, seconds: float) -> bool:
        pid = self._pid(place, program)
        if pid is None:
            return False
        stop_process(pid, marker=str(self._host(place).data), what=f"{program} of {place.folder}", seconds=seconds)
        return True

    def _pid(self, place: Place, program: str) -> int | None:
        host = self._host(place)
        pid = read_pid(host.data / f"{program}.pid")
        return pid if pid is not None and is_running(pid, str(host.data)) else None

    def _front(self) -> Front:
        """Only the leader's Patroni answers 200."""
        ca = (self._state.certs / "ca.pem").resolve()
        members = {}
        for place in self._places():
            port, api, _, _ = self._ports(place)
            how = f"port {api} check-ssl check-sni localhost verify required verifyhost localhost ca-file {ca}"
            members[place.folder] = f"{place.address}:{port}", how
        check = ("option httpchk GET /primary", "http-check expect status 200")
        return Front(name="postgres", port=self._state.ports.postgres, check=check, members=members)
