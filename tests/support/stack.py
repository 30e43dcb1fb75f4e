"""The whole system for tests: all processes of all services, on a state directory, ports and databases of their own.

Uses what `make up` uses (deploy.dev: settings, certificates, programs, health) but not its supervisor: tests stop, kill
and start single processes and give one changed settings.
"""

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import psycopg
import sqlalchemy
from psycopg import sql

from deploy.dev import certificates, demo
from deploy.dev.engines.hcvault import HcVault
from deploy.dev.engines.host import port_is_taken
from deploy.dev.health import probe_of
from deploy.dev.programs import Program, programs_of
from deploy.dev.run import listening_of
from deploy.dev.settings import SERVICES, Origins, base_environment, collect, environment_of
from deploy.dev.state import Ports, State
from deploy.dev.supervisor import run_command
from deploy.files import private_directory
from deploy.phone import kamailio
from deploy.postgres.bootstrap import CHARGING, OWNERS, VAULT_APPLICATION, grant_vault
from deploy.rabbitmq import bootstrap as rabbitmq_bootstrap
from deploy.vault import bootstrap as vault_bootstrap
from tests.support import engines
from tests.support.gate import Gate

ROOT: Final = Path(__file__).resolve().parents[2]
_READY_SECONDS: Final = 90.0
_PORTS_OF_A_STACK: Final = 30
# Enough for lists of several pages; each client costs the events of their trips and payments.
_CROWD: Final = 12

_LIBC: Final = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1

Engine = Literal["embedded", "real"]


class StackFault(AssertionError):
    """The stack is not as a test needs it; the message holds the end of the log that tells why."""


@dataclass
class Process:
    """One running process of the stack and where its output goes."""

    program: Program
    log: Path
    popen: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self.popen is not None and self.popen.poll() is None


@dataclass
class Stack:
    """A running system. Processes are named as `make status` names them: "crm-web", "vault-serve", …"""

    engine: Engine
    state: State
    settings: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    began: float = field(default_factory=time.time)
    # Before RabbitMQ, so that it can be taken away from this stack; None on the embedded bus.
    bus_gate: Gate | None = None
    # This stack's own HashiCorp Vault; None on the embedded keyring.
    hcvault: HcVault | None = None

    @property
    def origins(self) -> Origins:
        return Origins.of(self.state)

    @property
    def people(self) -> dict[str, Any]:
        return demo.people(self.state)

    # ---- processes

    def start(self, *names: str, **changed: str) -> None:
        """Starts processes and returns when they answer. `changed` are settings for these processes only."""
        self.launch(*names, **changed)
        self.await_ready(*names)

    def launch(self, *names: str, **changed: str) -> None:
        """As `start`, without waiting."""
        for name in names:
            process = self.processes[name]
            program = process.program
            environment = environment_of(program.settings or program.service, self.settings | changed)
            with process.log.open("ab") as log:
                process.popen = subprocess.Popen(
                    program.argv or [sys.executable, "-m", *program.arguments],
                    cwd=ROOT,
                    env={**base_environment(), "TMPDIR": str(self.temporary), **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                )

    def await_ready(self, *names: str) -> None:
        """Returns when they answer. Raises StackFault."""
        for name in names:
            self._await_ready(self.processes[name])

    def stop(self, *names: str) -> None:
        """Ends processes as an operator does: each finishes its work in hand."""
        for name in names:
            if (popen := self.processes[name].popen) is not None:
                popen.send_signal(signal.SIGTERM)
        for name in names:
            if (popen := self.processes[name].popen) is not None:
                popen.wait(timeout=40)

    def kill(self, *names: str) -> None:
        """kill -9, the process and its children."""
        for name in names:
            popen = self.processes[name].popen
            if popen is not None and popen.poll() is None:
                os.killpg(popen.pid, signal.SIGKILL)
                popen.wait(timeout=10)

    @contextmanager
    def changed(self, *names: str, **settings: str) -> Iterator[None]:
        """Runs processes with other settings for a while."""
        self.stop(*names)
        self.start(*names, **settings)
        try:
            yield
        finally:
            self.stop(*names)
            self.start(*names)

    @contextmanager
    def without(self, *names: str, kill: bool = False) -> Iterator[None]:
        """Runs without processes for a while."""
        (self.kill if kill else self.stop)(*names)
        try:
            yield
        finally:
            self.start(*(name for name in names if not self.processes[name].runs))

    @contextmanager
    def phones(self) -> Iterator[None]:
        """Takes cards by phone for a while, as with PHONE=1: Kamailio, the masker, and a CRM that knows of it."""
        before = dict(self.settings)
        self.settings |= collect(self.state, {"PHONE": "1"}, env=self.state.root / "no.env") | before
        kamailio.prepare(self.state.phone, listening_of(self.state))
        added = [each for each in programs_of(self.state, self.settings) if each.name not in self.processes]
        for program in added:
            self.processes[program.name] = Process(program=program, log=self.state.log / f"{program.name}.log")
        try:
            self.stop("crm-web")
            self.start("crm-web", *(program.name for program in added))
            yield
        finally:
            self.settings = before
            self.stop("crm-web", *(program.name for program in added))
            for program in added:
                del self.processes[program.name]
            self.start("crm-web")

    @contextmanager
    def bus_down(self) -> Iterator[None]:
        """No event moves: the broker can't be reached; on the embedded bus nobody relays or consumes."""
        if self.bus_gate is None:
            with self.without("crm-worker", "portal-worker", "notifier-worker"):
                yield
            return
        self.bus_gate.shut()
        try:
            yield
        finally:
            self.bus_gate.open()

    @contextmanager
    def vault_engine_sealed(self) -> Iterator[None]:
        """The transit engine refuses its work: sealed; in embedded mode its keyring's file is out of reach."""
        if self.hcvault is None:
            keyring = self.state.root / "vault" / "keyring.json"
            away = keyring.rename(keyring.with_suffix(".away"))
            try:
                yield
            finally:
                away.rename(keyring)
            return
        client = self.hcvault.client()
        client.token = self.hcvault.root_token()
        client.sys.seal()
        try:
            yield
        finally:
            self.hcvault.start()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of the services' commands, as an operator runs it: `run("services.vault", "verify-audit")`."""
        service = arguments[0].removeprefix("services.")
        process = run_command(list(arguments), environment=environment_of(service, self.settings), root=ROOT)
        output, _ = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout=output, stderr="")

    # ---- what it leaves behind

    @property
    def temporary(self) -> Path:
        """TMPDIR of all processes."""
        return self.state.root / "tmp"

    def logs(self) -> dict[str, str]:
        """All output so far, by process."""
        return {path.stem: path.read_text("utf-8", errors="replace") for path in sorted(self.state.log.glob("*.log"))}

    def database(self, service: str) -> sqlalchemy.Engine:
        """A connection of one's own to a service's database."""
        url = self.settings.get(f"{service.upper()}_OWNER_DATABASE_URL") or self.settings.get(
            f"{service.upper()}_DATABASE_URL", f"sqlite:///{self.state.root}/{service}/{service}.db"
        )
        return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def query(self, service: str, statement: str, **parameters: object) -> Sequence[sqlalchemy.Row[Any]]:
        """Rows of a service's database, for what no page shows."""
        with self.database(service).connect() as connection:
            return connection.execute(sqlalchemy.text(statement), parameters).all()

    def execute(self, service: str, statement: str, **parameters: object) -> int:
        """Changes a service's database behind its back; tells how many rows. For turning time only."""
        with self.database(service).begin() as connection:
            return connection.execute(sqlalchemy.text(statement), parameters).rowcount

    def _await_ready(self, process: Process) -> None:
        probe = probe_of(process.program, self.state.certs)
        ends = time.monotonic() + _READY_SECONDS
        while not probe():
            if not process.runs or time.monotonic() > ends:
                end = "\n".join(process.log.read_text("utf-8", errors="replace").splitlines()[-20:])
                raise StackFault(f"{process.program.name} does not get ready:\n{end}")
            time.sleep(0.05)


def _die_with_parent() -> None:
    """Runs in a new process: the kernel kills it when the test run ends by whatever way (prctl(2), Linux)."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def running(engine: Engine, say: Callable[[str], None] = lambda _: None, *, crowd: int = _CROWD) -> Iterator[Stack]:
    """A whole system, ready to use; it and everything it made goes away afterwards. Skips without real engines.

    `crowd`: percent of the demo's generated clients.
    """
    root = Path(tempfile.mkdtemp(prefix="wv-e2e-", dir="/tmp"))
    state = free_state(root)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, root, ignore_errors=True)
        for folder in (root, state.run, state.log, root / "tmp"):
            private_directory(folder)
        if engine == "real":
            _share_authority(state)
        certificates.ensure(state)
        stack = Stack(engine=engine, state=state, settings=collect(state, {}, env=root / "no.env"))
        if engine == "real":
            say("engines")
            _use_real_engines(stack, undo)
        say("databases")
        migrate(stack)
        demo.import_agency(state, stack.settings, ROOT, crowd=crowd)
        for program in programs_of(state, stack.settings):
            stack.processes[program.name] = Process(program=program, log=state.log / f"{program.name}.log")
        undo.callback(end, stack)
        say(f"{len(stack.processes)} processes")
        stack.start(*stack.processes)
        demo.await_arrival(state, stack.settings, ROOT)
        demo.enrol_agents(state, stack.settings, ROOT)
        say("ready")
        yield stack


def end(stack: Stack) -> None:
    """Ends all processes, by force what does not end by itself."""
    running_ones = [name for name, process in stack.processes.items() if process.runs]
    with contextlib.suppress(subprocess.TimeoutExpired):
        stack.stop(*running_ones)
    stack.kill(*running_ones)


def free_state(root: Path) -> State:
    """A stack's place on this machine, with ports that nobody has."""
    return State(root=root, ports=Ports(base=_free_ports()))


def _free_ports() -> int:
    """The first of 30 ports that nothing listens on."""
    for _ in range(50):
        base = 20_000 + secrets.randbelow(300) * 30
        if not any(port_is_taken(port) for port in range(base, base + _PORTS_OF_A_STACK)):
            return base
    raise StackFault("no 30 free ports in a row")


def _use_real_engines(stack: Stack, undo: ExitStack) -> None:
    """PostgreSQL databases, a RabbitMQ virtual host behind a gate, and a Vault server of this stack's own."""
    known = engines.settings()
    management = engines.rabbit_management()
    engines.vault_admin()
    undo.enter_context(_postgres_databases(stack, known))
    vhost = f"e2e-{secrets.token_hex(6)}"
    gate = Gate(("127.0.0.1", urlsplit(f"//{known['WAYVAULT_RABBIT_AMQP']}").port or 0))
    undo.callback(gate.remove)
    undo.callback(management.delete, f"/api/vhosts/{vhost}")
    stack.settings |= rabbitmq_bootstrap.bootstrap(
        management, amqp=f"127.0.0.1:{gate.port}", passwords=_engine_secrets(), vhost=vhost
    )
    stack.bus_gate = gate
    stack.hcvault = HcVault(stack.state)
    undo.callback(stack.hcvault.stop)
    stack.hcvault.start()
    client = stack.hcvault.client()
    client.token = stack.hcvault.root_token()
    credentials = stack.state.engines / "transit"
    vault_bootstrap.bootstrap(client, vault_bootstrap.Plan(out=credentials, audit_log=stack.hcvault.audit_log()))
    stack.settings |= {
        "VAULT_TRANSIT_URL": stack.hcvault.address(),
        "VAULT_TRANSIT_AUTH_DIR": str(credentials),
        "VAULT_TRANSIT_CA": str(stack.state.certs / "ca.pem"),
    }


def _share_authority(state: State) -> None:
    """The engines that run show certificates of another state's authority: this stack uses the same one."""
    engines.rabbit_management()
    authority = Path(engines.settings()["WAYVAULT_CA"])
    private_directory(state.certs)
    for file in (authority, authority.with_suffix(".key")):
        shutil.copy2(file, state.certs / file.name)


def _engine_secrets() -> Path:
    return State.from_environment().engines / "secrets"


@contextmanager
def _postgres_databases(stack: Stack, known: Mapping[str, str]) -> Iterator[None]:
    """A fresh database per service, owned by the same role as in production."""
    admin_url = known["WAYVAULT_POSTGRES_ADMIN_URL"]
    mark = secrets.token_hex(4)
    names = {service: f"wv_e2e_{mark}_{service}" for service in SERVICES}
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for service, name in names.items():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                    sql.Identifier(name), sql.Identifier(OWNERS[service])
                )
            )
        for role in (VAULT_APPLICATION, CHARGING):
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                    sql.Identifier(names["vault"]), sql.Identifier(role)
                )
            )
    for variable in [
        *(f"{service.upper()}_DATABASE_URL" for service in SERVICES),
        "VAULT_OWNER_DATABASE_URL",
        "VAULT_CHARGING_DATABASE_URL",
    ]:
        service = variable.partition("_")[0].lower()
        stack.settings[variable] = urlsplit(known[variable])._replace(path=f"/{names[service]}").geturl()
    try:
        yield
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            for name in names.values():
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def migrate(stack: Stack) -> None:
    """Brings all databases to their newest revision. Raises StackFault."""
    processes = {
        service: run_command(
            [f"services.{service}", "migrate"], environment=environment_of(service, stack.settings), root=ROOT
        )
        for service in SERVICES
    }
    for service, process in processes.items():
        output, _ = process.communicate(timeout=180)
        if process.returncode != 0:
            raise StackFault(f"services.{service} migrate failed:\n{output[-2000:]}")
    if owner_url := stack.settings.get("VAULT_OWNER_DATABASE_URL"):
        grant_vault(owner_url)
