"""The vault's worker: the sweep each minute, keys that rotate in time, signed audit heads."""

import threading

import structlog

from chassis.health import serve_status
from chassis.lifecycle import Loop, every, run_until_stopped
from services.vault.health import readiness
from services.vault.parts import Dependencies
from services.vault.retention.report import make_report
from services.vault.reveal.measure import measure_challenges

log = structlog.get_logger("vault")


def timers(deps: Dependencies) -> list[tuple[str, Loop]]:
    """What happens by the clock."""
    core = deps.core

    def sweep() -> None:
        core.audit.prepare()
        swept = deps.sweep.run()
        counts = {field.name: value for field, value in swept.ListFields()}
        if counts:
            log.info("sweep.done", **counts)

    def heads() -> None:
        core.audit.write_heads()

    return [
        ("sweep", every(60, sweep, "sweep")),
        ("sealing_keys", every(60, deps.sealing_keys.rotate, "sealing_keys")),
        ("keys", every(60, deps.keys.tend, "keys")),
        ("audit_heads", every(300, heads, "audit_heads")),
        ("challenges", every(60, lambda: measure_challenges(core.database, core.clock), "challenges")),
        ("retention", every(60, lambda: make_report(core.database, core.clock), "retention")),
    ]


def run(deps: Dependencies, *, metrics: str, stop: threading.Event) -> None:
    """Runs until SIGTERM or SIGINT, when it sets `stop`; raises SystemExit(1) when a loop dies."""
    serve_status(metrics, readiness(deps), processes=2)
    try:
        run_until_stopped(timers(deps))
    finally:
        stop.set()
        deps.close()
