"""In which shape each engine of a state directory was started: one server, or a cluster of three members."""

from collections.abc import Sequence

from deploy.dev.engines.host import EngineFault, find_program
from deploy.dev.state import State
from deploy.files import write_file

# What a cluster needs beyond what a single server does: program, Debian's package.
_FOR_CLUSTERS = {
    "postgres": (("patroni", "patroni python3-idna"), ("etcd", "etcd-server"), ("haproxy", "haproxy")),
    "rabbitmq": (("haproxy", "haproxy"),),
    "hcvault": (("haproxy", "haproxy"),),
}


def clustered(state: State) -> frozenset[str]:
    """The engines that run as a cluster."""
    path = state.engines / "clustered"
    return frozenset(path.read_text("ascii").split()) if path.exists() else frozenset()


def choose(state: State, name: str, *, cluster: bool) -> None:
    """Notes the shape of an engine before it starts. Raises EngineFault when it runs as a cluster and shall not."""
    known = clustered(state)
    if name in known and not cluster:
        raise EngineFault(
            f"{name} runs as a cluster, with data of its own. `python -m deploy.dev.engines stop {name}` first, "
            "or start it with --cluster."
        )
    if cluster:
        _write(state, known | {name})


def forget(state: State, name: str) -> None:
    """After it was stopped: the next start may choose anew."""
    if name in clustered(state):
        _write(state, clustered(state) - {name})


def missing_programs(names: Sequence[str], *, cluster: bool) -> list[str]:
    """One line for each program that a cluster of these engines needs and this machine has not."""
    wanted = {pair for name in names for pair in _FOR_CLUSTERS[name]} if cluster else set()
    return [
        f"{program} is missing: apt-get install {package}"
        for program, package in sorted(wanted)
        if find_program(program, f"/usr/sbin/{program}") is None
    ]


def _write(state: State, names: frozenset[str]) -> None:
    state.engines.mkdir(parents=True, exist_ok=True)
    write_file(state.engines / "clustered", "".join(f"{name}\n" for name in sorted(names)))
