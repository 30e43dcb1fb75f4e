"""A PostgreSQL server comes back as it stood at a moment between two writes, with the vault's cards and trail in it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from deploy.backup import seal
from deploy.dev.engines.host import wait_until
from deploy.pitr.archive import Archive
from tests.support.postgres_server import OwnPostgres, own_postgres
from tests.support.stack import ROOT

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]


class House:
    """A server of its own, and an operator who keeps it."""

    def __init__(self, folder: Path, own: OwnPostgres) -> None:
        self.folder, self.own = folder, own
        self.archive = Archive(folder / "backup" / "pitr" / "main")
        self.environment = {
            **os.environ,
            "WAYVAULT_STATE": str(folder / "state"),
            "WAYVAULT_BACKUP_DIR": str(folder / "backup"),
            "WAYVAULT_POSTGRES_ADMIN_URL": own.server.admin_url(),
        }
        seal.make_key(folder / "identity.txt", folder / "backup" / "recipients.txt")

    def operator(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "deploy.pitr", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def following(self) -> Iterator[None]:
        command = [sys.executable, "-m", "deploy.pitr", "follow", "--every", "0.2"]
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: self.archive.followed_at() is not None, what="follow", seconds=60)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0

    def write(self, number: int) -> str:
        """One row; gives a moment between this write and the next one, by the server's clock."""
        with closing(psycopg.connect(self.own.server.admin_url(), autocommit=True)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS shown (number int PRIMARY KEY)")
            connection.execute("INSERT INTO shown VALUES (%s)", [number])
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        return str(row[0].isoformat())

    def until_sealed(self) -> None:
        """Everything that was written so far has arrived, and is sealed."""
        with closing(psycopg.connect(self.own.server.admin_url(), autocommit=True)) as connection:
            row = connection.execute("SELECT pg_walfile_name(pg_current_wal_insert_lsn())").fetchone()
            connection.execute("SELECT pg_switch_wal()")
        assert row is not None
        wait_until(lambda: row[0] in self.archive.segments(), what="the last segment", seconds=60)

    def numbers(self, port: int) -> list[int]:
        """What is there once the server has replayed and opened."""
        url = self.own.server.admin_url().replace(f":{self.own.port}/", f":{port}/")
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            wait_until(
                lambda: connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,),
                what="the replay",
                seconds=60,
            )
            return [number for (number,) in connection.execute("SELECT number FROM shown ORDER BY 1")]


def test_a_server_comes_back_as_of_a_moment_between_two_writes(tmp_path: Path) -> None:
    with own_postgres(tmp_path / "state") as own:
        house = House(tmp_path, own)
        assert "Would follow main into" in house.operator("follow", "--check")
        with house.following():
            house.write(1)
            assert "Would copy main into" in house.operator("base", "--check")
            house.operator("base")
            between = house.write(2)
            house.write(3)
            house.until_sealed()
        assert "copy " in house.operator("list")
        for port, (at, numbers) in enumerate([(between, [1, 2]), ("latest", [1, 2, 3])], start=own.port + 1):
            # Where the server's account may go.
            data = own.host.data / f"restored-{port}"
            where = ("--at", at, "--data", str(data), "--identity", str(tmp_path / "identity.txt"))
            assert f"Would make {data} of the copy" in house.operator("restore", *where, "--check")
            assert not data.exists()
            house.operator("restore", *where)
            own.start(data, port)
            assert house.numbers(port) == numbers
