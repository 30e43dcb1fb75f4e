"""What a process does so that its memory stays its own: no core dumps, no other process of its user looks in, no swap
that could be read from a disk.
"""

import ctypes
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
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


def readable_swap(root: Path = Path("/")) -> list[str]:
    """Where memory of this process could be written to a disk in the clear: names of this machine's swap devices.

    Empty when there is no swap, when the process's control group is allowed none (systemd's MemorySwapMax=0,
    Kubernetes' NoSwap; version 2 only), when swap is compressed memory (zram) or on an encrypted device (dm-crypt, also
    below LVM). `root` has proc and sys. What /proc does not show (systemd's ProcSubset=pid) is not seen.
    """
    if _group_is_allowed_no_swap(root):
        return []
    try:
        lines = (root / "proc/swaps").read_text("utf-8").splitlines()[1:]
    except OSError:
        return []
    names = [line.split()[0] for line in lines]
    return [name for name in names if not _keeps_it_secret(root / "sys/block" / Path(name).name)]


def swap_problems() -> list[str]:
    """What keeps a process that cards pass through from running in production: words for its settings' problems."""
    if not (names := readable_swap()):
        return []
    words = (
        f"Swap is on ({', '.join(names)}): cards in memory could be written to a disk in the clear. Turn it off "
        "(swapoff -a, and take it out of /etc/fstab), put it on an encrypted device, or allow the service none "
        "(MemorySwapMax=0)."
    )
    return [words]


def _group_is_allowed_no_swap(root: Path) -> bool:
    """By the process's own group or one above it: a limit binds all below."""
    return any(limit == "0" for limit in _swap_limits(root))


def _swap_limits(root: Path) -> Iterator[str]:
    top = root / "sys/fs/cgroup"
    with suppress(OSError, StopIteration):
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
        place = next(line.removeprefix("0::/") for line in lines if line.startswith("0::/"))
        for folder in (top / place, *(top / place).parents):
            if folder == top or top in folder.parents:
                with suppress(OSError):
                    yield (folder / "memory.swap.max").read_text("ascii").strip()


def _keeps_it_secret(device: Path) -> bool:
    """Whether what is written to a block device (its folder in sysfs) reaches no disk, or only encrypted."""
    with suppress(OSError):
        if device.name.startswith("zram"):
            return (device / "backing_dev").read_text("ascii").strip() in ("", "none")
        if (device / "dm/uuid").read_text("ascii").startswith("CRYPT-"):
            return True
        below = list((device / "slaves").iterdir())
        return bool(below) and all(_keeps_it_secret(each) for each in below)
    return False


def _prctl(option: int, argument: int = 0) -> int:
    return int(ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0))
