"""Names of segments, what is kept of them, and what a person is told."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.backup import seal
from deploy.backup.rules import BackupFault, stamp_of
from deploy.pitr.__main__ import main
from deploy.pitr.archive import Archive
from deploy.pitr.rules import base_for, is_partial, is_whole, missing_after

FIRST = "000000010000000000000001"
SECOND = "000000010000000000000002"
LAST_OF_A_LOG = "0000000100000000000000FF"
NEXT_LOG = "000000010000000100000000"


def test_a_missing_segment_is_noticed_and_the_next_log_is_none() -> None:
    assert missing_after([FIRST, SECOND]) == []
    assert missing_after([LAST_OF_A_LOG, NEXT_LOG]) == []
    assert missing_after([FIRST, LAST_OF_A_LOG]) == [FIRST]
    assert missing_after([SECOND, "000000020000000000000009"]) == [], "another timeline begins where it branched"
    assert (is_whole(FIRST), is_whole("00000002.history"), is_whole(f"{FIRST}.partial")) == (True, True, False)
    assert (is_partial(f"{FIRST}.partial"), is_partial("notes.partial")) == (True, False)


def test_a_restore_begins_with_the_newest_copy_that_was_finished_before_the_moment() -> None:
    finished = {f"202611{day}T030000Z": datetime(2026, 11, day, 5, tzinfo=UTC) for day in (20, 21)}
    assert base_for(finished, datetime(2026, 11, 21, 4, tzinfo=UTC)) == "20261120T030000Z", "the next was being made"
    assert base_for(finished, datetime(2026, 11, 22, tzinfo=UTC)) == "20261121T030000Z"
    assert base_for(finished, datetime(2026, 11, 20, 3, tzinfo=UTC)) is None


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WAYVAULT_BACKUP_DIR", str(tmp_path / "backup"))
    monkeypatch.setenv("WAYVAULT_STATE", str(tmp_path))
    seal.make_key(tmp_path / "identity.txt", tmp_path / "backup" / "recipients.txt")
    return tmp_path / "backup"


def archive_of(store: Path) -> Archive:
    archive = Archive(store / "pitr" / "main")
    archive.received.mkdir(parents=True)
    return archive


def test_what_arrives_is_sealed_and_what_is_under_way_again_when_it_grew(store: Path) -> None:
    archive, recipients = archive_of(store), seal.recipients_of(store / "recipients.txt")
    (archive.received / FIRST).write_bytes(b"first")
    growing = archive.received / f"{SECOND}.partial"
    growing.write_bytes(b"half")
    assert archive.seal_received(recipients) == 2
    assert archive.seal_received(recipients) == 0, "nothing is sealed twice"
    growing.write_bytes(b"half and more")
    later = growing.stat().st_mtime_ns + 1_000_000
    os.utime(growing, ns=(later, later))
    assert archive.seal_received(recipients) == 1

    growing.rename(archive.received / SECOND)
    assert archive.seal_received(recipients) == 1
    assert sorted(archive.segments()) == [FIRST, SECOND]
    assert [path.name for path in archive.received.iterdir()] == [SECOND], "only where to go on stays in clear"
    assert b"half" not in archive.segments()[SECOND].read_bytes()


def test_changes_older_than_the_oldest_copy_go(store: Path) -> None:
    archive = archive_of(store)
    for day in (20, 21, 22):
        (archive.bases.folder / f"202611{day}T030000Z").mkdir(parents=True)
    archive.wal.mkdir()
    for name, at in ((FIRST, datetime(2026, 11, 20, 12, tzinfo=UTC)), (SECOND, datetime(2026, 11, 21, 4, tzinfo=UTC))):
        (archive.wal / f"{name}.age").write_bytes(b"")
        os.utime(archive.wal / f"{name}.age", (at.timestamp(), at.timestamp()))
    assert archive.thin_out(keep=2) == (1, 1)
    assert archive.bases.names() == ["20261121T030000Z", "20261122T030000Z"]
    assert list(archive.segments()) == [SECOND]


def test_the_list_says_what_is_missing(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = archive_of(store)
    assert main(["list"]) == 3
    said = capsys.readouterr().out
    assert "there is no copy" in said
    assert "`python -m deploy.pitr follow` does not run" in said
    (archive.bases.folder / "20261121T030000Z").mkdir(parents=True)
    archive.seal_received(seal.recipients_of(store / "recipients.txt"))
    assert main(["list"]) == 0
    for name in (FIRST, LAST_OF_A_LOG):
        (archive.wal / f"{name}.age").write_bytes(b"")
    assert main(["list"]) == 3
    assert f"missing after {FIRST}" in capsys.readouterr().out


def test_what_can_not_be_restored_is_said(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive_of(store)
    where = ["restore", "--data", str(tmp_path / "data"), "--identity", str(tmp_path / "identity.txt"), "--at"]
    assert main([*where, "2026-11-27T10:15:00"]) == 1
    assert "needs its zone" in capsys.readouterr().err
    assert main([*where, "2026-11-27T10:15:00Z"]) == 1
    assert "No copy of the server is older" in capsys.readouterr().err
    assert main([*where[:3], "--at", "2026-11-27T10:15:00Z"]) == 1
    assert "Name what opens the backup" in capsys.readouterr().err
    assert main(["base", "--keep", "0"]) == 1
    assert "--keep is at least 1" in capsys.readouterr().err
    assert main(["base"]) == 1
    assert "set WAYVAULT_POSTGRES_ADMIN_URL" in capsys.readouterr().err


def copied(archive: Archive, at: datetime) -> None:
    """A copy of the server, as far as its folder goes."""
    folder = archive.bases.folder / stamp_of(at)
    folder.mkdir(parents=True)
    os.utime(folder, (at.timestamp(), at.timestamp()))


def test_a_moment_that_the_changes_do_not_reach_is_refused(store: Path, tmp_path: Path) -> None:
    archive = archive_of(store)
    copied(archive, datetime(2026, 11, 21, 3, tzinfo=UTC))
    with pytest.raises(BackupFault, match="no moment at all only"):
        archive.restore(tmp_path / "data", datetime(2026, 11, 22, tzinfo=UTC), [], lambda _: None)
    archive.seal_received(seal.recipients_of(store / "recipients.txt"))
    with pytest.raises(BackupFault, match="or: --at latest"):
        archive.restore(tmp_path / "data", datetime.now(UTC) + timedelta(1), [], lambda _: None)


def test_a_restore_overwrites_nothing(store: Path, tmp_path: Path) -> None:
    archive = archive_of(store)
    (archive.bases.folder / "20261121T030000Z").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("15")
    with pytest.raises(BackupFault, match="overwrites nothing"):
        archive.restore(tmp_path / "data", None, [], lambda _: None)
