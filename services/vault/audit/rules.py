"""What an audit row is and how rows are chained. Pure.

A row's MAC covers every field of the row and the MAC before it, so that none can be edited, removed, added or moved
without the key. The chain's head (its last number and MAC) is kept beside it with a MAC of its own.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Result = Literal["ok", "refused"]

GENESIS = "0" * 64
"""What stands before a chain's first row."""

MAX_REASON, MAX_USER_AGENT, MAX_NAME = 300, 300, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What happened: what a room hands to `AuditTrail.record`. Never holds card data."""

    action: str
    """Constant, in the field's words: `card.stored`, `code.refused`, `key.rotated` …"""
    result: Result = "ok"
    actor: str
    """The client certificate's identity (`portal`, `crm`, `operator`), or `vault` for its own doing."""
    agent_id: str = ""
    resource: str
    """What it was done to: an id of a card, challenge, agent, key, or chain."""
    card_token: str | None = None
    reason: str = ""
    """For refusals the ErrorCode's name; for removals the reason; for reveals the purpose."""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """An entry in its chain."""

    entry: AuditEntry
    chain_id: str
    sequence: int
    at: datetime
    key_id: str
    prev_mac: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a chain stands: its last row's number (0 = none yet) and MAC."""

    chain_id: str
    sequence: int
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong in a chain, at a row's number."""

    chain_id: str
    sequence: int
    problem: str


@dataclass(slots=True, kw_only=True)
class VerifyReport:
    """What a verification read and found. No findings: every row is as it was written, and none is missing."""

    chains: int = 0
    rows: int = 0
    heads: int = 0
    findings: list[Finding] = field(default_factory=list)


def row_mac(key: bytes, record: AuditRecord) -> str:
    """HMAC-SHA-256 over all of the row but its own MAC, hex."""
    entry = record.entry
    content: list[str | int | None] = [
        "wayvault audit row 1",
        record.chain_id,
        record.sequence,
        record.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.action,
        entry.result,
        entry.actor,
        entry.agent_id,
        entry.resource,
        entry.card_token,
        entry.reason,
        entry.ip,
        entry.user_agent,
        record.key_id,
        record.prev_mac,
    ]
    return _mac(key, content)


def head_mac(key: bytes, head: Head, key_id: str) -> str:
    """HMAC-SHA-256 over a chain's head, hex: a chain can't be cut and its head set back by hand."""
    return _mac(key, ["wayvault audit head 1", head.chain_id, head.sequence, head.mac, key_id])


def _mac(key: bytes, content: Sequence[str | int | None]) -> str:
    # JSON of a flat list: each field is quoted, so no two lists give the same text.
    return hmac.new(key, json.dumps(content, ensure_ascii=True).encode(), hashlib.sha256).hexdigest()


def same_mac(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
