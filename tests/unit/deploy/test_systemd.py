"""The systemd units start commands that exist, with least privilege, and systemd reads them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
DEMANDED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "LimitCORE": "0",
    "UMask": "0077",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
}


def settings_of(unit: Path) -> dict[str, str]:
    lines = [line for line in unit.read_text("utf-8").splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_unit_has_least_privilege_and_a_user_of_its_own(unit: Path) -> None:
    found = settings_of(unit)
    service = re.fullmatch(r"wayvault-(\w+)@\.service", unit.name)
    assert service is not None
    assert {name: found.get(name) for name in DEMANDED} == DEMANDED
    assert found["User"] == f"wayvault-{service[1]}"
    assert found["ExecStart"].endswith(f"-m services.{service[1]} %i")
    assert (found.get("MemorySwapMax") == "0") is (service[1] == "vault")


def test_the_target_starts_commands_that_the_programs_have() -> None:
    wanted = re.findall(r"wayvault-(\w+)@([\w-]+)\.service", (FOLDER / "wayvault.target").read_text("utf-8"))
    assert {service for service, _ in wanted} == {"vault", "crm", "portal", "notifier"}
    for service, command in wanted:
        assert (FOLDER / f"wayvault-{service}@.service").is_file()
        assert f'"{command}"' in (ROOT / "services" / service / "__main__.py").read_text("utf-8")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_reads_every_unit_without_a_complaint(tmp_path: Path) -> None:
    for path in FOLDER.iterdir():
        # What the unit starts is not here; everything else is as it stands.
        text = path.read_text("utf-8").replace("/opt/wayvault/.venv/bin/python", "/bin/true")
        (tmp_path / path.name.replace("@.", "@serve.")).write_text(text)
    names = [str(path) for path in sorted(tmp_path.glob("*.service"))]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "wayvault-" in line] == []
