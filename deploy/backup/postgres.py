"""PostgreSQL: `pg_dump` in its custom format, of the very snapshot whose rows are counted.

One file per database, restored by `pg_restore`. For a point in time there is deploy.pitr.
"""

import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from deploy.backup.rules import BackupFault
from deploy.files import write_file


def dump(url: str, target: Path) -> Mapping[str, int]:
    """Dumps a database and returns its numbers of rows. Raises BackupFault."""
    write_file(target, b"")
    try:
        with psycopg.connect(libpq(url), connect_timeout=10) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert row is not None
            _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={row[0]}"], url, target)
            return _count(connection)
    except psycopg.Error as error:
        raise BackupFault(f"PostgreSQL can't be read: {_brief(error)}") from error


def restore(source: Path, url: str) -> Mapping[str, int]:
    """Fills an empty database, all or nothing, and returns its numbers of rows. Raises BackupFault."""
    try:
        with psycopg.connect(libpq(url), connect_timeout=10) as connection:
            if _tables(connection):
                raise BackupFault("The PostgreSQL database to restore into is not empty; name an empty one.")
        _run(["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"], url, source)
        with psycopg.connect(libpq(url), connect_timeout=10) as connection:
            return _count(connection)
    except psycopg.Error as error:
        raise BackupFault(f"PostgreSQL can't be written: {_brief(error)}") from error


@contextmanager
def scratch_database(admin_url: str, *, purpose: str = "drill") -> Iterator[str]:
    """The URL of an empty database, which goes afterwards. Raises BackupFault."""
    name = f"wayvault_{purpose}_{secrets.token_hex(6)}"
    identifier = sql.Identifier(name)
    try:
        with psycopg.connect(libpq(admin_url), autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(identifier))
    except psycopg.Error as error:
        raise BackupFault(f"No scratch database can be made: {_brief(error)}") from error
    try:
        yield urlsplit(admin_url)._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()
    finally:
        with psycopg.connect(libpq(admin_url), autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def _tables(connection: psycopg.Connection) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    return [name for (name,) in connection.execute(query)]


def _count(connection: psycopg.Connection) -> Mapping[str, int]:
    counts = {}
    for name in _tables(connection):
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name))).fetchone()
        counts[name] = row[0] if row else 0
    return counts


def environment_of(url: str) -> dict[str, str]:
    """Where one of PostgreSQL's programs finds the server: never by its arguments, which all see, password included."""
    facts = psycopg.conninfo.conninfo_to_dict(libpq(url))
    variables = {
        "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT",
        "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    }  # fmt: skip
    found = {variables[key]: str(value) for key, value in facts.items() if key in variables and value}
    return {"PATH": "/usr/bin:/bin:/usr/local/bin", **found}


def _run(command: list[str], url: str, file: Path) -> None:
    if command[0] == "pg_restore":
        command = [*command, f"--dbname={environment_of(url).get('PGDATABASE', '')}", str(file)]
    else:
        command = [*command, f"--file={file}"]
    try:
        done = subprocess.run(command, env=environment_of(url), capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BackupFault(f"{command[0]} is not installed: apt-get install postgresql-client.") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BackupFault(f"{command[0]} failed: {said[-1] if said else done.returncode}")


def libpq(url: str) -> str:
    """SQLAlchemy's URL as PostgreSQL's own programs read it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _brief(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
