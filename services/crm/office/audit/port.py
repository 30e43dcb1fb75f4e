"""The port to the vault's trail, as the audit viewer needs it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.crm.core.ports.vault import AccessEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows; empty and None = all. `action` is an action's beginning; `until` is exclusive."""

    agent_id: str = ""
    payment_id: str = ""
    action: str = ""
    refused_only: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailRow:
    """A row of the vault's trail. `intact`: the vault computed its seal anew, and it fits."""

    entry: AccessEntry
    payment_id: str
    chain_id: str
    sequence: int
    intact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailPage:
    """Rows, newest first; `next` continues with older ones. `chains_broken` chains end elsewhere than their sealed
    head says."""

    rows: tuple[TrailRow, ...]
    next: str
    chains: int
    chains_broken: int


class TrailPort(Protocol):
    """AuditReader of vault.proto. Raises chassis.errors.WayvaultError."""

    def page(self, agency_id: str, wanted: Wanted, *, limit: int, after: str) -> TrailPage: ...
