"""The raw things that Wayvault's figures are set against: the same machine, the same engine, nothing of ours around."""

import base64
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import psycopg

_PLAINTEXT = json.dumps(
    {"pan": "4111111111111111", "exp_month": 12, "exp_year": 2028, "name": "Grace Hopper", "brand": "visa"},
    separators=(",", ":"),
).encode()
_ROW = b"x" * 400
_TABLE = "CREATE TABLE IF NOT EXISTS bench_commits (id {}, body {} NOT NULL)"


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class HvacEncrypt:
    """Callers that encrypt a card's plaintext with hvac as its manual shows it: one client each, one item a call."""

    url: str
    ca: Path
    mount: str
    credentials: Path

    def __call__(self, number: int) -> "HvacCaller":
        login = json.loads(self.credentials.read_text("utf-8"))
        client = hvac.Client(url=self.url, verify=str(self.ca))
        client.auth.approle.login(role_id=login["role_id"], secret_id=login["secret_id"])
        return HvacCaller(client, self.mount, number)


class HvacCaller:
    def __init__(self, client: hvac.Client, mount: str, number: int) -> None:
        self._transit: Any = client.secrets.transit  # Any: hvac is untyped here
        self._mount = mount
        self._context = _b64(f"card bench {number}".encode())

    def prepare(self, job: str, count: int) -> None:
        """Nothing to make ready."""

    def step(self, job: str) -> None:
        answer = self._transit.encrypt_data(
            name="card", plaintext=_b64(_PLAINTEXT), context=self._context, mount_point=self._mount
        )
        if not answer["data"]["ciphertext"].startswith("vault:v"):
            raise ValueError("nothing was encrypted")

    def close(self) -> None:
        """hvac's connection goes with its process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresCommits:
    """Callers that commit one row of 400 bytes a time with psycopg, each over a connection of its own."""

    url: str

    def __call__(self, number: int) -> "PostgresCaller":
        return PostgresCaller(psycopg.connect(self.url))


class PostgresCaller:
    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    def prepare(self, job: str, count: int) -> None:
        """The table was made by `make_postgres_table`."""

    def step(self, job: str) -> None:
        self._connection.execute("INSERT INTO bench_commits (body) VALUES (%s)", (_ROW,))
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


def make_postgres_table(url: str) -> None:
    """Makes the table that PostgresCommits writes into."""
    with psycopg.connect(url) as connection:
        connection.execute(_TABLE.format("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "bytea").encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteCommits:
    """Callers that commit one row of 400 bytes a time, with the pragmas of chassis.db, into one file."""

    path: Path

    def __call__(self, number: int) -> "SqliteCaller":
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=30, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(_TABLE.format("INTEGER PRIMARY KEY", "BLOB"))
        return SqliteCaller(connection)


class SqliteCaller:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def prepare(self, job: str, count: int) -> None:
        """Nothing to make ready."""

    def step(self, job: str) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO bench_commits (body) VALUES (?)", (_ROW,))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
