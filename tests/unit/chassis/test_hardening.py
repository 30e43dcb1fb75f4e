"""A process that crashes leaves no memory behind, and each long-lived one is such a process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
