"""CPU time of processes, from /proc: it varies less than a rate when the machine is busy with other things."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(pids: Iterable[int]) -> float:
    """User and system seconds that these processes, all threads, have used so far; one that ended counts as 0."""
    return sum(map(_seconds, pids))


def _seconds(pid: int) -> float:
    try:
        # proc(5): fields 14 and 15, counted after the command's name, which may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
