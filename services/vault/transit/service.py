"""The transit room's door: values, errors, and `open_transit`, which makes the engine that the settings name."""

from datetime import timedelta
from pathlib import Path

from chassis.clock import Clock
from services.vault.transit.columns import Wrapped, WrappedColumn
from services.vault.transit.embedded import open_charging_embedded, open_embedded
from services.vault.transit.engine import open_charging_engine, open_engine
from services.vault.transit.port import (
    BatchEncryptor,
    ChargingTransit,
    Decryptor,
    Encryptor,
    Health,
    KeyKeeper,
    Transit,
    Wrapper,
)
from services.vault.transit.rules import (
    MAX_BATCH,
    Cipher,
    CipherRefused,
    Context,
    KeyInfo,
    KeyName,
    TransitDenied,
    TransitUnavailable,
    context_of,
)

__all__ = [
    "CVV_ROTATION",
    "MAX_BATCH",
    "BatchEncryptor",
    "ChargingTransit",
    "Cipher",
    "CipherRefused",
    "Context",
    "Decryptor",
    "Encryptor",
    "Health",
    "KeyInfo",
    "KeyKeeper",
    "KeyName",
    "Transit",
    "TransitDenied",
    "TransitUnavailable",
    "Wrapped",
    "WrappedColumn",
    "Wrapper",
    "context_of",
    "open_charging_transit",
    "open_transit",
]

CVV_ROTATION = timedelta(hours=1)
"""How often the CVV key gets a new version (docs/design.md, Encryption and keys)."""


def open_transit(
    url: str,
    *,
    clock: Clock,
    auth_dir: Path | None = None,
    mount: str = "transit",
    ca: Path | None = None,
) -> Transit:
    """The engine behind a URL: `embedded:///path/keyring.json`, or `https://host:port` of a HashiCorp Vault.

    For a Vault, `auth_dir` holds one JSON file of AppRole credentials per identity and `ca` its certificate authority.
    Connects lazily, so it may be made before the engine runs; make it after a fork. Raises ValueError for another URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "embedded" and rest:
        return open_embedded(_path_of(rest), clock=clock)
    if scheme == "https" and rest and auth_dir is not None:
        return open_engine(url, auth_dir=auth_dir, mount=mount, ca=ca)
    raise ValueError("transit_url is embedded:///path/to/keyring.json, or https://host:port with transit_auth_dir")


def open_charging_transit(
    url: str,
    *,
    clock: Clock,
    auth_dir: Path | None = None,
    mount: str = "transit",
    ca: Path | None = None,
) -> ChargingTransit:
    """The same engine as the identity `charging`, from `<auth_dir>/charging.json`. Raises ValueError as
    `open_transit`."""
    scheme, _, rest = url.partition("://")
    if scheme == "embedded" and rest:
        return open_charging_embedded(_path_of(rest), clock=clock)
    if scheme == "https" and rest and auth_dir is not None:
        return open_charging_engine(url, auth_dir=auth_dir, mount=mount, ca=ca)
    raise ValueError("transit_url is embedded:///path/to/keyring.json, or https://host:port with transit_auth_dir")


def _path_of(rest: str) -> Path:
    """`embedded:///var/x` is relative to the checkout, `embedded:////var/x` absolute, as in SQLAlchemy's URLs."""
    return Path(rest.removeprefix("/"))
