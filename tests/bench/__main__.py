"""`python -m tests.bench`: measures, and prints one JSON document to stdout; progress goes to stderr."""

import argparse
import datetime as dt
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from tests.bench import engines, phone, relay, submit, vault
from tests.bench.figures import Figure, document
from tests.bench.progress import say
from tests.support.stack import Engine

PARTS = ("vault", "relay", "submit", "phone")


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    # What is measured may log; stdout is for the document alone.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    # Told to stop, it still takes its processes, databases and mounts away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kinds: tuple[Engine, ...] = ("embedded", "real") if given.engines == "both" else (given.engines,)
    parts = PARTS if given.part == "all" else (given.part,)
    began, load = time.monotonic(), os.getloadavg()
    try:
        if "real" in kinds:
            engines.start()
        # Telephones know no engines: they are measured once.
        figures = [
            figure
            for kind in kinds
            for part in parts
            if part != "phone" or kind is kinds[0]
            for figure in _measure(part, kind, given)
        ]
    except engines.NoEngines as missing:
        print(missing, file=sys.stderr)
        return 1
    about = _about(given, seconds=time.monotonic() - began, load=load)
    text = json.dumps(document(figures, about=about), indent=2)
    if given.out is not None:
        given.out.write_text(text + "\n", "utf-8")
    print(text)
    return 0


def _measure(part: str, kind: Engine, given: argparse.Namespace) -> list[Figure]:
    say(f"{part}, {kind}")
    match part:
        case "vault":
            plan = vault.QUICK if given.quick else vault.FULL
            return vault.measure(kind, plan, processes=given.vault_processes)
        case "relay":
            return relay.measure(kind, relay.QUICK if given.quick else relay.FULL)
        case "phone":
            return phone.measure(phone.QUICK if given.quick else phone.FULL)
        case _:
            return submit.measure(kind, submit.QUICK if given.quick else submit.FULL)


def _about(given: argparse.Namespace, *, seconds: float, load: tuple[float, ...]) -> dict[str, Any]:  # Any: JSON
    return {
        "command": f"python -m tests.bench {given.part} --engines {given.engines}{' --quick' if given.quick else ''}",
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "load_before": [round(value, 1) for value in load],
            "load_after": [round(value, 1) for value in os.getloadavg()],
        },
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=(*PARTS, "all"))
    parser.add_argument("--engines", default="both", choices=("embedded", "real", "both"))
    parser.add_argument("--quick", action="store_true", help="fewer runs and operations: a first look")
    parser.add_argument("--out", type=Path, help="write the document to this file too")
    parser.add_argument("--vault-processes", type=int, help="server processes of the vault; default: see README.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
