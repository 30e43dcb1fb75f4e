"""What a process does so that its memory stays its own: no core dumps, and no other process of its user looks in."""

import ctypes
import resource
import sys
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
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        log.warning("hardening.core_limit_stays", error=type(error).__name__)
    if sys.platform != "linux" or _prctl(_PR_SET_DUMPABLE, 0) != 0:
        log.warning("hardening.dumpable_stays")


def memory_is_private() -> bool:
    """Whether both hold for this process."""
    return resource.getrlimit(resource.RLIMIT_CORE)[0] == 0 and _prctl(_PR_GET_DUMPABLE) == 0


def _prctl(option: int, argument: int = 0) -> int:
    return int(ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0))
