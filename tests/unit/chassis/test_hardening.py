"""A process that crashes leaves no memory behind, and each long-lived one is such a process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.hardening import readable_swap

ROOT = Path(__file__).resolve().parents[3]

_CRASH = """
import os, resource
# As much as may be had: a test before, in this run's process, may have lowered what its children can ask for.
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))

from chassis.hardening import keep_memory_private
keep_memory_private()
os.chdir({folder!r})
os.abort()
"""
_WORKER = """
import json, os, signal
from chassis.hardening import memory_is_private
from chassis.lifecycle import run_until_stopped
def tell():  # in one piece: logs go to standard output meanwhile
    os.write(2, json.dumps(memory_is_private()).encode() + b"\\n")
def loop(stop):
    child = os.fork()
    if child == 0:
        tell()
        os._exit(0)
    os.waitpid(child, 0)
    os.kill(os.getpid(), signal.SIGTERM)
    stop.wait()
tell()
run_until_stopped([("loop", loop)])
"""
_SITE = """
import json, sys
from chassis.hardening import memory_is_private
from chassis.web import server
server._Application.run = lambda self: print(json.dumps(memory_is_private()), file=sys.stderr)
server.serve(lambda: None, "127.0.0.1:0")
"""


def said_by(program: str) -> list[bool]:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines() if line in ("true", "false")]


def test_a_crash_leaves_no_core_file(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _CRASH.format(folder=str(tmp_path))], cwd=ROOT, check=False)

    assert done.returncode == -6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("program", "expected"), [(_WORKER, [False, True]), (_SITE, [True])], ids=["worker", "site"])
def test_a_process_keeps_its_memory_private_and_so_do_those_it_forks(program: str, expected: list[bool]) -> None:
    assert said_by(program) == expected


def machine(root: Path, swaps: str, **files: str) -> Path:
    """A root with /proc/swaps of these devices, and what else is to be in it by path with __ for /."""
    listed = "Filename\t\tType\t\tSize\t\tUsed\t\tPriority\n" + "".join(
        f"{name} partition 8388604 0 -2\n" for name in swaps.split()
    )
    for name, text in {"proc__swaps": listed, **files}.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def test_swap_that_a_disk_would_keep_in_the_clear_is_named(tmp_path: Path) -> None:
    assert readable_swap(machine(tmp_path / "none", "")) == []
    assert readable_swap(machine(tmp_path / "disk", "/dev/sda2 /swap.img")) == ["/dev/sda2", "/swap.img"]
    assert readable_swap(tmp_path / "systemd shows no such file") == []


def test_swap_in_memory_or_encrypted_is_none_that_a_disk_would_keep(tmp_path: Path) -> None:
    encrypted = machine(tmp_path / "luks", "/dev/dm-0", **{"sys__block__dm-0__dm__uuid": "CRYPT-LUKS2-1f-swap\n"})
    assert readable_swap(encrypted) == []
    above = {"sys__block__dm-1__dm__uuid": "LVM-1\n", "sys__block__dm-1__slaves__dm-0__dm__uuid": "CRYPT-LUKS2-1f-vg\n"}
    assert readable_swap(machine(tmp_path / "lvm", "/dev/dm-1", **above)) == []
    plain = {"sys__block__dm-1__dm__uuid": "LVM-1\n", "sys__block__dm-1__slaves__sda3__size": "1\n"}
    assert readable_swap(machine(tmp_path / "plain", "/dev/dm-1", **plain)) == ["/dev/dm-1"]
    assert readable_swap(machine(tmp_path / "zram", "/dev/zram0", sys__block__zram0__backing_dev="none\n")) == []
    written_back = machine(tmp_path / "back", "/dev/zram0", sys__block__zram0__backing_dev="/dev/sda4\n")
    assert readable_swap(written_back) == ["/dev/zram0"]


@pytest.mark.parametrize(("limit", "named"), [("0\n", []), ("max\n", ["/dev/sda2"])])
def test_a_group_that_may_not_swap_has_nothing_to_fear(tmp_path: Path, limit: str, named: list[str]) -> None:
    inner = {
        "proc__self__cgroup": "0::/system.slice/wayvault-vault@1.service\n",
        "sys__fs__cgroup__system.slice__memory.swap.max": limit,
        "sys__fs__cgroup__system.slice__wayvault-vault@1.service__memory.swap.max": "max\n",
    }
    assert readable_swap(machine(tmp_path, "/dev/sda2", **inner)) == named
    # In a container its own group is the root.
    own = {"proc__self__cgroup": "0::/\n", "sys__fs__cgroup__memory.swap.max": limit}
    assert readable_swap(machine(tmp_path / "container", "/dev/sda2", **own)) == named
