"""Prometheus beside the containers: it reads every program's metrics, and judges them by the operators' rules."""

import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from deploy.compose.__main__ import Stack
from tests.compose.test_networks import SEEN
from tests.unit.deploy.test_monitoring import alerts

_PATIENCE_SECONDS = 90.0


def test_every_program_is_read_and_every_rule_is_judged(containers: Stack) -> None:
    """A scrape every 15 seconds, so each has been read once within half a minute of its start."""
    targets = _until(
        lambda: _ask("targets")["activeTargets"], lambda found: _health(found) == dict.fromkeys(SEEN, "up")
    )
    assert {target["labels"]["job"] for target in targets} == {"wayvault"}
    # What each says is its own: a series of the vault's worker, of a page, of the bus.
    for series in ("wayvault_card_data_overdue", "wayvault_outbox_lag_seconds", "wayvault_phone_calls"):
        assert _ask(f"query?query={series}")["result"], series
    rules = {rule["name"]: rule for group in _ask("rules")["groups"] for rule in group["rules"]}
    assert rules.keys() == {alert["alert"] for alert in alerts()}
    _until(lambda: _ask("rules"), lambda found: all(r["health"] == "ok" for g in found["groups"] for r in g["rules"]))


def test_a_program_that_ends_is_missed(containers: Stack) -> None:
    containers.containers.run(["podman", "stop", "wayvault_portal-worker_1"])
    try:
        _until(lambda: _ask("targets")["activeTargets"], lambda found: _health(found)["portal-worker"] == "down")
        down = quote('ALERTS{alertname="ProcessDown"}')
        pending = _until(lambda: _ask(f"query?query={down}")["result"], bool)
        assert {one["metric"]["instance"] for one in pending} == {"portal-worker:9464"}
    finally:
        containers.containers.run(["podman", "start", "wayvault_portal-worker_1"])
    _until(lambda: _ask("targets")["activeTargets"], lambda found: _health(found)["portal-worker"] == "up")


def _health(targets: list[dict[str, Any]]) -> dict[str, str]:
    return {target["labels"]["instance"].partition(":")[0]: target["health"] for target in targets}


def _until(ask: Callable[[], Any], well: Callable[[Any], bool]) -> Any:
    """Asks until the answer is as it has to be, and returns it."""
    ends, paused = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
    while not well(found := ask()):
        assert time.monotonic() < ends, found
        paused.wait(1.0)
    return found


def _ask(path: str) -> Any:
    with urllib.request.urlopen(
        f"http://127.0.0.1:{os.environ['WAYVAULT_PROMETHEUS_PORT']}/api/v1/{path}", timeout=10
    ) as answer:
        return json.load(answer)["data"]
