"""What a fault does to one member of an engine's cluster: kill -9, SIGSTOP, or its cable pulled out."""

import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.dev.engines.cluster.network import Network, Place
from deploy.dev.engines.host import engines_home
from deploy.dev.state import State


@dataclass(frozen=True, slots=True)
class Member:
    """One of three. Its processes are found by its data directory, which their command lines name."""

    place: Place
    home: Path

    @classmethod
    def of(cls, state: State, engine: str, name: str) -> "Member":
        """The member of that name, e.g. postgres-2."""
        place = next(each for each in Network(state).places(engine) if each.folder == name)
        return cls(place, engines_home(state, shared=engine != "hcvault"))

    def kill(self) -> None:
        """kill -9 of all its processes at once, as when its machine loses power."""
        found = self._processes()
        assert found, f"{self.place.folder} does not run"
        self._signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(found, timeout=10)
        assert not alive, f"{self.place.folder} survives kill -9"

    def freeze(self) -> None:
        """Stops all its processes: connections stay, nothing answers."""
        assert self._processes(), f"{self.place.folder} does not run"
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets them go on."""
        self._signal(signal.SIGCONT)

    def cut(self) -> None:
        """Cuts it off from everybody else; its own processes still reach each other."""
        self._cable("down")

    def mend(self) -> None:
        """Ends what `cut` did."""
        self._cable("up")

    def _cable(self, how: str) -> None:
        assert self.place.cable, "members have no namespaces of their own here"
        subprocess.run(["ip", "link", "set", self.place.cable, how], check=True)

    def _signal(self, number: signal.Signals) -> None:
        """Twice over: what was forked meanwhile gets it too."""
        for _ in range(2):
            for each in self._processes():
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        marker = f"{self.home / self.place.folder}/"
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(marker in f"{part}/" for part in process.cmdline()):
                    found |= {each.pid: each for each in (process, *process.children(recursive=True))}
        return [each for each in found.values() if _lives(each)]


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    return False
