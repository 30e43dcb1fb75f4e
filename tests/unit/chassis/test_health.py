"""Liveness and readiness as an orchestrator asks for them."""

import json
import urllib.error
import urllib.request

import pytest

from chassis.health import NotReady, Readiness, serve_status


class Part:
    """Something that is there or away, and counts how often it was asked."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.asked = 0

    def check(self) -> None:
        self.asked += 1
        if self.fault:
            raise self.fault


def test_it_is_ready_while_every_part_answers_and_names_what_is_away() -> None:
    moment = [0.0]
    database, bus = Part(), Part()
    readiness = Readiness({"database": database.check, "bus": bus.check}, now=lambda: moment[0])
    assert readiness.faults() == {}
    database.fault, bus.fault = ConnectionError("postgresql://user:secret@host"), NotReady("it has no queue")
    moment[0] = 10.0
    assert readiness.faults() == {"database": "ConnectionError", "bus": "it has no queue"}


def test_parts_are_asked_at_most_every_two_seconds() -> None:
    moment = [0.0]
    part = Part()
    readiness = Readiness({"database": part.check}, now=lambda: moment[0])
    for _ in range(50):
        readiness.faults()
    assert part.asked == 1
    moment[0] = 2.0
    readiness.faults()
    assert part.asked == 2


@pytest.mark.enable_socket
def test_the_port_answers_alive_ready_and_metrics() -> None:
    part = Part()
    port = serve_status("127.0.0.1:0", Readiness({"database": part.check}))
    assert _get(port, "/healthz") == (200, {"status": "alive"})
    assert _get(port, "/readyz") == (200, {"status": "ready"})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert b"python_info" in answer.read()
    assert _get(port, "/nothing")[0] == 404


@pytest.mark.enable_socket
def test_what_can_not_serve_lives_on() -> None:
    part = Part()
    part.fault = OSError("away")
    port = serve_status("127.0.0.1:0", Readiness({"vault": part.check}))
    assert _get(port, "/healthz")[0] == 200
    assert _get(port, "/readyz") == (503, {"status": "not ready", "away": {"vault": "OSError"}})


def test_without_an_address_nothing_is_served() -> None:
    assert serve_status("", Readiness({})) == 0


def _get(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)
