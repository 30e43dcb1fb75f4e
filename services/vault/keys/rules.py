"""Which key versions may still be needed. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.vault.transit.service import KeyInfo

IN_FLIGHT = timedelta(seconds=30)
"""A ciphertext made with a version is in the database this long after the version's successor was made, at the latest:
a room commits right after it has encrypted, and gives up when database and locks keep it waiting that long."""


def oldest_needed(info: KeyInfo, in_use: Iterable[int | None], now: datetime) -> int:
    """The lowest version that must go on opening.

    That is the lowest with a live ciphertext, and never one that was the newest within `IN_FLIGHT`: a request that
    encrypted with it may not have committed yet. Never below what the key already has.
    """
    settled = next(
        (version for version in sorted(info.versions, reverse=True) if info.versions[version] <= now - IN_FLIGHT),
        min(info.versions),
    )
    lowest = min([version for version in in_use if version is not None], default=settled)
    return max(min(settled, lowest), info.min_decryption_version)


def seconds_to_settle(infos: Iterable[KeyInfo], now: datetime) -> float:
    """How long, in seconds, until no ciphertext of a version before the newest can come in; 0 when none can."""
    moments = [info.versions[info.latest_version] + IN_FLIGHT for info in infos if len(info.versions) > 1]
    return max([(moment - now).total_seconds() for moment in moments], default=0.0)


def is_due(info: KeyInfo, period: timedelta, now: datetime) -> bool:
    """Whether a key that gets a new version every `period` should get one."""
    return info.versions[info.latest_version] + period <= now
