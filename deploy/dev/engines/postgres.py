"""A PostgreSQL server of our own: TLS and scram passwords only, on 127.0.0.1."""

import re
from pathlib import Path
from urllib.parse import quote

import psycopg

from deploy.dev.engines.host import (
    EngineFault,
    Host,
    demand_free_port,
    find_program,
    host_of,
    is_running,
    read_pid,
    wait_until,
)
from deploy.dev.state import State
from deploy.passwords import password_of

NAME = "PostgreSQL"
_ADMIN = "postgres"
_INSTALL = "Install it: `apt-get install postgresql` (Wayvault starts a server of its own; Debian's may stay stopped)."
_CONFIGURATION = """\
# Written by deploy/dev/engines at every start.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
password_encryption = 'scram-sha-256'
ssl = on
ssl_ca_file = '{ca}'
ssl_cert_file = '{certificate}'
ssl_key_file = '{key}'
ssl_min_protocol_version = 'TLSv1.2'
timezone = 'UTC'
log_timezone = 'UTC'
# Statements and their parameters stay out of the log: they may hold what must not be in logs.
log_statement = 'none'
log_min_error_statement = 'panic'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""
# The second line lets standbys and backups follow, as roles that may.
_ACCESS = "hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl replication all 127.0.0.1/32 scram-sha-256\n"


class Postgres:
    """Starts and stops the server of one state directory."""

    name = NAME

    def __init__(self, state: State) -> None:
        self._state = state
        self._port = state.ports.postgres

    def admin_url(self) -> str:
        """The superuser's libpq URL; it verifies the server's certificate against the development authority."""
        password = quote(self._password(), safe="")
        ca = (self._state.certs / "ca.pem").resolve()
        return (
            f"postgresql://{_ADMIN}:{password}@127.0.0.1:{self._port}/postgres"
            f"?sslmode=verify-full&sslrootcert={quote(str(ca), safe='/')}"
        )

    def start(self) -> bool:
        """Starts the server if it does not run yet; returns whether it had to. Raises EngineFault."""
        programs = programs_folder()
        host = self._host()
        data = host.data / "data"
        if self._runs(host):
            return False
        demand_free_port(self._port, NAME)
        if not (data / "PG_VERSION").exists():
            self._initialise(programs, host, data)
        self._configure(host, data, programs)
        log = host.data / "server.log"
        host.run([str(programs / "pg_ctl"), "start", "-D", str(data), "-l", str(log), "-W"])
        wait_until(self.answers, what=NAME, seconds=60, log=log)
        return True

    def stop(self) -> bool:
        """Stops the server; returns whether it ran."""
        host = self._host()
        if not self._runs(host):
            return False
        host.run(
            [str(programs_folder() / "pg_ctl"), "stop", "-D", str(host.data / "data"), "-m", "fast", "-w", "-t", "60"]
        )
        return True

    def reload(self) -> bool:
        """Lets the running server show renewed certificates to new connections; returns whether it runs."""
        host = self._host()
        if not self._runs(host):
            return False
        host.place_certificates(self._state, "postgres")
        host.run([str(programs_folder() / "pg_ctl"), "reload", "-D", str(host.data / "data")])
        return True

    def answers(self) -> bool:
        """Whether the superuser can sign in."""
        try:
            with psycopg.connect(self.admin_url(), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _host(self) -> Host:
        return host_of(self._state, "postgres", account="postgres")

    def _runs(self, host: Host) -> bool:
        pid = read_pid(host.data / "data" / "postmaster.pid")
        return pid is not None and is_running(pid, "postgres")

    def _password(self) -> str:
        return password_of(self._state.engines / "secrets", "postgres_admin")

    def _initialise(self, programs: Path, host: Host, data: Path) -> None:
        print(f"  making a new {NAME} cluster in {data}", flush=True)
        password = host.place("initial_password", self._password())
        try:
            host.run(
                [
                    str(programs / "initdb"),
                    f"--pgdata={data}",
                    f"--username={_ADMIN}",
                    f"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--data-checksums",
                ]
            )
        finally:
            password.unlink(missing_ok=True)

    def _configure(self, host: Host, data: Path, programs: Path) -> None:
        wanted = (data / "PG_VERSION").read_text("ascii").strip()
        have = _version(programs)
        if wanted != have:
            raise EngineFault(
                f"{data} was made by PostgreSQL {wanted}, but {have} is installed. It holds development data only: "
                f"remove {host.data} and start again."
            )
        ca, certificate, key = host.place_certificates(self._state, "postgres")
        host.place("data/pg_hba.conf", _ACCESS)
        host.place(
            "data/postgresql.auto.conf",
            _CONFIGURATION.format(port=self._port, ca=ca, certificate=certificate, key=key),
        )


def programs_folder() -> Path:
    """The directory of the newest PostgreSQL server's programs; Debian keeps them off PATH."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    found = find_program(*(str(path) for path in debian), "pg_ctl")
    if found is None:
        raise EngineFault(f"{NAME} is not installed. {_INSTALL}")
    return Path(found).parent


def _version(programs: Path) -> str:
    by_path = re.search(r"/postgresql/(\d+)/", str(programs))
    if by_path:
        return by_path.group(1)
    from subprocess import check_output

    text = check_output([str(programs / "pg_ctl"), "--version"], text=True)
    found = re.search(r"(\d+)", text)
    return found.group(1) if found else text.strip()
