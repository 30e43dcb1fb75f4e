"""A PostgreSQL of a test's own, for what a shared one must not suffer: a standby, other settings, a restore."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from deploy.dev import certificates
from deploy.dev.engines.host import Host, host_of, port_is_taken, wait_until
from deploy.dev.engines.postgres import Postgres, programs_folder
from deploy.dev.state import Ports, State
from tests.support import engines


@dataclass(frozen=True, slots=True)
class OwnPostgres:
    """A running server; `host` is where its account works."""

    server: Postgres
    host: Host
    port: int
    folders: list[Path] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.host.data / "data"

    def url(self, database: str) -> str:
        """The superuser's, for SQLAlchemy."""
        return urlsplit(self.libpq())._replace(scheme="postgresql+psycopg", path=f"/{database}").geturl()

    def libpq(self) -> str:
        """The same for PostgreSQL's programs, with an authority's file that the server's account may read."""
        ca = quote(str(self.host.data / "ca.pem"), safe="/")
        return urlsplit(self.server.admin_url())._replace(query=f"sslmode=verify-full&sslrootcert={ca}").geturl()

    def set(self, name: str, value: str) -> None:
        """Sets it for all new transactions."""
        with psycopg.connect(self.server.admin_url(), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")
            wait_until(lambda: self._is(connection, name, value), what=name, seconds=10)

    @staticmethod
    def _is(connection: psycopg.Connection, name: str, value: str) -> bool:
        return connection.execute("SELECT current_setting(%s)", [name]).fetchone() == (value,)

    def add_standby(self, name: str) -> None:
        """A second server that follows this one under that name, and has caught up."""
        data = self.host.data / name
        source = f"{self.libpq()}&application_name={name}"
        self.host.run(
            [
                str(programs_folder() / "pg_basebackup"),
                "-D",
                str(data),
                "-d",
                source,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
            ]
        )
        self.start(data, self.port + 1)
        with psycopg.connect(self.server.admin_url(), autocommit=True) as connection:
            query = "SELECT count(*) FROM pg_stat_replication WHERE application_name = %s AND state = 'streaming'"
            wait_until(
                lambda: connection.execute(query, [name]).fetchone() == (1,), what=f"the standby {name}", seconds=30
            )

    def start(self, data: Path, port: int) -> None:
        """Another server, of data that were copied."""
        self.folders.append(data)
        log = self.host.data / f"{data.name}.log"
        command = [
            str(programs_folder() / "pg_ctl"),
            "start",
            "-w",
            "-D",
            str(data),
            "-l",
            str(log),
            "-o",
            f"-p {port}",
        ]
        self.host.run(command)

    def stop_standby(self) -> None:
        """The one that was added last, at once."""
        self.host.run([str(programs_folder() / "pg_ctl"), "stop", "-w", "-D", str(self.folders[-1]), "-m", "immediate"])

    def start_standby(self) -> None:
        """The one that `stop_standby` stopped."""
        self.start(self.folders.pop(), self.port + 1)

    def stop(self) -> None:
        """The others, then the first."""
        for data in reversed(self.folders):
            self.host.run([str(programs_folder() / "pg_ctl"), "stop", "-D", str(data), "-m", "immediate"], check=False)
        self.server.stop()


def _free_ports() -> Ports:
    """Nothing listens where the server, a standby and a restored one would."""
    while True:
        ports = Ports(base=20_000 + secrets.randbelow(300) * 30)
        if not any(port_is_taken(ports.postgres + more) for more in range(3)):
            return ports


@contextmanager
def own_postgres(folder: Path) -> Iterator[OwnPostgres]:
    """A fresh server, which goes afterwards. Skips where there are no engines."""
    engines.postgres_admin_url()
    state = State(root=folder, ports=_free_ports())
    certificates.ensure(state)
    server, host = Postgres(state), host_of(state, "postgres", account="postgres")
    own = OwnPostgres(server, host, state.ports.postgres)
    try:
        server.start()
        yield own
    finally:
        own.stop()
        shutil.rmtree(host.data.parent, ignore_errors=True)
