"""Backups of a stack of containers: what the operator's container needs beside its own files to take everything, and to
put it back.

    make install OPTIONS="--run deploy.backup run"

It stands on both networks of engines, for as long as a backup takes. Each has a PostgreSQL by the name that its
certificate says, so the two are told apart by address. A backup is taken by root, who alone may read all secrets; of
root's rights it has the one to do so. It is put back by the account of all programs, whose its files are then.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from deploy import env_file
from deploy.backup.places import token_of
from deploy.backup.raft import unseal_keys_of
from deploy.compose.files import HCVAULT, RABBIT_ADMIN, RABBIT_MANAGEMENT, Layout, give, postgres_admin_url
from deploy.files import private_directory, write_file
from deploy.images.host import ContainerFault, Containers
from deploy.passwords import password_of

NETWORKS = ("store", "vault-store")
_HOME = "/var/lib/wayvault"
_HEADING = "What deploy.compose tells a container that takes backups; made anew each time, with passwords."
# Whose PostgreSQL, and on which network it is found.
_SERVERS = {"postgres": "store", "vault-postgres": "vault-store"}
_URLS = {
    "CRM_DATABASE_URL": "postgres",
    "PORTAL_DATABASE_URL": "postgres",
    "NOTIFIER_DATABASE_URL": "postgres",
    "VAULT_DATABASE_URL": "vault-postgres",
    "VAULT_OWNER_DATABASE_URL": "vault-postgres",
}


def words(layout: Layout, containers: Containers, project: str, *, back: bool = False) -> list[str]:
    """Podman's words, beside those of any operator's command; `back`: for putting a backup back. Raises ContainerFault
    when an engine does not run."""
    places = {
        server: _address(containers, f"{project}_{server}_1", f"{project}_{_SERVERS[server]}") for server in _SERVERS
    }
    known = env_file.read(layout.settings_of("operator"))
    passwords = layout.program("operator") / "passwords"
    file = layout.settings_of("backup")
    env_file.update(
        file,
        {
            **{name: found_at(known[name], places[server]) for name, server in _URLS.items()},
            "WAYVAULT_STATE": _HOME,
            "WAYVAULT_POSTGRES_ADMIN_URL": found_at(
                postgres_admin_url(password_of(passwords, "postgres_admin")), places["vault-postgres"]
            ),
            "WAYVAULT_RABBIT_MANAGEMENT_URL": RABBIT_MANAGEMENT,
            "WAYVAULT_RABBIT_ADMIN_USER": RABBIT_ADMIN,
            "WAYVAULT_RABBIT_ADMIN_PASSWORD": password_of(passwords, "rabbitmq_admin"),
            "WAYVAULT_HCVAULT_ADDRESS": HCVAULT,
            "WAYVAULT_HCVAULT_TOKEN_FILE": f"{_HOME}/hcvault/keys.json",
            "VAULT_AUDIT_HEADS": "/var/lib/audit-heads/heads.jsonl",
        },
        heading=_HEADING,
    )
    kept, may = private_directory(layout.root / "backup"), "rw" if back else "ro"
    return [
        *("--env-file", str(file), *(() if back else ("--user", "0:0", "--cap-add", "DAC_OVERRIDE"))),
        *("--volume", f"{layout.state.secrets}:{_HOME}/secrets:{may}", "--volume", f"{kept}:{_HOME}/backup"),
        *("--volume", f"{project}_vault-heads:/var/lib/audit-heads:{may}"),
    ]


@contextmanager
def place_to_put_back(layout: Layout, identity: Path) -> Iterator[str]:
    """Within the block the secrets that the set-up made are out of the way, and the container may read the identity,
    whose place there is yielded. Raises ContainerFault."""
    folder, secrets = layout.root / "backup", layout.state.secrets
    if not folder.is_dir():
        raise ContainerFault(f"There are no backups in {folder}. Copy them there first.")
    unused = secrets.with_name("secrets-before-restore")
    shutil.rmtree(unused, ignore_errors=True)
    secrets.rename(unused)
    private_directory(secrets)
    copy = folder / "identity-for-restore"
    try:
        write_file(copy, identity.read_bytes())
        for given in (folder, secrets):
            give(given)
        yield f"{_HOME}/backup/{copy.name}"
    finally:
        copy.unlink(missing_ok=True)


def keep_keys(layout: Layout, keys: Path) -> None:
    """From now on HashiCorp Vault is opened by the keys of the one that the backup is of. Raises BackupFault."""
    (unseal,) = unseal_keys_of(keys)
    file = layout.program("operator") / "hcvault" / "keys.json"
    write_file(file, json.dumps({"unseal_key": unseal, "root_token": token_of(keys)}))
    give(file.parent)


def found_at(url: str, address: str) -> str:
    """The database at this address, whose certificate still has to say the URL's name."""
    parts = urlsplit(url)
    return parts._replace(query="&".join(filter(None, (parts.query, f"hostaddr={address}")))).geturl()


def _address(containers: Containers, container: str, network: str) -> str:
    found = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
    return containers.run(["podman", "inspect", "--format", found, container]).stdout.strip()
