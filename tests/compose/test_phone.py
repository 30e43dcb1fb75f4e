"""Kamailio and the masker in containers: a call through both, and what Kamailio can't do beside the masker's keys."""

import json

import pytest

from deploy.compose.__main__ import Stack
from deploy.compose.files import SIP_PORT
from deploy.phone import check


def test_a_call_between_two_telephones_has_sound_in_both_directions(
    containers: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    address = containers.sites.phone
    options = ["--server", f"{address}:{SIP_PORT}", "--folder", str(containers.layout.state.phone), "--from", address]
    assert check.main(options) == 0, capsys.readouterr().err


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
    assert containers.containers.run([*inside, "ls", "/etc/wayvault"]).stdout.split() == ["kamailio.cfg"]
    said = json.loads(containers.containers.run(["podman", "inspect", "wayvault_kamailio_1"]).stdout)
    mounts = {mount["Destination"] for mount in said[0]["Mounts"]}
    assert mounts == {"/etc/wayvault"}
