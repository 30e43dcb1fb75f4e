"""Where members live: each in a network namespace of its own behind one bridge, or all on 127.0.0.1.

The bridge's addresses (10.128.0.0/9, one /24 for each port base) lead nowhere but to the namespaces of this machine.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from deploy.dev import certificates
from deploy.dev.engines.host import EngineFault, find_program
from deploy.dev.state import State

MEMBERS = (1, 2, 3)
# The last byte of an engine's first member's address, less one.
_FIRST = {"rabbitmq": 10, "hcvault": 20, "postgres": 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One member's own: `namespace` is None where all share this machine's network. `cable` is the link to all others;
    set down, it cuts the member off."""

    engine: str
    number: int
    address: str
    namespace: str | None = None
    cable: str | None = None

    @property
    def folder(self) -> str:
        """Of its data, in the engines' home."""
        return f"{self.engine}-{self.number}"


class Network:
    """The network of one state directory's members."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._base = state.ports.base
        self._bridge = f"wv{self._base}"
        self._prefix = f"10.{128 + (self._base >> 9)}.{(self._base >> 1) & 0xFF}"

    def place(self, engine: str, number: int) -> Place:
        """Where that member lives."""
        if not namespaces_work():
            return Place(engine=engine, number=number, address="127.0.0.1")
        return Place(
            engine=engine,
            number=number,
            address=f"{self._prefix}.{_FIRST[engine] + number}",
            namespace=f"{self._bridge}-{engine}-{number}",
            # The end on the bridge; such names have at most 15 characters.
            cable=f"{self._bridge}-{engine[0]}{number}",
        )

    def places(self, engine: str) -> list[Place]:
        """Of all members of an engine."""
        return [self.place(engine, number) for number in MEMBERS]

    def certify(self, place: Place) -> None:
        """Keeps the member's server certificate good: for its own address, and for this machine's, where HAProxy is."""
        names = ["localhost", "127.0.0.1", *({place.address} - {"127.0.0.1"})]
        certificates.ensure_for_names(self._state, place.folder, names)

    def make(self, place: Place) -> None:
        """Makes the member's certificate and its namespace, once, and joins it to the others. Raises EngineFault."""
        self.certify(place)
        if place.namespace is None:
            return
        if not _succeeds("link", "show", self._bridge):
            _run("link", "add", self._bridge, "type", "bridge", "forward_delay", "0")
            _run("addr", "add", f"{self._prefix}.254/24", "dev", self._bridge)
            _run("link", "set", self._bridge, "up")
        if _succeeds("link", "show", place.cable or ""):
            _run("link", "set", place.cable or "", "up")
            return
        _succeeds("netns", "del", place.namespace)
        _run("netns", "add", place.namespace)
        cable, within = place.cable or "", ("-n", place.namespace)
        _run("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", place.namespace)
        _run("link", "set", cable, "master", self._bridge, "up")
        _run(*within, "addr", "add", f"{place.address}/24", "dev", "eth0")
        _run(*within, "link", "set", "lo", "up")
        _run(*within, "link", "set", "eth0", "up")

    def remove(self, engine: str) -> None:
        """Removes an engine's namespaces, and the bridge once it leads nowhere."""
        for place in self.places(engine):
            if place.namespace is not None:
                _succeeds("netns", "del", place.namespace)
                _succeeds("link", "del", place.cable or "")
        if namespaces_work() and not _output("link", "show", "master", self._bridge):
            _succeeds("link", "del", self._bridge)


@cache
def namespaces_work() -> bool:
    """Whether this account may make network namespaces: root on Linux, with iproute2."""
    if os.geteuid() != 0 or find_program("ip") is None or find_program("setpriv") is None:
        return False
    probe = f"wv-probe-{os.getpid()}"
    works = _succeeds("netns", "add", probe) and _succeeds("-n", probe, "link", "set", "lo", "up")
    _succeeds("netns", "del", probe)
    return works


def _ip(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_program("ip") or "ip", *arguments], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def _succeeds(*arguments: str) -> bool:
    return _ip(arguments).returncode == 0


def _output(*arguments: str) -> str:
    return _ip(arguments).stdout.strip()


def _run(*arguments: str) -> None:
    done = _ip(arguments)
    if done.returncode != 0:
        raise EngineFault(f"ip {' '.join(arguments)} failed: {done.stderr.strip()[-300:]}")
