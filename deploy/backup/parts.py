"""How each part is taken and put back: `take` writes one clear file, `put` brings one back to where it belongs."""

import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import hvac
import hvac.exceptions
import requests

from deploy.backup import postgres, sqlite
from deploy.backup.places import Places, sqlite_path
from deploy.backup.rules import BackupFault
from deploy.files import private_directory, unpack, write_file
from deploy.rabbitmq.management import Management, ManagementFault

Rows = Mapping[str, int]
# Broker-wide rights of users come with definitions; what the broker holds of messages does not: what was not yet
# confirmed stands in the outboxes, and is told again.
_DEFINITIONS = "/api/definitions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One part. `kind` says how it is kept, so that a restore elsewhere can refuse what does not fit; `is_new`: backups
    of former versions are without it."""

    name: str
    kind: str
    take: Callable[[Path], Rows]
    put: Callable[[Path], Rows]
    is_new: bool = False


def data_sources(places: Places) -> Iterator[Source]:
    """What is kept by days and weeks, in the order in which it must be read.

    The audit heads first: a head written after the database's snapshot would seem ahead of its chain.
    """
    yield _file("audit-heads", places.audit_heads, optional=True)
    yield replace(_file("audit-heads-charging", places.charging_heads, optional=True), is_new=True)
    for name, url in places.databases.items():
        yield _database(name, url)
    if places.bus is not None:
        yield _sqlite("bus", places.bus)
    if places.rabbit is not None:
        yield _definitions(places.rabbit)


def key_sources(places: Places) -> Iterator[Source]:
    """What is kept once, newest only."""
    yield _folder("secrets", places.secrets)
    if places.keyring is not None:
        yield _file("keyring", places.keyring)
    if places.hcvault is not None:
        yield _raft(places.hcvault)


def _database(name: str, url: str) -> Source:
    path = sqlite_path(url)
    if path is not None:
        return _sqlite(name, path)
    return Source(
        name=name,
        kind="postgresql",
        take=lambda target: postgres.dump(url, target),
        put=lambda source: postgres.restore(source, url),
    )


def _sqlite(name: str, path: Path) -> Source:
    def put(source: Path) -> Rows:
        _place(source, path)
        return sqlite.count(path)

    return Source(name=name, kind="sqlite", take=lambda target: sqlite.dump(path, target), put=put)


def _file(name: str, path: Path, *, optional: bool = False) -> Source:
    def take(target: Path) -> Rows:
        if not path.exists() and not optional:
            raise BackupFault(f"There is no {name} at {path}.")
        content = path.read_bytes() if path.exists() else b""
        write_file(target, content)
        return {"lines": content.count(b"\n")} if optional else {}

    def put(source: Path) -> Rows:
        _place(source, path)
        return {"lines": path.read_bytes().count(b"\n")} if optional else {}

    return Source(name=name, kind="file", take=take, put=put)


def _folder(name: str, folder: Path) -> Source:
    def take(target: Path) -> Rows:
        if not folder.is_dir():
            raise BackupFault(f"There is no folder {folder}.")
        write_file(target, b"")
        with tarfile.open(target, "w") as archive:
            archive.add(folder, arcname=".")
        return {"files": sum(1 for path in folder.rglob("*") if path.is_file())}

    def put(source: Path) -> Rows:
        if folder.exists() and any(folder.iterdir()):
            raise BackupFault(f"{folder} is not empty; a restore overwrites nothing.")
        private_directory(folder)
        with tarfile.open(source) as archive:
            unpack(archive, folder)
        return {"files": sum(1 for path in folder.rglob("*") if path.is_file())}

    return Source(name=name, kind="folder", take=take, put=put)


def _definitions(rabbit: Management) -> Source:
    def counted(content: Mapping[str, object]) -> Rows:
        return {key: len(value) for key, value in content.items() if isinstance(value, list)}

    def take(target: Path) -> Rows:
        try:
            content = rabbit.get(_DEFINITIONS)
        except (ManagementFault, OSError) as error:
            raise BackupFault(f"RabbitMQ's definitions can't be read: {error}") from error
        write_file(target, json.dumps(content))
        return counted(content)

    def put(source: Path) -> Rows:
        content = json.loads(source.read_text("utf-8"))
        try:
            rabbit.post(_DEFINITIONS, content)
        except (ManagementFault, OSError) as error:
            raise BackupFault(f"RabbitMQ's definitions can't be written: {error}") from error
        return counted(content)

    return Source(name="rabbitmq", kind="definitions", take=take, put=put)


def _raft(client: hvac.Client) -> Source:
    def take(target: Path) -> Rows:
        try:
            write_file(target, client.sys.take_raft_snapshot().content)
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise BackupFault(f"HashiCorp Vault gives no snapshot: {error}") from error
        return {}

    def put(source: Path) -> Rows:
        try:
            # Forced: a new cluster has other unseal keys; afterwards it is unsealed with those of the snapshot.
            client.sys.force_restore_raft_snapshot(source.read_bytes())
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise BackupFault(f"HashiCorp Vault takes no snapshot: {error}") from error
        return {}

    return Source(name="hcvault", kind="raft", take=take, put=put)


def _place(source: Path, target: Path) -> None:
    if target.exists():
        raise BackupFault(f"{target} exists; a restore overwrites nothing. Restore into an empty state directory.")
    write_file(target, source.read_bytes())
