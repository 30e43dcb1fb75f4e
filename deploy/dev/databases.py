"""Brings the databases of a stack to the newest revision, and knows cheaply when they are there already."""

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg

from deploy.dev.settings import SERVICES, environment_of
from deploy.dev.state import State
from deploy.dev.supervisor import run_command
from deploy.files import write_file
from deploy.postgres.bootstrap import grant_vault

_REVISION = re.compile(r"""^(revision|down_revision)\b.*=\s*['"]([^'"]+)['"]""", re.MULTILINE)


class MigrationFault(Exception):
    """A database could not be made ready; the message holds what the service said."""


def migrate(state: State, settings: Mapping[str, str], root: Path) -> None:
    """Migrates what is not at its newest revision, all at once; then gives the vault's role its rights (PostgreSQL).

    Raises MigrationFault and psycopg.Error.
    """
    behind = [service for service in SERVICES if not _is_current(state, service, settings, root)]
    processes = {
        service: run_command(
            [f"services.{service}", "migrate"], environment=environment_of(service, settings), root=root
        )
        for service in behind
    }
    said = {service: process.communicate(timeout=300)[0].strip() for service, process in processes.items()}
    faults = [f"{name}: {said[name][-1500:]}" for name, process in processes.items() if process.returncode != 0]
    if faults:
        raise MigrationFault("The databases could not be made ready.\n" + "\n".join(faults))
    owner_url = settings.get("VAULT_OWNER_DATABASE_URL", "")
    if "vault" in behind and owner_url.startswith("postgresql"):
        grant_vault(owner_url)
    for service in behind:
        write_file(_stamp(state, service), _digest(service, settings, root))


def newest_revision(versions: Path) -> str | None:
    """The revision that no other one in the folder stands upon; None when there is not exactly one."""
    found = [dict(_REVISION.findall(path.read_text("utf-8"))) for path in sorted(versions.glob("*.py"))]
    heads = {facts.get("revision") for facts in found} - {facts.get("down_revision") for facts in found}
    return heads.pop() if len(heads) == 1 else None


def _is_current(state: State, service: str, settings: Mapping[str, str], root: Path) -> bool:
    """Whether this very checkout migrated this very database, and it still stands at the newest revision."""
    stamp = _stamp(state, service)
    if not stamp.exists() or stamp.read_text("utf-8") != _digest(service, settings, root):
        return False
    head = newest_revision(_versions(service, root))
    return head is not None and head == _present_revision(_url_of(state, service, settings), root)


def _present_revision(url: str, root: Path) -> str | None:
    query = "SELECT version_num FROM alembic_version"
    try:
        if url.startswith("sqlite:///"):
            path = root / url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                row = database.execute(query).fetchone()
        else:
            with psycopg.connect(
                url.replace("postgresql+psycopg://", "postgresql://"), connect_timeout=5
            ) as connection:
                row = connection.execute(query).fetchone()
    except (sqlite3.Error, psycopg.Error):
        return None
    return str(row[0]) if row else None


def _url_of(state: State, service: str, settings: Mapping[str, str]) -> str:
    return settings.get(f"{service.upper()}_DATABASE_URL") or f"sqlite:///{state.root}/{service}/{service}.db"


def _versions(service: str, root: Path) -> Path:
    return root / "services" / service / "migrations" / "versions"


def _stamp(state: State, service: str) -> Path:
    return state.run / f"migrated-{service}"


def _digest(service: str, settings: Mapping[str, str], root: Path) -> str:
    digest = hashlib.sha256(settings.get(f"{service.upper()}_DATABASE_URL", "").encode())
    for path in sorted(_versions(service, root).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
