"""The last release: the commit that CHANGELOG.md names, checked out elsewhere with an environment of its own lock."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.dev.state import Ports, State
from tests.support.stack import ROOT, Engine

_RELEASE = re.compile(r"^## (\S+) \(([0-9a-f]{7,40})\)$", re.MULTILINE)
_SETUP_SECONDS = 900.0
_START_SECONDS = 400.0


def last_release() -> tuple[str, str]:
    """Its number and commit."""
    found = _RELEASE.search((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert found is not None, "CHANGELOG.md names no release"
    return found[1], found[2]


def checkout() -> Path:
    """The last release, ready to run; kept in the user's cache. Skips where the history is not there."""
    number, commit = last_release()
    if subprocess.run(["git", "-C", ROOT, "cat-file", "-e", f"{commit}^{{commit}}"], check=False).returncode != 0:
        pytest.skip(f"release {number} ({commit}) is not in this clone's history; `git fetch --unshallow` brings it")
    folder = Path.home() / ".cache" / "wayvault" / "releases" / commit
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, folder], check=True)
    subprocess.run(["git", "-C", folder, "checkout", "--quiet", "--detach", commit], check=True)
    subprocess.run(["make", "--silent", "setup"], cwd=folder, env=_plain(), check=True, timeout=_SETUP_SECONDS)
    return folder


def _plain() -> dict[str, str]:
    """The environment without what would lead the other checkout's programs to this one's."""
    return {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A running system of the last release."""

    process: "subprocess.Popen[str]"
    state: State
    settings: dict[str, str]

    def stop(self, *names: str) -> None:
        self._tell("stop", names)

    def start(self, *names: str) -> None:
        self._tell("start", names)

    def _tell(self, verb: str, names: tuple[str, ...]) -> None:
        assert self.process.stdin is not None
        print(verb, *names, file=self.process.stdin, flush=True)
        assert answer_of(self.process) == {"done": list(names)}


def answer_of(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The next line that it says. Fails when it ended instead."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the release ended with {process.wait(30)}"
    found: dict[str, Any] = json.loads(line)
    return found


@contextmanager
def running_release(engine: Engine) -> Iterator[Release]:
    """A whole system of the last release, which goes away afterwards with all that it made."""
    folder = checkout()
    engines_of = {"WAYVAULT_STATE": str(State.from_environment().root.resolve())}
    began = time.monotonic()
    process = subprocess.Popen(
        [folder / ".venv" / "bin" / "python", Path(__file__).with_name("old_stack.py"), engine],
        cwd=folder,
        env={**_plain(), **engines_of, "PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    )
    try:
        said = answer_of(process)
        assert time.monotonic() - began < _START_SECONDS
        state = State(root=Path(said["root"]), ports=Ports(base=said["base"]))
        yield Release(process=process, state=state, settings=said["settings"])
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(120)
        finally:
            process.kill()
            assert process.stdout is not None
            process.stdout.close()
