"""How many days certificates have left: as a metric of every process that uses them, and for an operator to read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from chassis.clock import Clock, SystemClock
from chassis.telemetry import Gauge

_SECONDS_A_DAY = 86_400.0

_DAYS = Gauge("wayvault_certificate_days_left", "Until the first certificate in the file ends; -1 unreadable", ["file"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """One certificate of a file."""

    subject: str
    issuer: str
    ends: datetime


def read_certificates(path: Path) -> list[CertificateFacts]:
    """All certificates of a PEM file: a chain, or several roots. Raises OSError, and ValueError when there is none."""
    return [
        CertificateFacts(
            subject=found.subject.rfc4514_string(), issuer=found.issuer.rfc4514_string(), ends=found.not_valid_after_utc
        )
        for found in x509.load_pem_x509_certificates(path.read_bytes())
    ]


def days_left(path: Path, clock: Clock) -> float:
    """Until the first of its certificates ends; below 0 when one has ended. Raises OSError and ValueError."""
    first = min(found.ends for found in read_certificates(path))
    return (first - clock.now()).total_seconds() / _SECONDS_A_DAY


def watch_days_left(paths: Iterable[Path], clock: Clock | None = None) -> None:
    """Shows the files' days in this process's metrics, read anew whenever somebody asks. Safe to call again."""
    used = clock or SystemClock()
    for path in paths:
        _DAYS.labels(path.name).set_function(lambda path=path: _shown(path, used))  # type: ignore[misc]


def _shown(path: Path, clock: Clock) -> float:
    try:
        return days_left(path, clock)
    except (OSError, ValueError):
        return -1.0
