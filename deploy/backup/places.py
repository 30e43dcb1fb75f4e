"""What there is to back up on this installation, by the services' own settings."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import hvac

from chassis.bus.operator import settings_of
from chassis.settings import load
from deploy import env_file
from deploy.backup.rules import BackupFault
from deploy.dev.settings import collect
from deploy.dev.state import State
from deploy.rabbitmq.management import Management
from services.vault.config import VaultSettings

# Readers before writers: a reader's copy never knows an event that the writer's copy would number anew. The vault last:
# every card token in another copy stands in its own.
DATABASES = ("notifier", "portal", "crm", "vault")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everything lies. `bus` and `keyring` are embedded files; `rabbit` and `hcvault` the engines' own APIs."""

    databases: Mapping[str, str]
    audit_heads: Path
    charging_heads: Path
    secrets: Path
    bus: Path | None = None
    keyring: Path | None = None
    rabbit: Management | None = None
    hcvault: hvac.Client | None = None
    vault: VaultSettings | None = None


def sqlite_path(url: str) -> Path | None:
    """The file of a `sqlite:///` URL; None for PostgreSQL."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def places_of(state: State) -> Places:
    """By the environment, `.env` and the engines of this machine. Raises SettingsError, SettingsFault, BackupFault."""
    for name, value in collect(state).items():
        os.environ.setdefault(name, value)
    vault = load(VaultSettings)
    urls = {name: settings_of(name).database_url for name in DATABASES if name != "vault"}
    # The application's role may not read everything that the owner's may.
    urls["vault"] = vault.owner_database_url or vault.database_url
    bus_url = settings_of("crm").bus_url
    given = {**env_file.read(state.engines / "engines.env"), **os.environ}
    return Places(
        databases={name: urls[name] for name in DATABASES},
        audit_heads=vault.audit_heads,
        charging_heads=vault.charging_heads,
        secrets=state.secrets,
        bus=Path(bus_url.removeprefix("embedded:///")) if bus_url.startswith("embedded:") else None,
        keyring=Path(vault.transit_url.removeprefix("embedded:///")) if vault.embedded_transit else None,
        rabbit=None if bus_url.startswith("embedded:") else _rabbit(given, vault.tls_ca),
        hcvault=None if vault.embedded_transit else _hcvault(given, vault.transit_ca),
        vault=vault,
    )


def demand_databases(places: Places, state: State) -> None:
    """Raises BackupFault when a database that is a file isn't there."""
    files = [path for url in places.databases.values() if (path := sqlite_path(url)) is not None]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        beside = (state.engines / "engines.env").exists()
        hint = " Real engines were set up here: if the services run on them, set ENGINES=real." if beside else ""
        raise BackupFault(f"There is no database {', '.join(missing)}.{hint}")


def _rabbit(given: Mapping[str, str], ca: Path) -> Management:
    names = ("WAYVAULT_RABBIT_MANAGEMENT_URL", "WAYVAULT_RABBIT_ADMIN_USER", "WAYVAULT_RABBIT_ADMIN_PASSWORD")
    url, user, password = _needed(given, "RabbitMQ's definitions", names)
    return Management(url, user=user, password=password, ca=ca)


def _hcvault(given: Mapping[str, str], ca: Path) -> hvac.Client:
    names = ("WAYVAULT_HCVAULT_ADDRESS", "WAYVAULT_HCVAULT_TOKEN_FILE")
    address, token_file = _needed(given, "HashiCorp Vault's raft snapshot", names)
    return hvac.Client(url=address, token=token_of(Path(token_file)), verify=str(ca), timeout=120)


def token_of(file: Path) -> str:
    """A token alone, or what our own set-up wrote. Raises BackupFault; the message never quotes the file."""
    try:
        text = file.read_text("utf-8").strip()
        return str(json.loads(text)["root_token"]) if text.startswith("{") else text
    except OSError as error:
        raise BackupFault(f"WAYVAULT_HCVAULT_TOKEN_FILE: {file} can't be read ({error.strerror}).") from error
    except (ValueError, LookupError) as error:
        raise BackupFault(f"WAYVAULT_HCVAULT_TOKEN_FILE: {file} holds no token.") from error


def _needed(given: Mapping[str, str], what: str, names: tuple[str, ...]) -> list[str]:
    missing = [name for name in names if not given.get(name)]
    if missing:
        raise BackupFault(f"{what} can't be had: set {', '.join(missing)}.")
    return [given[name] for name in names]
