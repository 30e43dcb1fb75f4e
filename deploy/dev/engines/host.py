"""What the three engines share: the account they run as, where their data lies, and how processes start and stop."""

import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from chassis.progress import at_work
from deploy.dev.state import State
from deploy.files import PRIVATE_DIR, PRIVATE_FILE, write_file

_TRAVERSABLE = 0o711
_POLL_SECONDS = 0.1


class EngineFault(Exception):
    """Something stands in the way; the message says what it is and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The system account that an engine runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One engine's place on this machine: `data` is its own directory, `account` its user (None: ours), `namespace` the
    network namespace that its processes live in (None: ours)."""

    data: Path
    account: Account | None
    namespace: str | None = None

    def run(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        timeout: float = 120.0,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end as the engine's account, in its directory. Raises EngineFault when it fails."""
        try:
            done = subprocess.run(
                self._within(arguments),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout,
                cwd=self.data,
                env={**_plain_environment(self.data), **(environment or {})},
                **self._identity(),
            )
        except subprocess.TimeoutExpired as error:
            raise EngineFault(f"{Path(arguments[0]).name} did not finish within {timeout:.0f} s.") from error
        if check and done.returncode != 0:
            raise EngineFault(f"{Path(arguments[0]).name} failed ({done.returncode}): {done.stdout.strip()[-800:]}")
        return done

    def spawn(self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> int:
        """Starts a server as the engine's account, detached from this terminal; returns its process id."""
        with log.open("ab") as stream:
            process = subprocess.Popen(
                self._within(arguments),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                env={**_plain_environment(self.data), **(environment or {})},
                start_new_session=True,
                **self._identity(),
            )
        # It lives on by itself. Without this Python warns of a running child whenever it collects the object, and in a
        # test run that warning strikes whichever test happens to run then.
        process.returncode = 0
        return process.pid

    def _within(self, arguments: Sequence[str]) -> list[str]:
        """Entering a namespace needs root, so the account is changed inside. Each program replaces the one before."""
        if self.namespace is None:
            return list(arguments)
        found = ["ip", "netns", "exec", self.namespace]
        if self.account:
            found += ["setpriv", f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups", "--"]
        return [*found, *arguments]

    def _identity(self) -> dict[str, Any]:  # Any: subprocess's own options
        if self.account is None or self.namespace is not None:
            return {}
        return {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}

    def own(self, path: Path, mode: int) -> None:
        """Gives a file or directory to the engine's account."""
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)
        path.chmod(mode)

    def place(self, name: str, content: bytes | str) -> Path:
        """Writes a private file of the engine into its directory and returns its path."""
        path = self.data / name
        write_file(path, content)
        self.own(path, PRIVATE_FILE)
        return path

    def place_certificates(self, state: State, identity: str) -> tuple[Path, Path, Path]:
        """Copies authority, certificate and key of `identity` to where the engine may read them."""
        copies = [
            self.place(name, (state.certs / source).read_bytes())
            for name, source in (
                ("ca.pem", "ca.pem"),
                ("server.pem", f"{identity}.pem"),
                ("server.key", f"{identity}.key"),
            )
        ]
        return copies[0], copies[1], copies[2]


def host_of(state: State, engine: str, *, account: str | None, namespace: str | None = None) -> Host:
    """The engine's directory, made if needed, and the account it runs as when we are root.

    Raises EngineFault when that account does not exist.
    """
    owner = _account(account) if account and os.geteuid() == 0 else None
    base = engines_home(state, shared=owner is not None)
    data = base / engine
    data.mkdir(exist_ok=True, mode=PRIVATE_DIR)
    host = Host(data=data, account=owner, namespace=namespace)
    host.own(data, PRIVATE_DIR)
    return host


def engines_home(state: State, *, shared: bool) -> Path:
    """Where engines keep their data: `<state>/engines`, or /var/tmp when other accounts can't get there.

    `shared` tells that an engine will run as another account than ours.
    """
    state.engines.mkdir(parents=True, exist_ok=True, mode=_TRAVERSABLE)
    state.engines.chmod(_TRAVERSABLE)
    home = state.engines.resolve()
    if not shared or _others_can_enter(home):
        return home
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    elsewhere = Path("/var/tmp") / f"wayvault-engines-{digest}"
    elsewhere.mkdir(exist_ok=True, mode=_TRAVERSABLE)
    if elsewhere.is_symlink() or elsewhere.stat().st_uid != os.geteuid():
        raise EngineFault(f"{elsewhere} belongs to somebody else. Remove it, then run this again.")
    elsewhere.chmod(_TRAVERSABLE)
    pointer = home / "home"
    if not pointer.is_symlink():
        pointer.symlink_to(elsewhere)
        print(f"  engines keep their data in {elsewhere}: their accounts can't enter {home}", flush=True)
    return elsewhere


def _others_can_enter(path: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _account(name: str) -> Account:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise EngineFault(f"There is no system account {name!r}, which Debian's package makes.") from None
    return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)


def _plain_environment(home: Path) -> dict[str, str]:
    """Only what a server needs: nothing of ours leaks into it, and nothing there changes how it starts."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": "/tmp"}


def find_program(*candidates: str) -> str | None:
    """The first of the given paths or program names that can be executed."""
    for candidate in candidates:
        found = shutil.which(candidate)
        if found:
            return found
    return None


def port_is_taken(port: int, address: str = "127.0.0.1") -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((address, port)) == 0


def demand_free_port(port: int, engine: str, address: str = "127.0.0.1") -> None:
    """Raises EngineFault when another program has the port."""
    if port_is_taken(port, address):
        raise EngineFault(
            f"Port {port} on {address}, which {engine} needs, is taken by another program. "
            f"Stop that program (`ss -ltnp 'sport = :{port}'` names it), "
            "or choose other ports, e.g. WAYVAULT_PORT_BASE=8200."
        )


def wait_until(
    ready: Callable[[], bool],
    *,
    what: str,
    seconds: float,
    log: Path | None = None,
    alive: Callable[[], bool] = lambda: True,
) -> None:
    """Waits until `ready`; says so when that takes long.

    Raises EngineFault with the log's end when the time is over, or as soon as the process is no longer `alive`.
    """
    started = time.monotonic()
    with at_work(f"waiting for {what}"):
        while not ready():
            if not alive():
                raise EngineFault(f"{what} ended while it was starting.{_tail(log)}")
            if time.monotonic() - started > seconds:
                raise EngineFault(f"{what} did not get ready within {seconds:.0f} s.{_tail(log)}")
            time.sleep(_POLL_SECONDS)


def _tail(log: Path | None) -> str:
    if log is None or not log.exists():
        return ""
    lines = log.read_text("utf-8", errors="replace").splitlines()[-15:]
    return f" The end of {log}:\n  " + "\n  ".join(lines)


def is_running(pid: int, marker: str) -> bool:
    """Whether the process lives and its command line holds `marker`, so that a reused number is not mistaken."""
    return _found(pid, marker) is not None


def _found(pid: int, marker: str) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        # A process has no command line for a moment while it is being executed.
        commandline = process.cmdline()
        return process if not commandline or any(marker in part for part in commandline) else None
    except psutil.NoSuchProcess:
        return None


def read_pid(file: Path) -> int | None:
    """The process id in the file's first line, or None."""
    try:
        return int(file.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def stop_process(pid: int, *, marker: str, what: str, seconds: float = 30.0) -> None:
    """Asks the process to end, and makes it end when it has not after `seconds`. Raises EngineFault if it lives on."""
    process = _found(pid, marker)
    if process is None:
        return
    try:
        process.terminate()
        with at_work(f"waiting for {what} to stop"):
            process.wait(seconds)
        return
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        process.kill()
    try:
        process.wait(5.0)
    except psutil.TimeoutExpired:
        raise EngineFault(f"{what} did not stop within {seconds + 5:.0f} s.") from None
