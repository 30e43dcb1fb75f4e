"""Starts, asks and ends the supervisord of a stack."""

import os
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.dev.engines.host import is_running, read_pid, stop_process, wait_until
from deploy.dev.programs import socket_of
from deploy.dev.settings import base_environment
from deploy.dev.state import State
from deploy.files import private_directory, write_file

_MARKER = "supervisord"


class Supervisor:
    """The supervisord of one state directory."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._pid_file = state.run / "supervisord.pid"

    @property
    def configuration_file(self) -> Path:
        return self._state.run / "supervisord.conf"

    def runs(self) -> bool:
        pid = read_pid(self._pid_file)
        return pid is not None and is_running(pid, _MARKER)

    def runs_with(self, configuration: str) -> bool:
        """Whether it runs, and was started with just this configuration."""
        return self.runs() and self.configuration_file.read_text("utf-8") == configuration

    def start(self, configuration: str) -> None:
        """Starts it in the background; its programs start with it. Raises subprocess.CalledProcessError."""
        private_directory(self._state.run)
        private_directory(self._state.log)
        write_file(self.configuration_file, configuration)
        subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(self.configuration_file)],
            check=True,
            env=base_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> bool:
        """Ends it and all its programs, each after its work in hand; returns whether it ran."""
        pid = read_pid(self._pid_file)
        if pid is None or not is_running(pid, _MARKER):
            return False
        stop_process(pid, marker=_MARKER, what="the services", seconds=60.0)
        return True

    def processes(self) -> list[dict[str, Any]]:  # Any: supervisor's records
        """One record per program (name, statename, pid, description); none when it does not answer."""
        transport = SupervisorTransport(None, None, serverurl=f"unix://{socket_of(self._state)}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            try:
                found: Any = proxy.supervisor.getAllProcessInfo()
            except (OSError, xmlrpc.client.Error):
                return []
            return list(found)

    def wait_for_socket(self) -> None:
        """Returns once it answers. Raises EngineFault when it does not."""
        wait_until(
            lambda: bool(self.processes()), what="supervisord", seconds=20, log=self._state.log / "supervisord.log"
        )


def run_command(
    arguments: list[str], *, environment: Mapping[str, str], root: Path, typed: Path | None = None
) -> subprocess.Popen[str]:
    """Starts one of the services' commands and leaves it running; its output is kept for whoever waits for it.

    It reads what is in the file `typed` from standard input.
    """
    given = typed.open("rb") if typed else None
    try:
        return _started(arguments, environment, root, given or subprocess.DEVNULL)
    finally:
        if given:
            given.close()


def _started(
    arguments: list[str], environment: Mapping[str, str], root: Path, given: IO[bytes] | int
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env={**base_environment(os.environ), **environment},
        stdin=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
