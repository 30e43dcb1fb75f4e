"""python -m deploy.dev.engines {start,stop,status,restart,reload} [--cluster] [--check] [postgres] [rabbitmq] [hcvault]

`start` starts what does not run yet and sets everything up (deploy/*/bootstrap); `<state>/engines/engines.env` then
holds the settings that `make up ENGINES=real` and the tests use. `reload` lets running engines show renewed
certificates; no connection ends. `--cluster` starts each engine as three members that survive the loss of one; the
other commands know by themselves what runs. `--check` only says what `start` would need. Safe to run again.

Exit status: 0 well; 1 not done, the message says why; 2 wrong arguments; 3 one does not answer (status).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.progress import at_work
from deploy import env_file
from deploy.dev import certificates
from deploy.dev.engines import shape
from deploy.dev.engines.cluster.hcvault import VaultCluster
from deploy.dev.engines.cluster.network import namespaces_work
from deploy.dev.engines.cluster.postgres import PostgresCluster
from deploy.dev.engines.cluster.rabbitmq import RabbitCluster
from deploy.dev.engines.hcvault import HcVault
from deploy.dev.engines.host import EngineFault
from deploy.dev.engines.postgres import Postgres
from deploy.dev.engines.rabbitmq import RabbitMq
from deploy.dev.engines.setup import HEADING, set_up_hcvault, set_up_postgres, set_up_rabbitmq, settings_file
from deploy.dev.state import State


class Engine(Protocol):
    name: str

    def start(self) -> bool: ...

    def stop(self) -> bool: ...

    def reload(self) -> bool: ...

    def answers(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Known:
    """An engine, how it is set up once it runs, and, of a cluster, the name of the member that leads."""

    engine: Engine
    set_up: Callable[[], None]
    leader: Callable[[], str] | None = None


NAMES = ("postgres", "rabbitmq", "hcvault")


def engine_of(state: State, name: str, *, cluster: bool) -> Known:
    """The engine of that name, as one server or as three members."""
    match name:
        case "postgres":
            if cluster:
                patroni = PostgresCluster(state)
                return Known(patroni, partial(set_up_postgres, state, patroni), patroni.leader)
            postgres = Postgres(state)
            return Known(postgres, partial(set_up_postgres, state, postgres))
        case "rabbitmq":
            if cluster:
                nodes = RabbitCluster(state)
                return Known(nodes, partial(set_up_rabbitmq, state, nodes), nodes.leader)
            rabbit = RabbitMq(state)
            return Known(rabbit, partial(set_up_rabbitmq, state, rabbit))
        case _:
            if cluster:
                raft = VaultCluster(state)
                return Known(raft, partial(set_up_hcvault, state, raft), raft.leader)
            vault = HcVault(state)
            return Known(vault, partial(set_up_hcvault, state, vault))


def running(state: State, name: str) -> Known:
    """The engine in the shape in which it was started last."""
    return engine_of(state, name, cluster=name in shape.clustered(state))


def start(state: State, names: Sequence[str], *, cluster: bool = False) -> None:
    """Starts and sets up the named engines. Raises EngineFault at the first that can't start."""
    certificates.ensure(state)
    for name in names:
        shape.choose(state, name, cluster=cluster)
        known = engine_of(state, name, cluster=cluster)
        started = known.engine.start()
        known.set_up()
        print(f"{known.engine.name}: {'started' if started else 'runs already'}, and is set up", flush=True)
    env_file.update(
        settings_file(state), {"WAYVAULT_CA": str((state.certs / "ca.pem").resolve())}, heading=HEADING, quoted=True
    )
    print(f"Settings: {settings_file(state)} (make up ENGINES=real uses them)")


def stop(state: State, names: Sequence[str]) -> None:
    """Stops the named engines, the last started first."""
    for name in reversed(names):
        engine = running(state, name).engine
        print(f"{engine.name}: {'stopped' if engine.stop() else 'did not run'}", flush=True)
        shape.forget(state, name)


def reload(state: State, names: Sequence[str]) -> None:
    """Hands renewed certificates to the named engines. Raises EngineFault."""
    for name in names:
        engine = running(state, name).engine
        print(f"{engine.name}: {'shows its new certificate' if engine.reload() else 'does not run'}", flush=True)


def status(state: State, names: Sequence[str]) -> bool:
    """Prints how each engine is; returns whether all are well."""
    well = True
    for name in names:
        known = running(state, name)
        answers = known.engine.answers()
        leads = f", {known.leader()} leads" if answers and known.leader else ""
        print(f"{known.engine.name}: {'answers' if answers else 'does not answer'}{leads}")
        well = well and answers
    return well


def check(state: State, names: Sequence[str], *, cluster: bool) -> bool:
    """Prints what is missing for a start; returns whether nothing is."""
    missing = shape.missing_programs(names, cluster=cluster)
    for line in missing:
        print(line)
    if cluster:
        where = "network namespaces of their own" if namespaces_work() else "127.0.0.1 (no root: none can be cut off)"
        print(f"Members would live in {where}.")
    used = (state.certs / "ca.pem").exists()
    for name in names:
        if used and (name in shape.clustered(state)) != cluster and running(state, name).engine.answers():
            print(f"{name} runs in the other shape; stop it first.")
            return False
    if not missing:
        print("Nothing is missing. Next: the same without --check.")
    return not missing


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.dev.engines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("start", "stop", "restart", "reload", "status"))
    parser.add_argument("engines", nargs="*", metavar="engine", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--cluster", action="store_true", help="start: each engine as three members")
    parser.add_argument("--check", action="store_true", help="start: change nothing, say what is missing")
    given = parser.parse_intermixed_args(arguments)
    unknown = set(given.engines) - set(NAMES)
    if unknown:
        parser.error(f"no engine {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if given.command != "start" and (given.cluster or given.check):
        parser.error("--cluster and --check belong to start; the other commands know what runs")
    names = [name for name in NAMES if not given.engines or name in given.engines]
    try:
        with at_work(f"engines {given.command}"):
            return _run(State.from_environment(), given.command, names, cluster=given.cluster, only_check=given.check)
    except (EngineFault, certificates.CertificateFault, ValueError, OSError) as fault:
        print(f"\n{fault}", file=sys.stderr)
        return NOT_DONE


def _run(state: State, command: str, names: Sequence[str], *, cluster: bool, only_check: bool) -> int:
    match command:
        case "status":
            return DONE if status(state, names) else FOUND
        case "reload":
            reload(state, names)
        case "stop":
            stop(state, names)
        case "restart":
            as_clusters = {name: name in shape.clustered(state) for name in names}
            stop(state, names)
            for name, as_cluster in as_clusters.items():
                start(state, [name], cluster=as_cluster)
        case _ if only_check:
            return 0 if check(state, names, cluster=cluster) else 1
        case _:
            start(state, names, cluster=cluster)
    return 0


if __name__ == "__main__":
    sys.exit(main())
