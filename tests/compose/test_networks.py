"""The zones of docs/design.md as the containers' networks keep them: every connection not listed here is refused."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.compose.__main__ import Stack
from deploy.compose.files import METRICS

# What each program may reach of what is worth reaching.
ENGINES = {"vault-postgres": 5432, "hcvault": 8200, "postgres": 5432, "rabbitmq": 5671}
TARGETS = {"vault": 8105, "charging": 8106, "masker": 8112, **ENGINES}
ALLOWED = {
    "proxy": set(),
    "frame": {"vault"},
    "vault": {"vault-postgres", "hcvault"},
    "vault-worker": {"vault-postgres", "hcvault"},
    # Its way to the gateways is the one that leads out.
    "charging": {"vault-postgres", "hcvault"},
    "crm": {"vault", "charging", "masker", "postgres", "rabbitmq"},
    "crm-worker": {"vault", "charging", "masker", "postgres", "rabbitmq"},
    "portal": {"vault", "postgres", "rabbitmq"},
    "portal-worker": {"vault", "postgres", "rabbitmq"},
    "notifier": {"postgres", "rabbitmq"},
    # Its own gRPC listens on the CRM's network alone.
    "masker": {"vault"},
    # It shares the masker's address, and has no certificate that the vault would talk to.
    "kamailio": {"vault"},
    # Metrics alone.
    "prometheus": set(),
}
# Programs with metrics: each on a network of its own, where Prometheus reads them.
SEEN = (
    *("vault", "vault-worker", "charging", "frame", "crm", "crm-worker"),
    *("portal", "portal-worker", "notifier", "mailbox", "masker"),
)
# What the proxy leads browsers to.
SITES = {"crm": 8101, "portal": 8102, "frame": 8103, "mailbox": 8104}
METRICS_PORT = int(METRICS.rpartition(":")[2])
# By one address: what one reaches of the other is its own.
ITSELF = {("kamailio", "masker")}
# Programs that need no way out of the host: not one route leads there.
SHUT_IN = (
    *("vault", "vault-worker", "frame", "crm", "crm-worker", "portal", "portal-worker", "mailbox"),
    *("postgres", "vault-postgres", "rabbitmq", "hcvault"),
)


def test_only_what_the_design_lists_can_be_reached(containers: Stack) -> None:
    reached = _reached(containers, ALLOWED, TARGETS)
    wrong = [f"{program} → {target}" for program in ALLOWED for target in reached[program] ^ ALLOWED[program]]
    assert wrong == [], "reached though forbidden, or not reached though needed"


def test_prometheus_alone_reaches_metrics_and_nothing_else_of_a_program(containers: Stack) -> None:
    metrics = dict.fromkeys(SEEN, METRICS_PORT)
    reached = _reached(containers, (*ALLOWED, *ENGINES, "mailbox"), metrics)
    assert reached.pop("prometheus") == set(SEEN)
    assert {program: targets for program, targets in reached.items() if targets} == {}


def test_the_proxy_alone_reaches_the_sites(containers: Stack) -> None:
    reached = _reached(containers, (*ALLOWED, *ENGINES, "mailbox"), SITES)
    assert {program: targets for program, targets in reached.items() if targets} == {"proxy": set(SITES)}


def test_the_crm_may_ask_charging_which_has_its_database_and_its_keys(containers: Stack) -> None:
    script = (
        "from services.crm.config import CrmSettings as S; from chassis.rpc import demand_serving, open_channel; "
        "s = S(); demand_serving(open_channel(s.charging_address, s.tls, s.charging_server_name)); print('serves')"
    )
    assert _inside(containers, "crm", "/opt/wayvault/venv/bin/python", "-c", script).strip() == "serves"


@pytest.mark.parametrize("program", SHUT_IN)
def test_programs_that_need_no_way_out_have_none(containers: Stack, program: str) -> None:
    routes = _inside(containers, program, "cat", "/proc/net/route").splitlines()[1:]
    assert routes
    assert [line for line in routes if line.split()[1] == "00000000"] == []


@pytest.mark.parametrize("program", [name for name in ALLOWED if name != "proxy"])
def test_programs_run_as_nobody_special_on_a_root_that_can_not_be_written(containers: Stack, program: str) -> None:
    assert _inside(containers, program, "id", "-u").strip() == "10001"
    refused = containers.containers.run(
        ["podman", "exec", f"wayvault_{program}_1", "touch", "/opt/wayvault/x"], check=False
    )
    assert refused.returncode != 0
    status = _inside(containers, program, "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status


@pytest.mark.parametrize("program", ["vault", "crm", "portal", "notifier"])
def test_images_hold_no_compiler_no_pip_and_a_bill_of_materials(containers: Stack, program: str) -> None:
    found = _inside(containers, program, "bash", "-c", "command -v gcc cc pip pip3 make || true").strip()
    assert found == ""
    others = {"vault", "crm", "portal", "notifier"} - {program}
    there = _inside(containers, program, "ls", "/opt/wayvault/services").split()
    assert others.isdisjoint(there)
    bill = json.loads(_inside(containers, program, "cat", "/opt/wayvault/sbom.cdx.json"))
    assert {component["name"] for component in bill["components"]} >= {"sqlalchemy", "grpcio"}


def test_status_says_that_every_program_is_ready_and_which_is_not(
    containers: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert containers.status(), capsys.readouterr().out
    containers.containers.run(["podman", "stop", "wayvault_rabbitmq_1"])
    try:
        # RabbitMQ's end is noticed by its clients; until then they believe in it.
        ends = time.monotonic() + 60
        while "bus" not in containers.lacks("wayvault_notifier_1"):
            assert time.monotonic() < ends
        assert not containers.status()
    finally:
        containers.containers.run(["podman", "start", "wayvault_rabbitmq_1"])
    ends = time.monotonic() + 120
    while containers.lacks("wayvault_notifier_1"):
        assert time.monotonic() < ends


def _addresses(containers: Stack, name: str) -> list[str]:
    """A container's addresses, on every network it stands on."""
    said = json.loads(containers.containers.run(["podman", "inspect", f"wayvault_{name}_1"]).stdout)
    return [network["IPAddress"] for network in said[0]["NetworkSettings"]["Networks"].values()]


def _reached(containers: Stack, programs: Iterable[str], targets: dict[str, int]) -> dict[str, set[str]]:
    """By program, the others to which a connection opens, by name or any address: a name alone would prove little."""
    addresses = {name: _addresses(containers, name) for name in targets}

    def reached_by(program: str) -> set[str]:
        others = [name for name in targets if name != program and (program, name) not in ITSELF]
        tries = "".join(
            f"(timeout 5 bash -c 'exec 3<>/dev/tcp/{host}/{targets[name]}' && echo {name}) 2>/dev/null &\n"
            for name in others
            for host in (name, *addresses[name])
        )
        return set(_inside(containers, program, "bash", "-c", tries + "wait").split())

    asked = tuple(programs)
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(asked, pool.map(reached_by, asked), strict=True))


def _inside(containers: Stack, program: str, *command: str) -> str:
    return containers.containers.run(["podman", "exec", f"wayvault_{program}_1", *command]).stdout
