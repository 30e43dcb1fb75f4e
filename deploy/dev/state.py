"""Where a stack on this machine keeps its state, and which ports it takes.

Two stacks may run side by side: `WAYVAULT_STATE` names the state directory (default `var`), `WAYVAULT_PORT_BASE` the
first of the 30 ports (default 8100).
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PRIVATE_DIR, PRIVATE_FILE, PUBLIC_FILE = 0o700, 0o600, 0o644
DEFAULT_PORT_BASE = 8100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one stack, all on 127.0.0.1."""

    base: int = DEFAULT_PORT_BASE

    @property
    def crm(self) -> int:
        return self.base + 1

    @property
    def portal(self) -> int:
        return self.base + 2

    @property
    def frame(self) -> int:
        return self.base + 3

    @property
    def mailbox(self) -> int:
        return self.base + 4

    @property
    def vault(self) -> int:
        return self.base + 5

    @property
    def postgres(self) -> int:
        return self.base + 20

    @property
    def rabbit(self) -> int:
        return self.base + 21

    @property
    def hcvault(self) -> int:
        return self.base + 22

    @property
    def rabbit_epmd(self) -> int:
        return self.base + 23

    @property
    def rabbit_distribution(self) -> int:
        return self.base + 24

    @property
    def rabbit_management(self) -> int:
        return self.base + 25

    @property
    def hcvault_cluster(self) -> int:
        return self.base + 26


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state directory of one stack and its ports."""

    root: Path
    ports: Ports

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "State":
        """Reads WAYVAULT_STATE and WAYVAULT_PORT_BASE. Raises ValueError for a port base that can't be used."""
        given = os.environ if environment is None else environment
        base = given.get("WAYVAULT_PORT_BASE") or str(DEFAULT_PORT_BASE)
        if not base.isdigit() or not 1024 <= int(base) <= 65_500:
            raise ValueError(f"WAYVAULT_PORT_BASE is {base!r}; it must be a number from 1024 to 65500")
        return cls(root=Path(given.get("WAYVAULT_STATE") or "var"), ports=Ports(base=int(base)))

    @property
    def certs(self) -> Path:
        return self.root / "certs"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def engines(self) -> Path:
        return self.root / "engines"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"


def private_directory(path: Path) -> Path:
    """Makes the directory if need be and keeps it to its owner (0700)."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
    path.chmod(PRIVATE_DIR)
    return path


def write_file(path: Path, content: bytes | str, *, mode: int = PRIVATE_FILE) -> None:
    """Replaces the file in one step, never readable by more than `mode` says, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), mode)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
