"""How many agents an installation carries: people come when they come, not when the answer before was there.

    python -m tests.bench.scale [--engines embedded|real] [--agents 100,500,1000] [--seconds 30] [--table]

Plays, for each number of agents, the busiest minute of a day: agents open pages and clients submit cards at the moments
of a Poisson process, whether the system keeps up or not. What is timed begins when somebody came, so a queue shows. One
JSON document on stdout, or with --table the rows of docs/scale.md, which says how to read them. Close the door first:
other work on the machine is measured too (`load`).
"""

import argparse
import json
import os
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from deploy.dev.engines.host import host_of
from deploy.dev.state import State
from tests.bench import engines
from tests.bench.cpu import seconds_within
from tests.bench.figures import percentile
from tests.bench.progress import say
from tests.bench.submit import cpu_of, links_that_arrived
from tests.support.people_by_http import Agent, Browser, Client, Link, PageFault
from tests.support.stack import Engine, Stack, running

# What one agent brings, in the busiest minute of a day: docs/scale.md, "What an agent brings".
PAGES_AN_HOUR = 120.0
SUBMITS_A_DAY = 10.0
BUSIEST_HOUR = 0.2
BUSIEST_MINUTE = 3.0
# Who waits longer than this has not been served.
_PATIENCE_SECONDS = 60.0
_MOST_AT_A_TIME = 64
_MAYA = "maya@harbour.example"
# So many programs are named in a row.
_BUSIEST = 5
_PAGES = ("/", "/bookings", "/clients", "/payments", "/tasks")


Act = Callable[[int], None]


def pages_per_second(agents: float) -> float:
    """How many pages so many agents open in the busiest minute, a second."""
    return agents * PAGES_AN_HOUR * BUSIEST_MINUTE / 3600


def submits_per_second(agents: float) -> float:
    """How many cards their clients submit then, a second."""
    return agents * SUBMITS_A_DAY * BUSIEST_HOUR * BUSIEST_MINUTE / 3600


def arrivals(rate: float, seconds: float, rng: random.Random) -> Iterator[float]:
    """The moments of a Poisson process: at `rate` a second on average, none knowing of another."""
    at = rng.expovariate(rate) if rate > 0 else seconds
    while at < seconds:
        yield at
        at += rng.expovariate(rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One who came: how long they waited (seconds), and whether they were served."""

    kind: str
    seconds: float
    well: bool


def told(served: Sequence[Served], kind: str) -> dict[str, Any]:  # Any: JSON
    """Of one kind: how many came, how many were not served, and how long the others waited, in milliseconds."""
    mine = [one for one in served if one.kind == kind]
    waits = [one.seconds * 1000 for one in mine if one.well]
    return {
        "came": len(mine),
        "not_served": sum(not one.well for one in mine),
        "ms": {f"p{percent}": round(percentile(waits, percent)) for percent in (50, 95, 99)} if waits else {},
    }


class Town:
    """The people around one running system."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        (person,) = [agent for agent in stack.people["agents"] if agent["email"] == _MAYA]
        self._agent = Agent.signing_in(
            stack.origins.crm, email=_MAYA, password=stack.people["password"], totp_secret=person["totp_secret"]
        )
        self._local = threading.local()
        self._clients: deque[Client] = deque()
        self._used: list[Link] = []

    def invite(self, count: int) -> None:
        """Clients with their page open and their card sealed, as their browsers have them before they submit."""
        origins = self._stack.origins
        links = links_that_arrived(origins.mailbox, self._agent, count, used=self._used)
        self._used += links
        with ThreadPoolExecutor(4) as pool:
            self._clients.extend(pool.map(lambda link: Client(origins.portal, origins.frame, link), links))

    def open_page(self, number: int) -> None:
        """An agent looks at a page. Raises PageFault, OSError."""
        window: Browser | None = getattr(self._local, "window", None)
        if window is None:
            window = self._local.window = self._agent.browser.another_window()
        window.get(_PAGES[number % len(_PAGES)])

    def submit(self, _number: int) -> None:
        """A client submits. Raises PageFault, OSError."""
        self._clients.popleft().submit()

    def minute(self, agents: int, seconds: float, rng: random.Random) -> dict[str, Any]:  # Any: JSON
        """Plays so many seconds of the busiest minute of so many agents."""
        comings: list[tuple[float, str, Act]] = [
            (at, "page", self.open_page) for at in arrivals(pages_per_second(agents), seconds, rng)
        ]
        submits = list(arrivals(submits_per_second(agents), seconds, rng))
        self.invite(len(submits))
        comings += [(at, "submit", self.submit) for at in submits]
        say(f"{agents} agents: {len(comings)} come within {seconds:g} s")
        before, began = spent_by(self._stack), time.monotonic()
        served = _play(sorted(comings, key=lambda coming: coming[0]))
        took = time.monotonic() - began
        spent = {name: after - before[name] for name, after in spent_by(self._stack).items()}
        return {
            "agents": agents,
            "seconds": seconds,
            # Longer than the minute lasts: whoever came at the end waited so much longer.
            "took": round(took, 1),
            "pages": told(served, "page"),
            "submits": told(served, "submit"),
            "processors": {name: round(value / took, 2) for name, value in spent.items() if value / took > 0.005},
        }


def spent_by(stack: Stack) -> dict[str, float]:
    """Processor seconds so far of each program, and of each real engine."""
    found = cpu_of(stack)
    if stack.engine == "real":
        state = State.from_environment()
        for name, account in (("postgres", "postgres"), ("rabbitmq", "rabbitmq")):
            found[name] = seconds_within(host_of(state, name, account=account).data)
        found["hcvault"] = seconds_within(host_of(stack.state, "hcvault", account=None).data)
    return found


def row(step: Mapping[str, Any]) -> str:  # Any: JSON
    """A step as a row of docs/scale.md."""
    pages, submits = (
        f"{kind['came']}, {kind['not_served']} not served"
        + (f", {kind['ms']['p50']} / {kind['ms']['p95']} ms" if kind["ms"] else "")
        for kind in (step["pages"], step["submits"])
    )
    busiest = sorted(step["processors"].items(), key=lambda item: -item[1])[:_BUSIEST]
    return f"| {step['agents']:,} | {pages} | {submits} | {', '.join(f'{name} {value:g}' for name, value in busiest)} |"


def _play(comings: Sequence[tuple[float, str, Act]]) -> list[Served]:
    begin = time.monotonic() + 0.1

    def come(number: int, at: float, kind: str, act: Act) -> Served:
        try:
            act(number)
            well = True
        except (PageFault, OSError):
            well = False
        waited = time.monotonic() - begin - at
        return Served(kind=kind, seconds=waited, well=well and waited < _PATIENCE_SECONDS)

    paused = threading.Event()
    with ThreadPoolExecutor(_MOST_AT_A_TIME) as pool:
        jobs = []
        for number, (at, kind, act) in enumerate(comings):
            paused.wait(max(0.0, begin + at - time.monotonic()))
            jobs.append(pool.submit(come, number, at, kind, act))
        return [job.result() for job in jobs]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", default="embedded", choices=("embedded", "real"))
    parser.add_argument("--agents", default="10,100,300", help="how many, by commas: a step each")
    parser.add_argument("--seconds", type=float, default=30.0, help="how much of the busiest minute to play")
    parser.add_argument("--seed", type=int, default=1, help="another one gives other moments")
    parser.add_argument("--table", action="store_true", help="print rows for docs/scale.md instead")
    given = parser.parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    kind: Engine = given.engines
    steps = [int(count) for count in given.agents.split(",")]
    load, rng = os.getloadavg(), random.Random(given.seed)
    try:
        if kind == "real":
            engines.start()
        with running(kind, say) as stack:
            town = Town(stack)
            found = [town.minute(agents, given.seconds, rng) for agents in steps]
    except engines.NoEngines as missing:
        print(missing, file=sys.stderr)
        return 1
    document = {"engines": kind, "cores": os.cpu_count(), "load": [round(value, 1) for value in load], "steps": found}
    if given.table:
        print("\n".join(row(step) for step in found))
        say(f"{document['cores']} cores, load before {document['load']}")
        return 0
    print(json.dumps(document, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
