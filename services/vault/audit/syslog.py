"""The trail sent to a SIEM as syslog over TLS (RFC 5424 in RFC 5425's frames), each row from where the last run ended.

Syslog knows no receipt: rows count as sent when the connection was closed in good order after them. Whoever receives a
row twice knows it by the event's `metadata.uid`.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import select

from chassis.db import Database
from services.vault.audit.models import AuditChain
from services.vault.audit.ocsf import ocsf_line
from services.vault.audit.rules import AuditRecord
from services.vault.audit.verify import export_rows

_PORT: Final = 6514
# Facility "log audit"; a row is informational, and a notice where something was refused.
_FACILITY: Final = 13
_INFORMATIONAL: Final = 6
_NOTICE: Final = 5
_BATCH: Final = 500
_TIMEOUT_SECONDS: Final = 20.0


class SyslogFault(Exception):
    """Nothing more can be sent; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A SIEM's address (host:port, 6514 by default), the authority of its certificate, and ours if it asks for one."""

    address: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0] or self.address

    @property
    def port(self) -> int:
        """Raises SyslogFault."""
        _, colon, port = self.address.rpartition(":")
        if colon and not port.isdigit():
            raise SyslogFault(f"{self.address!r} is no address such as siem.example:6514.")
        return int(port) if colon else _PORT

    @contextmanager
    def connected(self) -> Iterator[ssl.SSLSocket]:
        """Closed in good order at the end: the receiver has taken all that was sent. Raises SyslogFault."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
            with socket.create_connection((self.host, self.port), timeout=_TIMEOUT_SECONDS) as plain:
                secured = context.wrap_socket(plain, server_hostname=self.host)
                yield secured
                secured.unwrap().close()
        except OSError as error:  # ssl's own errors among them
            raise SyslogFault(f"{self.address}: {error.strerror or type(error).__name__}") from error


def forward(database: Database, receiver: Receiver, position: Path) -> int:
    """Sends every row after those that `position` names, and moves it on; returns how many.

    Raises SyslogFault and OSError. What went wrong after a batch was closed costs that batch nothing.
    """
    sent = 0
    while batch := list(islice(_after(database, _read(position)), _BATCH)):
        with receiver.connected() as connection:
            for record in batch:
                connection.sendall(frame(record))
        _write(position, _read(position) | {record.chain_id: record.sequence for record in batch})
        sent += len(batch)
    return sent


def waiting(database: Database, position: Path) -> int:
    """How many rows the next run would send. Raises SyslogFault."""
    return sum(1 for _ in _after(database, _read(position)))


def frame(record: AuditRecord) -> bytes:
    """One row as one message, with its length before it."""
    severity = _NOTICE if record.entry.result == "refused" else _INFORMATIONAL
    at = record.at.isoformat(timespec="milliseconds")
    message = f"<{_FACILITY * 8 + severity}>1 {at} - wayvault-vault - audit - {ocsf_line(record)}".encode()
    return b"%d %s" % (len(message), message)


def _after(database: Database, known: Mapping[str, int]) -> Iterator[AuditRecord]:
    with database.read() as session:
        for chain_id in session.scalars(select(AuditChain.chain_id).order_by(AuditChain.chain_id)).all():
            yield from export_rows(session, chain_id=chain_id, after=known.get(chain_id, 0))


def _read(position: Path) -> dict[str, int]:
    """Raises SyslogFault for a file that is not ours."""
    try:
        return {str(chain): int(sequence) for chain, sequence in json.loads(position.read_text("utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        raise SyslogFault(f"{position} does not say how far the trail was sent. Name another file.") from error


def _write(position: Path, known: Mapping[str, int]) -> None:
    fresh = position.with_name(position.name + ".new")
    fresh.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    fresh.replace(position)
