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
# What each unit runs, beside Kamailio, which is Debian's.
COMMANDS = {
    "vault": "services.vault %i",
    "frame": "services.vault web",
    "charging": "services.vault charging",
    "phone": "services.vault phone",
    "crm": "services.crm %i",
    "portal": "services.portal %i",
    "notifier": "services.notifier %i",
}
# Digits of cards may stand in their memory.
NEVER_SWAPPED = {"vault", "frame", "charging", "phone", "kamailio"}
# They talk to gateways, mail servers and telephones; all others to this machine alone.
LED_OUT = {"charging", "notifier", "phone", "kamailio"}
# systemd-analyze's own measure, of 10; its "OK" ends at 5.
_MOST_EXPOSED = 2.0


def program_of(unit: Path) -> str:
    """crm of wayvault-crm@.service."""
    return unit.name.removeprefix("wayvault-").removesuffix(".service").removesuffix("@")


def settings_of(unit: Path) -> dict[str, str]:
    lines = [line for line in unit.read_text("utf-8").splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def wanted(target: str) -> set[str]:
    """The units that a target starts."""
    lines = (FOLDER / target).read_text("utf-8").splitlines()
    return {name for line in lines if line.startswith("Wants=") for name in line.removeprefix("Wants=").split()}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_unit_has_least_privilege_and_a_user_of_its_own(unit: Path) -> None:
    found, program = settings_of(unit), program_of(unit)
    assert {name: found.get(name) for name in DEMANDED} == DEMANDED
    assert found["User"] == found["Group"] == f"wayvault-{program}"
    if program != "kamailio":
        assert found["ExecStart"].endswith(f"-m {COMMANDS[program]}")
        assert found["EnvironmentFile"] == f"/etc/wayvault/{program}.env"
    assert (found.get("MemorySwapMax") == "0") is (program in NEVER_SWAPPED)
    assert (found.get("IPAddressDeny") == "any") is (program not in LED_OUT)
    accounts = (FOLDER / "wayvault-users.conf").read_text("utf-8")
    assert re.search(rf"^u wayvault-{program} ", accounts, re.MULTILINE)


def test_the_target_starts_every_program_but_those_that_are_asked_for() -> None:
    names = wanted("wayvault.target")
    started = {re.sub(r"@.*", "", name).removeprefix("wayvault-").removesuffix(".service") for name in names}
    assert started == set(COMMANDS) - {"charging", "phone"}
    assert wanted("wayvault-phone.target") == {"wayvault-phone.service", "wayvault-kamailio.service"}
    for unit in ("wayvault-charging.service", "wayvault-phone.target"):
        assert "WantedBy=wayvault.target" in (FOLDER / unit).read_text("utf-8")


def test_the_target_starts_commands_that_the_programs_have() -> None:
    for name in wanted("wayvault.target"):
        service, _, command = name.removeprefix("wayvault-").removesuffix(".service").partition("@")
        assert (FOLDER / f"wayvault-{service}{'@' if command else ''}.service").is_file()
        package, command = COMMANDS[service].replace("%i", command).removeprefix("services.").split()
        assert f'"{command}"' in (ROOT / "services" / package / "__main__.py").read_text("utf-8")


def ready_for_systemd(folder: Path) -> list[str]:
    """The units as they stand, but for the programs that they start, which are not here."""
    for path in (*UNITS, *FOLDER.glob("*.target")):
        text = re.sub(r"/(opt/wayvault/.venv/bin/python|usr/sbin/kamailio)\b", "/bin/true", path.read_text("utf-8"))
        (folder / path.name.replace("@.", "@serve.")).write_text(text)
    return [str(path) for path in sorted(folder.iterdir())]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_reads_every_unit_without_a_complaint(tmp_path: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", *ready_for_systemd(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Targets want units by names that stand in no directory of systemd's here.
    assert [line for line in done.stderr.splitlines() if "wayvault" in line and "not found" not in line] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_judges_no_unit_to_be_exposed(tmp_path: Path) -> None:
    units = [name for name in ready_for_systemd(tmp_path) if name.endswith(".service")]
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", *units]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = {name: float(score) for name, score in re.findall(r"level for wayvault-(\S+)\.service: ([\d.]+)", said)}
    assert len(found) == len(units)
    assert {name: score for name, score in found.items() if score > _MOST_EXPOSED} == {}
