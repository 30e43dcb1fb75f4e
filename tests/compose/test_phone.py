"""Kamailio and the masker in containers: a call through both, and what Kamailio can't do beside the masker's keys."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.compose.__main__ import ROOT, Stack
from deploy.compose.files import SIP_PORT


@pytest.fixture
def elsewhere() -> Iterator[tuple[list[str], str]]:
    """What runs a command on another machine, as it were: a network namespace beyond the host; and its address."""
    name, here, there = "wv-telephones", "198.51.100.1", "198.51.100.2"
    commands = [
        f"ip netns add {name}",
        f"ip link add wv-here type veth peer name wv-there netns {name}",
        f"ip addr add {here}/30 dev wv-here",
        "ip link set wv-here up",
        f"ip -n {name} addr add {there}/30 dev wv-there",
        f"ip -n {name} link set wv-there up",
        f"ip -n {name} route add default via {here}",
    ]
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        yield ["ip", "netns", "exec", name], there
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


def test_calls_between_two_telephones_have_sound_in_both_directions(
    containers: Stack, elsewhere: tuple[list[str], str]
) -> None:
    beyond, address = elsewhere
    options = ["--server", f"{containers.sites.phone}:{SIP_PORT}", "--folder", str(containers.layout.state.phone)]
    command = [*beyond, sys.executable, "-m", "deploy.phone.check", *options, "--from", address]
    # Often: which side's sound comes first differs, and with it what the host's NAT remembers.
    for _ in range(8):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stderr


def test_the_vault_serves_the_masker_by_its_own_certificate(containers: Stack) -> None:
    script = (
        "from services.vault.phone.config import PhoneSettings as S\n"
        "from chassis.rpc import demand_serving, open_channel\n"
        "s = S(); demand_serving(open_channel(s.vault_address, s.tls, s.vault_server_name)); print('serves')"
    )
    asked = containers.containers.run(
        ["podman", "exec", "wayvault_masker_1", "/opt/wayvault/venv/bin/python", "-c", script]
    )
    assert asked.stdout.strip() == "serves"


def test_kamailio_reads_its_configuration_without_a_complaint_and_holds_no_keys(containers: Stack) -> None:
    inside = ["podman", "exec", "wayvault_kamailio_1"]
    checked = containers.containers.run([*inside, "kamailio", "-c", "-f", "/etc/wayvault/kamailio.cfg", "-Y", "/tmp"])
    assert "config file ok" in checked.stdout + checked.stderr
    containers.containers.run([*inside, "kamailio-answers"])
    assert containers.containers.run([*inside, "ls", "/etc/wayvault"]).stdout.split() == ["kamailio.cfg"]
    said = json.loads(containers.containers.run(["podman", "inspect", "wayvault_kamailio_1"]).stdout)
    mounts = {mount["Destination"] for mount in said[0]["Mounts"]}
    assert mounts == {"/etc/wayvault"}
