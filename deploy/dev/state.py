"""Where a stack on this machine keeps its state, and which ports it takes.

Two stacks may run side by side: `WAYVAULT_STATE` names the state directory (default `var`), `WAYVAULT_PORT_BASE` the
first of the 30 ports (default 8100).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    def charging(self) -> int:
        return self.base + 6

    @property
    def gateway(self) -> int:
        """The simulator that stands for the demo agency's payment gateway."""
        return self.base + 7

    @property
    def charging_metrics(self) -> int:
        return self.base + 8

    @property
    def metrics(self) -> int:
        """The first of three: CRM, portal, frame."""
        return self.base + 11

    @property
    def phone(self) -> int:
        """The masker's gRPC."""
        return self.base + 15

    @property
    def phone_ng(self) -> int:
        """The masker's ng, over UDP."""
        return self.base + 16

    @property
    def sip(self) -> int:
        """Kamailio, over UDP."""
        return self.base + 14

    @property
    def media(self) -> range:
        """Where telephones send their sound: 24 calls."""
        first = self.base + (30_000 if self.base < 30_000 else -20_000)
        return range(first, first + 100)

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

    def member(self, engine: str, number: int) -> range:
        """The four ports of one member of an engine's cluster (1 to 3), beyond those of the stack."""
        first = self.base + (1000 if self.base < 60_000 else -1000)
        block = ("rabbitmq", "hcvault", "postgres").index(engine) * 3 + number - 1
        return range(first + 4 * block, first + 4 * block + 4)


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
    def phone(self) -> Path:
        """Extensions with their passwords, and Kamailio's configuration."""
        return self.root / "phone"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"
