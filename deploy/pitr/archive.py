"""One server's archive: `base/` holds copies of the whole server, `wal/` the changes, all of them sealed.

<folder>/pitr/<server>/base/20261127T031500Z/{manifest.json,base.age}
<folder>/pitr/<server>/wal/000000010000000000000002.age
<folder>/pitr/<server>/received/                              what arrives, in clear, for its owner only, for seconds
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyrage

from chassis.progress import at_work
from deploy.backup import seal
from deploy.backup.parts import Source
from deploy.backup.postgres import environment_of, libpq
from deploy.backup.rules import BackupFault, moment_of
from deploy.backup.store import Identities, Say, Store
from deploy.dev.engines.postgres import programs_folder
from deploy.files import private_directory, unpack, write_file
from deploy.pitr.rules import PARTIAL, base_for, is_partial, is_whole

SLOT = "wayvault_pitr"
_WAL = "restored_wal"
# A copy's first segment was being written when the copy began; clocks may differ.
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Archive:
    """Everything of one server."""

    folder: Path

    @property
    def bases(self) -> Store:
        return Store(self.folder / "base")

    @property
    def wal(self) -> Path:
        return self.folder / "wal"

    @property
    def received(self) -> Path:
        return self.folder / "received"

    def _finished(self) -> dict[str, datetime]:
        """When each copy was complete: nothing is written into its folder afterwards."""
        folder = self.bases.folder
        return {name: datetime.fromtimestamp((folder / name).stat().st_mtime, UTC) for name in self.bases.names()}

    def segments(self) -> dict[str, Path]:
        """The sealed files by the names that PostgreSQL knows them by."""
        return {path.stem: path for path in sorted(self.wal.glob("*.age"))}

    @property
    def _followed(self) -> Path:
        return self.folder / "followed"

    def followed_at(self) -> datetime | None:
        """Until when all changes are here, as far as the server had told them."""
        try:
            return datetime.fromtimestamp(self._followed.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def seal_received(self, recipients: Sequence[pyrage.x25519.Recipient]) -> int:
        """Seals what has arrived since, the segment under way too; returns how many files. Raises OSError.

        What is sealed and whole goes, but for the newest: by it the receiver knows where to go on.
        """
        private_directory(self.wal)
        done = 0
        whole = sorted(path for path in self.received.iterdir() if is_whole(path.name))
        for path in whole:
            target = self.wal / f"{path.name}.age"
            if not target.exists():
                _seal(path, target, recipients)
                (self.wal / f"{path.name}{PARTIAL}.age").unlink(missing_ok=True)
                done += 1
        for path in whole[:-1]:
            path.unlink()
        for path in self.received.iterdir():
            target = self.wal / f"{path.name}.age"
            if is_partial(path.name) and _is_newer(path, target):
                _seal(path, target, recipients)
                done += 1
        self._followed.touch()
        return done

    def copy_server(
        self, url: str, name: str, recipients: Sequence[pyrage.x25519.Recipient], at: datetime, say: Say
    ) -> None:
        """Takes a copy of the whole server. Raises BackupFault."""
        self.bases.make(name, [_base(url, Path())], recipients, at, say)

    def thin_out(self, *, keep: int) -> tuple[int, int]:
        """Keeps the newest copies and the changes since; returns how many copies and segments went."""
        names = self.bases.names()
        gone = names[: max(0, len(names) - keep)]
        for name in gone:
            shutil.rmtree(self.bases.folder / name)
        oldest = moment_of(self.bases.names()[0])
        assert oldest is not None
        before = (oldest - _MARGIN).timestamp()
        old = [path for path in self.segments().values() if path.stat().st_mtime < before]
        for path in old:
            path.unlink()
        return len(gone), len(old)

    def restore(self, data: Path, at: datetime | None, identities: Identities, say: Say) -> str:
        """Makes a server's data of a copy and its changes; once started on them it stands as at that moment, or as the
        last change left it.

        Gives the copy's name. Raises BackupFault.
        """
        base = self.copy_for(data, at)
        private_directory(data)
        self.bases.restore(base, [_base("", data)], identities, say)
        wal = private_directory(data / _WAL)
        for name, sealed in self.segments().items():
            # The segment under way is as good as a whole one, up to where it was written.
            seal.open_file(sealed, wal / name.removesuffix(PARTIAL), identities)
        say(f"{len(self.segments())} segments of changes")
        settings = {
            "restore_command": f'cp "{wal}/%f" "%p"',
            **({"recovery_target_time": at.isoformat(), "recovery_target_action": "promote"} if at else {}),
            # It was the first server's archive and standbys.
            "archive_mode": "off",
            "synchronous_standby_names": "",
            "primary_conninfo": "",
            "primary_slot_name": "",
        }
        with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        write_file(data / "recovery.signal", "")
        (data / "standby.signal").unlink(missing_ok=True)
        return base

    def copy_for(self, data: Path, at: datetime | None) -> str:
        """The copy that a restore into an empty folder would begin with. Raises BackupFault when it can't be done."""
        base = base_for(self._finished(), at or datetime.max.replace(tzinfo=UTC))
        if base is None:
            raise BackupFault(f"No copy of the server is older than {at.isoformat() if at else 'now'}.")
        until = self.followed_at()
        if at is not None and (until is None or at > until):
            reached = f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else "no moment at all"
            raise BackupFault(f"The changes reach until {reached} only. Name an earlier moment, or: --at latest.")
        if data.exists() and any(data.iterdir()):
            raise BackupFault(f"{data} is not empty; a restore overwrites nothing.")
        return base


def receiver(url: str, folder: Path) -> "subprocess.Popen[bytes]":
    """Starts what receives the server's changes into a folder, from where it ended before. Raises BackupFault."""
    program = [str(programs_folder() / "pg_receivewal"), f"--directory={private_directory(folder)}", f"--slot={SLOT}"]
    environment = environment_of(url)
    made = subprocess.run(
        [*program, "--create-slot", "--if-not-exists"], env=environment, capture_output=True, check=False
    )
    if made.returncode != 0:
        raise BackupFault(f"The server's changes can't be had: {_last_line(made.stderr)}")
    return subprocess.Popen([*program, "--synchronous", "--no-password"], env=environment)


def may_replicate(url: str) -> bool:
    """Whether the URL's role may copy the server and receive its changes. Raises BackupFault."""
    query = "SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user"
    try:
        with psycopg.connect(libpq(url), connect_timeout=10) as connection:
            return connection.execute(query).fetchone() == (True,)
    except psycopg.Error as error:
        raise BackupFault(f"PostgreSQL can't be asked: {type(error).__name__}") from error


def _base(url: str, data: Path) -> Source:
    def take(target: Path) -> Mapping[str, int]:
        command = [str(programs_folder() / "pg_basebackup"), "--pgdata=-", "--format=tar", "--wal-method=none"]
        write_file(target, b"")
        with target.open("wb") as file, tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                [*command, "--checkpoint=fast", "--gzip", "--no-password"],
                env=environment_of(url),
                stdout=file,
                stderr=complaints,
            )
            with at_work("copying") as work:
                work.at(lambda: f"{target.stat().st_size / 1e6:,.0f} MB")
                process.wait()
            complaints.seek(0)
            if process.returncode != 0:
                raise BackupFault(f"The server can't be copied: {_last_line(complaints.read())}")
        return {}

    def put(source: Path) -> Mapping[str, int]:
        with tarfile.open(source, "r:gz") as archive:
            unpack(archive, data)
        if (data / "backup_manifest").exists():
            _demand_whole(data)
        return {}

    return Source(name="base", kind="basebackup", take=take, put=put)


def _demand_whole(data: Path) -> None:
    """Compares every file with the server's own manifest of the copy. Raises BackupFault."""
    command = [str(programs_folder() / "pg_verifybackup"), "--no-parse-wal", "--quiet", str(data)]
    verified = subprocess.run(command, capture_output=True, check=False)
    if verified.returncode != 0:
        raise BackupFault(f"The copy is not as the server gave it: {_last_line(verified.stderr)}")


def _seal(clear: Path, target: Path, recipients: Sequence[pyrage.x25519.Recipient]) -> None:
    """The sealed file appears whole or not at all."""
    fresh = target.with_suffix(".new")
    written = clear.stat().st_mtime_ns
    seal.seal_file(clear, fresh, recipients)
    # Of the content that was read at least: what is written meanwhile is newer, and sealed the next time.
    os.utime(fresh, ns=(written, written))
    fresh.replace(target)


def _is_newer(path: Path, sealed: Path) -> bool:
    return not sealed.exists() or path.stat().st_mtime_ns > sealed.stat().st_mtime_ns


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it did not say why"
