"""The folder of backups: makes, checks, lists, restores and thins them out.

    <folder>/20261127T031500Z/{manifest.json,*.age}     data, one folder a run
    <folder>/keys/{manifest.json,*.age}                 keys, the newest only

A run's folder appears whole or not at all. Clear files exist in a private folder beside it, for the moment only.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyrage

from deploy.backup import seal
from deploy.backup.parts import Source
from deploy.backup.rules import BackupFault, Manifest, Part, kept, moment_of
from deploy.files import private_directory, write_file

KEYS = "keys"
_MANIFEST = "manifest.json"
Say = Callable[[str], object]
Identities = Sequence[pyrage.x25519.Identity]
Recipients = Sequence[pyrage.x25519.Recipient]


@dataclass(frozen=True, slots=True)
class Store:
    """One folder of backups."""

    folder: Path

    def names(self) -> list[str]:
        """Backups of data, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if moment_of(path.name) is not None)

    def newest(self) -> str:
        """Raises BackupFault when there is none."""
        names = self.names()
        if not names:
            raise BackupFault(f"There is no backup in {self.folder}. `python -m deploy.backup run` makes one.")
        return names[-1]

    def manifest(self, name: str) -> Manifest:
        """Raises BackupFault."""
        try:
            return Manifest.parse((self.folder / name / _MANIFEST).read_text("utf-8"))
        except OSError as error:
            raise BackupFault(f"There is no backup {name} in {self.folder}.") from error

    def make(
        self,
        name: str,
        sources: Sequence[Source],
        recipients: Recipients,
        at: datetime,
        say: Say,
    ) -> Manifest:
        """Takes and seals all parts; then the folder appears, in the place of one of that name. Raises BackupFault."""
        private_directory(self.folder)
        with _scratch(self.folder) as scratch:
            fresh = private_directory(scratch / "sealed")
            parts = []
            for source in sources:
                part = _take(source, scratch, fresh, recipients)
                parts.append(part)
                say(f"  {source.name}: {_said(part)}")
            manifest = Manifest(made_at=at, parts=tuple(parts))
            write_file(fresh / _MANIFEST, manifest.render())
            _swap(fresh, self.folder / name, scratch)
        return manifest

    def check(self, name: str, identities: Identities) -> list[str]:
        """What is wrong with a backup: sums of the sealed files and of what is in them. Empty when it is whole."""
        return self._damaged(name, self.manifest(name).parts, identities)

    def look(self, name: str, sources: Sequence[Source], identities: Identities) -> list[str]:
        """What would keep these sources' parts from being brought back: one that is missing, damaged or of another
        kind. Changes nothing."""
        faults, parts = [], []
        for source in sources:
            try:
                parts.append(self._part_of(name, source))
            except BackupFault as fault:
                faults.append(str(fault))
        return faults + self._damaged(name, [part for part in parts if part], identities)

    def _damaged(self, name: str, parts: Sequence[Part], identities: Identities) -> list[str]:
        faults = []
        with _scratch(self.folder) as scratch:
            for part in parts:
                try:
                    self._open(name, part, scratch / "part", identities)
                except BackupFault as fault:
                    faults.append(str(fault))
                finally:
                    (scratch / "part").unlink(missing_ok=True)
        return faults

    def restore(self, name: str, sources: Sequence[Source], identities: Identities, say: Say) -> None:
        """Brings every source's part back and compares its numbers of rows. Raises BackupFault at the first fault."""
        with _scratch(self.folder) as scratch:
            for source in sources:
                part = self._part_of(name, source)
                if part is None:
                    say(f"  {source.name}: not in this backup, which a former version made")
                    continue
                clear = scratch / "part"
                self._open(name, part, clear, identities)
                rows = source.put(clear)
                clear.unlink()
                if dict(rows) != dict(part.rows):
                    raise BackupFault(
                        f"{source.name}: other numbers of rows than the backup had: {_changed(part, rows)}"
                    )
                say(f"  {source.name}: {_said(part)}, as in the backup")

    def read(self, name: str, part: str, identities: Identities) -> bytes:
        """What is in one part. Raises BackupFault."""
        with _scratch(self.folder) as scratch:
            clear = scratch / "part"
            self._open(name, self.manifest(name).part(part), clear, identities)
            return clear.read_bytes()

    def thin_out(self, *, daily: int, weekly: int) -> list[str]:
        """Removes what is not kept any more; returns its names."""
        names = self.names()
        staying = kept(names, daily=daily, weekly=weekly)
        gone = [name for name in names if name not in staying]
        for name in gone:
            shutil.rmtree(self.folder / name)
        return gone

    def _part_of(self, name: str, source: Source) -> Part | None:
        """The source's part; None where backups of former versions have none. Raises BackupFault."""
        manifest = self.manifest(name)
        if source.is_new and not manifest.holds(source.name):
            return None
        part = manifest.part(source.name)
        if part.kind != source.kind:
            raise BackupFault(f"{source.name} was kept as {part.kind}, and is {source.kind} here.")
        return part

    def _open(self, name: str, part: Part, clear: Path, identities: Identities) -> None:
        sealed = self.folder / name / part.file
        if not sealed.is_file() or seal.sum_of(sealed) != part.sealed:
            raise BackupFault(f"{sealed} is missing or was changed since it was made.")
        seal.open_file(sealed, clear, identities)
        if seal.sum_of(clear) != part.content:
            raise BackupFault(f"{sealed}: what is in it is not what its manifest says.")


def _take(source: Source, scratch: Path, fresh: Path, recipients: Recipients) -> Part:
    clear, sealed = scratch / "part", fresh / f"{source.name}.age"
    try:
        rows = source.take(clear)
        seal.seal_file(clear, sealed, recipients)
        return Part(
            name=source.name,
            file=sealed.name,
            kind=source.kind,
            size=sealed.stat().st_size,
            sealed=seal.sum_of(sealed),
            content=seal.sum_of(clear),
            rows=rows,
        )
    except OSError as error:
        raise BackupFault(f"{source.name} can't be taken: {error.strerror or error}") from error
    finally:
        clear.unlink(missing_ok=True)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for its owner only (0700), which goes whatever happens."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as scratch:
        yield Path(scratch)


def _swap(fresh: Path, target: Path, scratch: Path) -> None:
    """A folder can't replace another in one step: the old one steps aside, and comes back if the new one can't come."""
    aside = scratch / "old"
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise


def _said(part: Part) -> str:
    rows = sum(part.rows.values())
    return f"{part.size:,} bytes sealed" + (f", {rows:,} rows" if rows else "")


def _changed(part: Part, rows: object) -> str:
    found = dict(rows) if isinstance(rows, dict) else {}
    return ", ".join(
        f"{table} {part.rows.get(table, 0)} → {found.get(table, 0)}"
        for table in sorted({*part.rows, *found})
        if part.rows.get(table) != found.get(table)
    )
