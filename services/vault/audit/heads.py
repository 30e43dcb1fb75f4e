"""Signed heads: where each chain stood, written to a second place that the database's owner need not own.

A file under the state directory, append-only, one JWS (ES256, `typ` wv-audit-head+jws) a line, made with the vault's
signing key. It finds what the chains themselves can't: a chain cut back together with its head, or gone altogether.
Rows younger than the chain's last signed head can be cut unseen by who also holds the HMAC key; heads are written at
every close and every few minutes by the worker, so that window is short.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chassis.sealing import OpeningKey, RecipientKey, SealError, open_signed, sign
from services.vault.audit.rules import Head

HEAD_TYP = "wv-audit-head+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenHead:
    """A line of the file that is not a head we signed."""

    line: int


class HeadFile:
    """The append-only file. Several processes may append."""

    def __init__(self, path: Path, key: OpeningKey) -> None:
        self._path = path
        self._key = key
        self._verify_key: RecipientKey = key.public

    def append(self, heads: list[Head], at: datetime) -> None:
        """Signs the heads and has them on disk before it returns. Raises OSError."""
        if not heads:
            return
        lines = "".join(sign(self._key, _payload(head, at), HEAD_TYP) + "\n" for head in heads)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _write_all(file, lines.encode())
            os.fsync(file)
        finally:
            os.close(file)

    def read(self) -> Iterator[Head | BrokenHead]:
        """Every line, oldest first; nothing when there is no file yet."""
        if not self._path.exists():
            return
        with self._path.open(encoding="ascii", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield _head(open_signed(self._verify_key, line.rstrip("\n"), HEAD_TYP))
                except (SealError, ValueError, KeyError, TypeError):
                    yield BrokenHead(line=number)

    def last(self) -> dict[str, int]:
        """The highest signed sequence of each chain."""
        known: dict[str, int] = {}
        for head in self.read():
            if isinstance(head, Head):
                known[head.chain_id] = max(head.sequence, known.get(head.chain_id, 0))
        return known


def _payload(head: Head, at: datetime) -> bytes:
    content = {"chain_id": head.chain_id, "sequence": head.sequence, "mac": head.mac, "at": at.isoformat()}
    return json.dumps(content).encode()


def _head(payload: bytes) -> Head:
    content = json.loads(payload)
    return Head(chain_id=str(content["chain_id"]), sequence=int(content["sequence"]), mac=str(content["mac"]))


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
