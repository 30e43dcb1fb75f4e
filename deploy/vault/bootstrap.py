"""Makes transit keys, policies, identities and the audit device. Safe to run again: it never touches key material.

    python -m deploy.vault.bootstrap --address https://host:8200 --token-file FILE --out DIR

Keys `card`, `cvv` and `sealing`: aes256-gcm96, derived, not exportable, no plaintext backup, not deletable; `cvv` gets
a new version every hour. Identities (AppRole) intake, reveal, charging, rotation and sealing; each one's role_id and
secret_id are written to DIR/<identity>.json (0600), and replaced only when they no longer work. At the end the keys'
configuration is read back and compared (docs/security.md: keys).

Exit status: 0 done, or with --check whatever is missing; 1 not done, the message says why; 2 wrong arguments.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import hvac
import hvac.exceptions
import requests

from chassis.progress import at_work
from deploy.files import private_directory, write_file
from deploy.vault.policies import CVV_ROTATION, IDENTITIES, KEYS, policy_text

AUDIT_DEVICE = "wayvault"
_KEY_TYPE = "aes256-gcm96"
_LOGIN_TTL = "1h"
_LOGIN_MAX_TTL = "24h"


class VaultFault(Exception):
    """Vault is not as it has to be; the message says in which way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to set up where: `mount` of the transit engine, `out` for the identities' credentials.

    `audit_log` is where the audit device writes; empty leaves audit devices as they are.
    """

    out: Path
    mount: str = "transit"
    audit_log: str = ""

    def role_of(self, identity: str) -> str:
        """AppRole and policy of an identity; with the mount in it, so that several mounts can share a server."""
        return f"wayvault-{identity}" if self.mount == "transit" else f"wayvault-{self.mount}-{identity}"


def bootstrap(client: hvac.Client, plan: Plan) -> list[str]:
    """Brings Vault to the plan; `client` holds an administrator's token. Returns what was changed, for people.

    Raises VaultFault, hvac's VaultError, and requests.RequestException when Vault can't be reached.
    """
    changed = [*_audit_device(client, plan), *_engines(client, plan)]
    for key in KEYS:
        _make_key(client, plan.mount, key)
    for identity in IDENTITIES:
        role = plan.role_of(identity)
        client.sys.create_or_update_policy(name=role, policy=policy_text(identity, plan.mount))
        client.auth.approle.create_or_update_approle(
            role_name=role,
            bind_secret_id=True,
            token_policies=[role],
            token_ttl=_LOGIN_TTL,
            token_max_ttl=_LOGIN_MAX_TTL,
            token_type="service",  # noqa: S106  # a kind, no secret
        )
        if _credentials(client, role, plan.out / f"{identity}.json"):
            changed.append(f"credentials of {identity}")
    verify_keys(client, plan.mount)
    return changed


def missing(client: hvac.Client, plan: Plan) -> list[str]:
    """What `bootstrap` would make, for people. Raises VaultFault for keys that are not as they have to be, hvac's
    VaultError, and requests.RequestException when Vault can't be reached."""
    found = []
    if plan.audit_log and f"{AUDIT_DEVICE}/" not in client.sys.list_enabled_audit_devices()["data"]:
        found.append("audit device")
    if f"{plan.mount}/" in client.sys.list_mounted_secrets_engines()["data"]:
        verify_keys(client, plan.mount)
    else:
        found += [f"transit engine {plan.mount}", *(f"key {key}" for key in KEYS)]
    if "approle/" not in client.sys.list_auth_methods()["data"]:
        found.append("AppRole login")
    known = client.sys.list_policies()["data"]["policies"]
    return [*found, *(f"identity {name}" for name in IDENTITIES if plan.role_of(name) not in known)]


def remove(client: hvac.Client, plan: Plan) -> None:
    """Takes a mount with all its keys, roles and policies away: for tests."""
    client.sys.disable_secrets_engine(path=plan.mount)
    for identity in IDENTITIES:
        client.auth.approle.delete_role(role_name=plan.role_of(identity))
        client.sys.delete_policy(name=plan.role_of(identity))


def verify_keys(client: hvac.Client, mount: str) -> None:
    """Reads the keys' configuration back. Raises VaultFault naming what differs."""
    for key in KEYS:
        data = client.secrets.transit.read_key(name=key, mount_point=mount)["data"]
        expected: dict[str, object] = {
            "type": _KEY_TYPE,
            "derived": True,
            "exportable": False,
            "allow_plaintext_backup": False,
            "deletion_allowed": False,
            "auto_rotate_period": 3600 if key == "cvv" else 0,
        }
        wrong = [name for name, value in expected.items() if data.get(name) != value]
        if wrong:
            told = ", ".join(f"{name} is {data.get(name)!r}, not {expected[name]!r}" for name in wrong)
            raise VaultFault(f"Transit key {mount}/{key}: {told}. Some of this can't be undone: make a new mount.")


def _audit_device(client: hvac.Client, plan: Plan) -> list[str]:
    if not plan.audit_log or f"{AUDIT_DEVICE}/" in client.sys.list_enabled_audit_devices()["data"]:
        return []
    client.sys.enable_audit_device(
        device_type="file",
        path=AUDIT_DEVICE,
        description="Wayvault: every request, values hashed",
        options={"file_path": plan.audit_log, "mode": "0600"},
    )
    return ["audit device"]


def _engines(client: hvac.Client, plan: Plan) -> list[str]:
    changed = []
    if f"{plan.mount}/" not in client.sys.list_mounted_secrets_engines()["data"]:
        client.sys.enable_secrets_engine(backend_type="transit", path=plan.mount, description="Wayvault")
        changed.append(f"transit engine {plan.mount}")
    if "approle/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method(method_type="approle", description="Wayvault's identities")
        changed.append("AppRole login")
    return changed


def _make_key(client: hvac.Client, mount: str, key: str) -> None:
    """Makes the key; one that exists is left as it is, but for the CVV key's period."""
    rotation = CVV_ROTATION if key == "cvv" else "0"
    client.secrets.transit.create_key(
        name=key,
        key_type=_KEY_TYPE,
        derived=True,
        exportable=False,
        allow_plaintext_backup=False,
        auto_rotate_period=rotation,
        mount_point=mount,
    )
    client.secrets.transit.update_key_configuration(name=key, auto_rotate_period=rotation, mount_point=mount)


def _credentials(client: hvac.Client, role: str, path: Path) -> bool:
    """Writes role_id and secret_id unless those in the file still work; returns whether it wrote."""
    private_directory(path.parent)
    role_id = client.auth.approle.read_role_id(role_name=role)["data"]["role_id"]
    if _still_works(client, role, role_id, path):
        return False
    made = client.auth.approle.generate_secret_id(role_name=role)["data"]
    write_file(path, json.dumps({"role_id": role_id, "secret_id": made["secret_id"]}))
    return True


def _still_works(client: hvac.Client, role: str, role_id: str, path: Path) -> bool:
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["role_id"] != role_id:
            return False
        answer = client.auth.approle.read_secret_id(role_name=role, secret_id=kept["secret_id"])
    except (OSError, ValueError, KeyError, TypeError, hvac.exceptions.VaultError):
        return False
    # Vault answers 204, without a body, for a secret id that it does not know.
    return isinstance(answer, dict) and bool(answer.get("data"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.vault.bootstrap",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--address", required=True, help="https://host:port")
    parser.add_argument("--token-file", type=Path, required=True, help="file with an administrator's token")
    parser.add_argument(
        "--ca", type=Path, default=Path("var/certs/ca.pem"), help="authority of the server's certificate"
    )
    parser.add_argument("--out", type=Path, required=True, help="directory for the identities' credentials")
    parser.add_argument("--mount", default="transit")
    parser.add_argument("--audit-log", default="", help="file on Vault's machine for its audit device")
    parser.add_argument("--check", action="store_true", help="change nothing, say what would be made")
    given = parser.parse_args(arguments)
    plan = Plan(out=given.out, mount=given.mount, audit_log=given.audit_log)
    try:
        token = given.token_file.read_text("utf-8").strip()
        client = hvac.Client(url=given.address, token=token, verify=str(given.ca))
        if given.check:
            lacking = missing(client, plan)
            print(f"Would make: {', '.join(lacking)}." if lacking else "All is there; policies would be written anew.")
            return 0
        with at_work("setting HashiCorp Vault up"):
            changed = bootstrap(client, plan)
    except (OSError, VaultFault, hvac.exceptions.VaultError, requests.RequestException) as error:
        print(f"Vault could not be set up: {error}", file=sys.stderr)
        return 1
    print("Vault is set up" + (f"; made: {', '.join(changed)}." if changed else "; nothing had to change."))
    print(f"VAULT_TRANSIT_URL={given.address}\nVAULT_TRANSIT_MOUNT={plan.mount}\nVAULT_TRANSIT_AUTH_DIR={plan.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
