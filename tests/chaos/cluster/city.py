"""A stack on clusters of engines, every service twice, behind HAProxy."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from deploy.dev import demo
from deploy.dev.engines import __main__ as engines
from deploy.dev.engines.cluster.hcvault import VaultCluster
from deploy.dev.engines.cluster.postgres import PostgresCluster
from deploy.dev.engines.cluster.proxy import Front, Proxy
from deploy.dev.engines.cluster.rabbitmq import RabbitCluster
from deploy.dev.programs import Program, programs_of
from deploy.dev.settings import collect
from deploy.dev.state import State
from deploy.files import private_directory
from tests.support.stack import ROOT, Process, Stack, end, migrate

# What listens, and the setting that says where; each stands behind the address that its callers know.
_LISTENERS: Final = {
    "vault-serve": "VAULT_LISTEN",
    "vault-web": "VAULT_WEB_LISTEN",
    "crm-web": "CRM_LISTEN",
    "portal-web": "PORTAL_LISTEN",
}
_TWICE: Final = (*_LISTENERS, "vault-worker", "crm-worker", "portal-worker", "notifier-worker")
# Both processes of a service can't have one address for metrics.
_NO_METRICS: Final = {
    "CRM_WEB_METRICS_LISTEN": "",
    "PORTAL_WEB_METRICS_LISTEN": "",
    "VAULT_WEB_METRICS_LISTEN": "",
}


class Cluster(Protocol):
    """An engine of three members."""

    def start(self) -> bool: ...

    def answers(self) -> bool: ...

    def leader(self) -> str: ...


@dataclass(frozen=True, slots=True)
class City:
    """The running whole."""

    stack: Stack
    clusters: dict[str, Cluster]


@contextmanager
def city(state: State, say: Callable[[str], None]) -> Iterator[City]:
    """Starts everything on an empty state directory; it ends afterwards, the directory stays. Raises EngineFault."""
    with ExitStack() as undo:
        for folder in (state.root, state.run, state.log, state.root / "tmp"):
            private_directory(folder)
        state.root.chmod(0o711)
        say("engines, three members each")
        undo.callback(engines.stop, state, engines.NAMES)
        engines.start(state, engines.NAMES, cluster=True)
        stack = Stack(
            engine="real", state=state, settings=collect(state, {"ENGINES": "real"}, env=state.root / "no.env")
        )
        say("databases")
        migrate(stack)
        demo.import_agency(state, stack.settings, ROOT, crowd=0)
        undo.callback(end, stack)
        say("services, each twice")
        _start_all(stack, undo)
        demo.await_arrival(state, stack.settings, ROOT)
        demo.enrol_agents(state, stack.settings, ROOT)
        say("ready")
        clusters: dict[str, Cluster] = {
            "rabbitmq": RabbitCluster(state),
            "hcvault": VaultCluster(state),
            "postgres": PostgresCluster(state),
        }
        yield City(stack, clusters)


def _start_all(stack: Stack, undo: ExitStack) -> None:
    ports = iter(range(stack.state.ports.base + 100, stack.state.ports.base + 120))
    fronts: list[Front] = []
    changed: dict[str, dict[str, str]] = {}
    for program in programs_of(stack.state, stack.settings):
        each = [program, _twin(program)] if program.name in _TWICE else [program]
        if (setting := _LISTENERS.get(program.name)) is not None and program.port is not None:
            each = [replace(one, port=next(ports)) for one in each]
            members = {one.name: (f"127.0.0.1:{one.port}", "") for one in each}
            fronts.append(Front(name=program.name, port=program.port, check=(), members=members))
            changed |= {one.name: {setting: f"127.0.0.1:{one.port}"} for one in each}
        for one in each:
            stack.processes[one.name] = Process(program=one, log=stack.state.log / f"{one.name}.log")
    proxy = Proxy(stack.state, "services")
    undo.callback(proxy.stop)
    proxy.start(fronts)
    for name in stack.processes:
        stack.launch(name, **_NO_METRICS, **changed.get(name, {}))
    stack.await_ready(*stack.processes)


def _twin(program: Program) -> Program:
    """The same once more, under a name of its own."""
    return Program(
        service=f"{program.service}2",
        command=program.command,
        port=program.port,
        settings=program.settings or program.service,
        argv=(sys.executable, "-m", *program.arguments),
    )
