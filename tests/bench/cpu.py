"""CPU time of processes, from /proc: it varies less than a rate when the machine is busy with other things."""

import os
from collections.abc import Iterable
from pathlib import Path

import psutil

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(pids: Iterable[int]) -> float:
    """User and system seconds that these processes, all threads, have used so far; one that ended counts as 0."""
    return sum(map(_seconds, pids))


def seconds_within(folder: Path) -> float:
    """The same of every program that was started with something in that folder, those that it started and that have
    ended among them; 0 where none runs."""
    found = 0.0
    for process in psutil.process_iter(["cmdline"]):
        if not any(str(folder) in word for word in process.info["cmdline"] or ()):
            continue
        try:
            times = process.cpu_times()
            children = [child.pid for child in process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        found += sum((times.user, times.system, times.children_user, times.children_system)) + seconds_of(children)
    return found


def _seconds(pid: int) -> float:
    try:
        # proc(5): fields 14 and 15, counted after the command's name, which may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
