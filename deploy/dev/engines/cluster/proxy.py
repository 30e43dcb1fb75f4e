"""HAProxy before the members of one engine: what connects to the engine's one address is led to who leads."""

import csv
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.dev.engines.host import (
    EngineFault,
    demand_free_port,
    find_program,
    host_of,
    is_running,
    port_is_taken,
    read_pid,
    stop_process,
    wait_until,
)
from deploy.dev.state import State
from deploy.files import write_file

NAME = "HAProxy"
_INSTALL = "Install it: `apt-get install haproxy` (Wayvault starts one of its own; Debian's may stay stopped)."
# TLS goes through to the member. A member that is no longer asked loses its connections at once, so that nobody waits
# for an answer that will not come.
_CONFIGURATION = """\
# Written by deploy/dev/engines at every start.
global
  maxconn 2000
  nbthread 1
  pidfile {pid}
  stats socket {socket} mode 600 level user
defaults
  mode tcp
  maxconn 2000
  timeout connect 2s
  timeout client 30m
  timeout server 30m
  timeout check 2s
  option clitcpka
  option srvtcpka
  default-server inter 1s fastinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """One address (a port of 127.0.0.1) and the members behind it: (host:port, options of the check) by name. `check`
    are HAProxy's lines that say how a member is asked whether it takes connections."""

    name: str
    port: int
    check: tuple[str, ...]
    members: Mapping[str, tuple[str, str]]

    def lines(self) -> str:
        heading = [f"listen {self.name}", f"  bind 127.0.0.1:{self.port}", *(f"  {line}" for line in self.check)]
        return (
            "\n".join([*heading, *(f"  server {n} {at} check {how}" for n, (at, how) in self.members.items())]) + "\n"
        )


class Proxy:
    """One HAProxy with all fronts of an engine."""

    def __init__(self, state: State, engine: str) -> None:
        self._state = state
        self._folder = f"{engine}-proxy"

    def start(self, fronts: list[Front]) -> bool:
        """Starts it if it does not run; returns whether it had to. Raises EngineFault."""
        program = find_program("haproxy", "/usr/sbin/haproxy")
        if program is None:
            raise EngineFault(f"{NAME} is not installed. {_INSTALL}")
        host = host_of(self._state, self._folder, account=None)
        if self._pid() is not None:
            return False
        for front in fronts:
            demand_free_port(front.port, NAME)
        asked = host.data / "asked"
        files = {"pid": host.data / "haproxy.pid", "socket": asked}
        text = _CONFIGURATION.format(**files) + "".join(front.lines() for front in fronts)
        configuration = host.data / "haproxy.cfg"
        write_file(configuration, text)
        log = host.data / "haproxy.log"
        pid = host.spawn([program, "-db", "-f", str(configuration)], log=log)
        write_file(host.data / "proxy.pid", str(pid))
        wait_until(
            lambda: all(port_is_taken(front.port) for front in fronts),
            what=NAME, seconds=20, log=log, alive=lambda: self._pid() is not None,
        )  # fmt: skip
        # Until then it leads to members that don't lead as well, and cuts who is connected once it knows.
        wait_until(lambda: _every_member_is_judged(asked), what=f"{NAME}'s first checks", seconds=30, log=log)
        return True

    def stop(self) -> bool:
        """Stops it; returns whether it ran."""
        pid = self._pid()
        if pid is None:
            return False
        stop_process(pid, marker=self._folder, what=NAME)
        return True

    def _pid(self) -> int | None:
        host = host_of(self._state, self._folder, account=None)
        pid = read_pid(host.data / "proxy.pid")
        return pid if pid is not None and is_running(pid, str(host.data)) else None


def _every_member_is_judged(asked: Path) -> bool:
    """Whether HAProxy has found each member up or down: to start with it takes all for up, unchecked."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(asked))
        connection.sendall(b"show stat -1 4 -1\n")
        with connection.makefile(encoding="utf-8") as answer:
            members = list(csv.DictReader(answer))
    return bool(members) and all(
        member["status"] in {"UP", "DOWN"} and member["check_status"] != "INI" for member in members
    )
