"""StoreCard and the full reveal, against raw transit calls and raw commits."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import engines
from tests.bench.baselines import HvacEncrypt, PostgresCommits, SqliteCommits, make_postgres_table
from tests.bench.cpu import seconds_of
from tests.bench.crew import Crew, MakeCaller
from tests.bench.figures import Figure, Run, run_of
from tests.bench.progress import say
from tests.bench.vault_callers import VaultCallers
from tests.bench.vault_server import VaultPlace

CALLERS = (1, 8, 32)
_WARM_UP = 3
JOBS = {"store": "vault.store_card", "reveal": "vault.reveal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure: rounds, and operations of a round per number of callers."""

    rounds: int
    operations: Mapping[int, int]
    client_processes: int = 1

    def each(self, callers: int) -> int:
        """Operations of one caller in a round."""
        return max(1, self.operations[callers] // callers)


FULL = Plan(rounds=3, operations={1: 80, 8: 320, 32: 384})
QUICK = Plan(rounds=2, operations={1: 20, 8: 80, 32: 96})

# README.md says how these were chosen.
PROCESSES = {"embedded": 1, "real": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A vault that serves, and the raw things to measure beside it."""

    place: VaultPlace
    baselines: Mapping[str, MakeCaller]


@contextmanager
def embedded(folder: Path) -> Iterator[Stage]:
    """SQLite and the embedded keyring."""
    place = VaultPlace.make(folder, {})
    yield Stage(place=place, baselines={"sqlite_commit": SqliteCommits(path=folder / "raw.db")})


@contextmanager
def real(folder: Path) -> Iterator[Stage]:
    """PostgreSQL and HashiCorp Vault."""
    with engines.databases(2) as (url, raw_url), engines.transit(folder / "transit") as transit:
        make_postgres_table(engines.libpq(raw_url))
        settings = {
            "VAULT_DATABASE_URL": url,
            "VAULT_TRANSIT_URL": transit.url,
            "VAULT_TRANSIT_AUTH_DIR": str(transit.auth_dir),
            "VAULT_TRANSIT_MOUNT": transit.mount,
            "VAULT_TRANSIT_CA": str(transit.ca),
        }
        hvac = HvacEncrypt(
            url=transit.url, ca=transit.ca, mount=transit.mount, credentials=transit.auth_dir / "intake.json"
        )
        yield Stage(
            place=VaultPlace.make(folder, settings),
            baselines={"hvac_encrypt": hvac, "postgres_commit": PostgresCommits(url=engines.libpq(raw_url))},
        )


STAGES = {"embedded": embedded, "real": real}


def measure(kind: str, plan: Plan, *, processes: int | None = None) -> list[Figure]:
    """Both jobs at every number of callers, on one kind of engines."""
    count = processes or PROCESSES[kind]
    with tempfile.TemporaryDirectory(prefix="wv-bench-") as name, STAGES[kind](Path(name)) as stage:
        say(f"vault, {kind}: starting {count} server process(es)")
        with stage.place.serving(count) as pids:
            return [figure for callers in CALLERS for figure in _Rounds(stage, kind, plan, callers, pids).figures()]


class _Rounds:
    """One number of callers: rounds of all raw baselines and both jobs, in turn."""

    def __init__(self, stage: Stage, kind: str, plan: Plan, callers: int, servers: list[int]) -> None:
        self._stage = stage
        self._kind = kind
        self._plan = plan
        self._callers = callers
        self._clients = min(callers, plan.client_processes)
        self._servers = servers
        self._runs: dict[str, list[Run]] = {name: [] for name in (*JOBS, *stage.baselines)}
        self._server_cpu: dict[str, list[float]] = {job: [] for job in JOBS}
        self._client_cpu: dict[str, list[float]] = {job: [] for job in JOBS}

    def figures(self) -> list[Figure]:
        self._measure()
        return [self._figure(job, name) for job, name in JOBS.items()]

    def _measure(self) -> None:
        ours = VaultCallers(address=self._stage.place.address, state=self._stage.place.folder)
        each = self._plan.each(self._callers)
        with ExitStack() as stack:
            crew = stack.enter_context(Crew(ours, callers=self._callers, processes=self._clients))
            raw = {
                name: stack.enter_context(Crew(make, callers=self._callers))
                for name, make in self._stage.baselines.items()
            }
            for job in JOBS:  # opens connections and fills pools
                crew.prepare(job, _WARM_UP)
                crew.go(job, _WARM_UP)
            for number in range(self._plan.rounds):
                # Interleaved: what else the machine does meanwhile falls on all of them alike.
                for name, baseline in raw.items():
                    self._runs[name].append(run_of(baseline.go("raw", each)))
                for job in JOBS:
                    self._go(crew, job, each)
                told = ", ".join(f"{name} {runs[-1].per_second:.0f}/s" for name, runs in self._runs.items())
                say(f"vault, {self._kind}, {self._callers} callers, round {number + 1}: {told}")

    def _go(self, crew: Crew, job: str, each: int) -> None:
        crew.prepare(job, each)
        before = seconds_of(self._servers), seconds_of(crew.pids)
        run = run_of(crew.go(job, each))
        self._runs[job].append(run)
        after = seconds_of(self._servers), seconds_of(crew.pids)
        for kept, began, ended in zip((self._server_cpu, self._client_cpu), before, after, strict=True):
            kept[job].append((ended - began) * 1000 / run.operations)

    def _figure(self, job: str, name: str) -> Figure:
        return Figure(
            name=name,
            engines=self._kind,
            callers=self._callers,
            runs=self._runs[job],
            baselines={raw: self._runs[raw] for raw in self._stage.baselines},
            notes={
                "server_processes": len(self._servers),
                "client_processes": self._clients,
                "server_cpu_ms_each": round(median(self._server_cpu[job]), 2),
                "client_cpu_ms_each": round(median(self._client_cpu[job]), 2),
            },
        )
