"""A raft snapshot is loaded where it can do no harm: into a HashiCorp Vault of its own on this machine."""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hvac.exceptions
import requests

from deploy.backup.rules import BackupFault
from deploy.backup.store import KEYS, Identities, Say, Store
from deploy.dev import certificates
from deploy.dev.engines.hcvault import HcVault
from deploy.dev.engines.host import port_is_taken, wait_until
from deploy.dev.state import Ports, State

_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Where it answers, and the authority of its certificate."""

    address: str
    ca: Path


def unseal_keys_of(file: Path) -> list[str]:
    """One key a line, or what our own set-up wrote. Raises BackupFault; the message never quotes the file."""
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupFault(f"{file} can't be read.") from error
    if text.startswith("{"):
        try:
            return [str(json.loads(text)["unseal_key"])]
        except (ValueError, LookupError) as error:
            raise BackupFault(f"{file} holds no unseal key.") from error
    if not text:
        raise BackupFault(f"{file} holds no unseal key.")
    return [line.strip() for line in text.splitlines() if line.strip()]


@contextmanager
def restored_vault(
    store: Store, identities: Identities, keys: Sequence[str], scratch: Path, say: Say
) -> Iterator[Restored]:
    """The newest snapshot in a Vault that goes afterwards, opened by the keys of the Vault that it was taken of.

    Raises BackupFault, EngineFault.
    """
    snapshot = store.read(KEYS, "hcvault", identities)
    state = State(root=scratch, ports=Ports(base=_free_base()))
    certificates.ensure(state)
    server = HcVault(state)
    try:
        server.start()
        client = server.client()
        client.token = server.root_token()
        client.sys.force_restore_raft_snapshot(snapshot)
        wait_until(client.sys.is_sealed, what="the snapshot to be loaded", seconds=_SECONDS)
        for key in keys:
            client.sys.submit_unseal_key(key)
        wait_until(server.is_active, what="the restored Vault", seconds=_SECONDS)
        say("raft snapshot loaded into a Vault of its own, and unsealed with the old keys")
        yield Restored(address=server.address(), ca=state.certs / "ca.pem")
    except (hvac.exceptions.VaultError, requests.RequestException) as error:
        raise BackupFault(f"The raft snapshot can't be loaded or unsealed: {type(error).__name__}") from error
    finally:
        server.stop()


def _free_base() -> int:
    """Where nothing listens on the two ports that a Vault takes."""
    while True:
        base = 20_000 + secrets.randbelow(300) * 30
        ports = Ports(base=base)
        if not port_is_taken(ports.hcvault) and not port_is_taken(ports.hcvault_cluster):
            return base
