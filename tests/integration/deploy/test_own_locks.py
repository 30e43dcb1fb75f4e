"""Each service runs from its own lock and nothing else: an environment is made of it, and its processes started.

Its libraries are those that `make setup` installed by their hashes, for each lock's pins are the development lock's;
what is not in the service's lock is not there.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import Distribution, distribution
from pathlib import Path
from socket import create_server

import pytest
from packaging.requirements import Requirement

from deploy.dev import certificates
from deploy.dev.state import Ports, State

ROOT = Path(__file__).resolve().parents[3]
SERVICES = ("vault", "crm", "portal", "notifier")
# Imports every module of a service, and says which library is missing.
_IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if ".migrations.versions" not in found.name and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""
_PATIENCE_SECONDS = 60.0

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(300)]


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def python(service: str, tmp_path: Path) -> Path:
    """The interpreter of an environment that holds the service's lock and nothing else."""
    uv, home = Path(sys.executable).parent / "uv", tmp_path / "venv"
    subprocess.run([str(uv), "venv", "--quiet", "--python", sys.executable, str(home)], check=True, cwd=tmp_path)
    (libraries,) = home.glob("lib/python*/site-packages")
    for name, version in _pins(service):
        installed = distribution(name)
        assert installed.version == version, f"{name} is installed as {installed.version}. Run make setup."
        _link(installed, libraries)
    return home / "bin" / "python"


def test_a_lock_pins_what_the_development_lock_pins(service: str) -> None:
    assert _locked(service) <= _locked("dev")


def test_a_service_starts_from_its_own_lock(service: str, python: Path, tmp_path: Path) -> None:
    checkout = _code_of(service, tmp_path / "code")
    imported = _run(python, "-c", _IMPORT_ALL, f"services.{service}", cwd=checkout)
    assert imported.returncode == 0, imported.stderr[-2000:]

    state = State(root=tmp_path / "var", ports=Ports())
    state.root.mkdir(mode=0o711)
    certificates.ensure(state)
    port, status = _free_port(), _free_port()
    prefix = service.upper()
    settings = {
        f"{prefix}_STATE_DIR": str(state.root),
        f"{prefix}_LISTEN": f"127.0.0.1:{port}",
        f"{prefix}_METRICS_LISTEN": f"127.0.0.1:{status}",
    }
    migrated = _run(python, "-m", f"services.{service}", "migrate", cwd=checkout, settings=settings)
    assert migrated.returncode == 0, migrated.stderr[-2000:]
    command = "serve" if service == "vault" else "worker"
    with _started(python, service, command, checkout, settings) as process:
        _wait(f"http://127.0.0.1:{status}/readyz", process)
    if service != "vault":
        with _started(python, service, "web", checkout, settings) as process:
            _wait(f"http://127.0.0.1:{port}/healthz", process)


def _locked(name: str) -> set[str]:
    """A lock's entries: a pin with its hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines() if not line.strip().startswith("#")]
    return set(re.split(r"\n(?=\w)", "\n".join(lines)))


def _pins(service: str) -> list[tuple[str, str]]:
    """Names and versions, as far as they are for this machine."""
    pins = [Requirement(entry.partition("\\\n")[0]) for entry in _locked(service) if entry]
    return [
        (pin.name, next(iter(pin.specifier)).version) for pin in pins if pin.marker is None or pin.marker.evaluate()
    ]


def _link(installed: Distribution, folder: Path) -> None:
    """Puts a library's files, with what they were compiled to, into another environment."""
    for file in installed.files or ():
        source, target = Path(str(installed.locate_file(file))), folder / file
        if ".." in file.parts or not source.exists():
            continue  # a script beside the interpreter
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(source)
        for compiled in source.parent.glob(f"__pycache__/{source.stem}.*.pyc") if source.suffix == ".py" else ():
            kept = target.parent / "__pycache__" / compiled.name
            kept.parent.mkdir(exist_ok=True)
            if not kept.exists():
                kept.symlink_to(compiled)


def _code_of(service: str, folder: Path) -> Path:
    """The service's own code beside chassis and protos, as its image has it."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("chassis", "protos", f"services/{service}", *(["services/crm_demo"] if service == "crm" else [])):
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy2(ROOT / "services" / "__init__.py", folder / "services" / "__init__.py")
    return folder


def _environment(settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "VIRTUAL_ENV"))}
    return {**kept, **settings}


def _run(
    python: Path, *arguments: str, cwd: Path, settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), *arguments],
        cwd=cwd,
        env=_environment(settings or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


@contextmanager
def _started(
    python: Path, service: str, command: str, cwd: Path, settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [str(python), "-m", f"services.{service}", command],
        cwd=cwd,
        env=_environment(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the address answers 200. Fails with what the process said when it ended instead."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < ends:
        if process.poll() is not None:
            assert process.stderr is not None
            pytest.fail(f"it ended with {process.returncode}: {process.stderr.read().decode()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            threading.Event().wait(0.1)  # asks again; nothing tells from outside when a process begins to listen
    pytest.fail(f"{url} did not answer within {_PATIENCE_SECONDS:g} s")


def _free_port() -> int:
    with closing(create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])
