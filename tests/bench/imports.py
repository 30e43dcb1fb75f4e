"""`python -m tests.bench.imports`: how long the worker takes to try a list of clients and to bring it in.

All in this process, on a database of its own that already holds other clients. Prints one JSON document: seconds by the
clock and of processor, for each of the two steps.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from chassis.db import open_database
from chassis.logging import configure_logging
from services.crm.core.actor import Actor
from services.crm.models import Base
from services.crm.parts import Dependencies
from services.crm.sales.importing.pairs import Decision
from services.crm.sales.importing.rules import DEFAULT_POLICIES
from services.crm_demo.large import import_large
from tests.bench.lists import open_crm

TARGET_SECONDS = 60.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.imports", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--clients", type=int, default=1_000, help="who are there before")
    given = parser.parse_args(arguments)
    configure_logging("crm", level="ERROR")
    with tempfile.TemporaryDirectory(prefix="wv-bench-imports-") as folder:
        url = f"sqlite:///{Path(folder) / 'crm.db'}"
        database = open_database(url, name="bench")
        Base.metadata.create_all(database.engine)
        database.dispose()
        deps = open_crm(url)
        agent_id = import_large(deps, clients=given.clients, payments=0).busiest_agent_id
        found = measure(deps, _actor(deps, agent_id), given.rows)
        deps.core.database.dispose()
    about = {"rows": given.rows, "cores": os.cpu_count(), "load": os.getloadavg()}
    print(json.dumps({"about": about, "target_seconds": TARGET_SECONDS, **found}, indent=2))
    return 0


def measure(deps: Dependencies, actor: Actor, rows: int) -> dict[str, object]:
    """Uploads a list, has it tried, and brings it in; then once more with another town in each row, so that every row
    looks like a client, and all are updated by one decision."""
    first = _brought_in(deps, actor, _list_of(rows, town="Newport"))
    again = _brought_in(deps, actor, _list_of(rows, town="Salem"))
    return first | {f"{step}_similar": found for step, found in again.items()}


def _brought_in(deps: Dependencies, actor: Actor, content: bytes) -> dict[str, object]:
    imports = deps.sales.imports
    made = imports.upload(actor, "list.csv", content)
    found, table = imports.table(actor, made.id)
    imports.check(actor, made.id, found.layout, imports.guess(table, day_first=False))
    tried = _timed(lambda: _work(deps))
    deps.sales.comparisons.decide_all(actor, made.id, None, Decision.UPDATE, take_files=True)
    imports.run(actor, made.id, DEFAULT_POLICIES)
    brought_in = _timed(lambda: _work(deps))
    counts = imports.get(actor, made.id).counts
    return {"try": tried, "bring_in": brought_in, "created": counts.created, "updated": counts.merged}


def _list_of(rows: int, *, town: str) -> bytes:
    lines = (
        f"First{n} Last{n},p{n}@mail.example,+1 401 {200 + n % 700} {n % 10_000:04d},{town}\n" for n in range(rows)
    )
    return ("Name,Email,Phone,City\n" + "".join(lines)).encode()


def _work(deps: Dependencies) -> None:
    while deps.sales.import_runner.work():
        pass


def _timed(step: Callable[[], None]) -> dict[str, float]:
    began, processor = time.perf_counter(), time.process_time()
    step()
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - processor, 1),
    }


def _actor(deps: Dependencies, agent_id: str) -> Actor:
    actor = deps.access.directory.actor(agent_id)
    assert actor is not None
    return actor


if __name__ == "__main__":
    sys.exit(main())
