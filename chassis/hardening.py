"""What a process does so that its memory stays its own: no core dumps, and no other process of its user looks in."""

import ctypes
import resource
import sys
from contextlib import suppress
from typing import Final

import structlog

# <linux/prctl.h>
_PR_GET_DUMPABLE: Final = 3
_PR_SET_DUMPABLE: Final = 4

log = structlog.get_logger(__name__)


def keep_memory_private() -> None:
    """No core file of this process or its children, and no ptrace or /proc/<pid>/mem by others without privilege.

    Both at once: the limit alone doesn't bind where `core_pattern` is a pipe, and the flag alone is lost at execve. A
    system that lacks them is logged; the process goes on.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _prctl(_PR_SET_DUMPABLE, 0)
    if not memory_is_private():
        log.warning("hardening.memory_is_not_private")


def memory_is_private() -> bool:
    """Whether both hold for this process."""
    without_core = resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    return without_core and sys.platform == "linux" and _prctl(_PR_GET_DUMPABLE) == 0


def _prctl(option: int, argument: int = 0) -> int:
    return int(ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0))
