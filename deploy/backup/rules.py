"""What a backup says about itself, and which backups are kept. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_STAMP = "%Y%m%dT%H%M%SZ"
_STAMP_FORM = re.compile(r"\d{8}T\d{6}Z")
_FORMAT = 1


class BackupFault(Exception):
    """A backup that can't be made, read or restored; the message says what stands in the way and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sealed file of a backup. `sealed` and `content` are SHA-256 of the file as it lies and of what is in it."""

    name: str
    file: str
    kind: str
    size: int
    sealed: str
    content: str
    rows: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What lies beside the sealed files, in clear: names, sums and numbers of rows, nothing else."""

    made_at: datetime
    parts: tuple[Part, ...]

    def part(self, name: str) -> Part:
        """Raises BackupFault when the backup has no such part."""
        if not self.holds(name):
            raise BackupFault(f"The backup holds no {name}.")
        return next(part for part in self.parts if part.name == name)

    def holds(self, name: str) -> bool:
        """Whether the backup has such a part."""
        return any(part.name == name for part in self.parts)

    def render(self) -> str:
        parts = [{key: getattr(part, key) for key in Part.__slots__} for part in self.parts]
        return json.dumps({"format": _FORMAT, "made_at": self.made_at.isoformat(), "parts": parts}, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """Raises BackupFault for what is not a manifest of ours."""
        try:
            content = json.loads(text)
            if content["format"] != _FORMAT:
                raise BackupFault("The backup is of another format; use the Wayvault that made it.")
            parts = tuple(Part(**{key: entry[key] for key in Part.__slots__}) for entry in content["parts"])
            return cls(made_at=datetime.fromisoformat(content["made_at"]), parts=parts)
        except (ValueError, LookupError, TypeError) as error:
            raise BackupFault("The backup's manifest can't be read.") from error


def stamp_of(moment: datetime) -> str:
    """A backup's name: its moment in UTC, to the second, so that names sort by age."""
    return moment.astimezone(UTC).strftime(_STAMP)


def moment_of(stamp: str) -> datetime | None:
    """The moment that a backup is named after; None for another name."""
    if not _STAMP_FORM.fullmatch(stamp):
        return None
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def kept(stamps: Iterable[str], *, daily: int, weekly: int) -> frozenset[str]:
    """Which backups stay: the newest of each of the last `daily` days and `weekly` ISO weeks that have one.

    The newest of all always stays.
    """
    newest_first = sorted((stamp for stamp in stamps if moment_of(stamp)), reverse=True)
    days: dict[object, str] = {}
    weeks: dict[object, str] = {}
    for stamp in newest_first:
        moment = moment_of(stamp)
        assert moment is not None
        days.setdefault(moment.date(), stamp)
        weeks.setdefault(moment.isocalendar()[:2], stamp)
    return frozenset([*newest_first[:1], *list(days.values())[:daily], *list(weeks.values())[:weekly]])
