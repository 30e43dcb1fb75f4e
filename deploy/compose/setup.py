"""Sets the engines up from inside, in the operator's container: python -m deploy.compose.setup {vault-store,store}

Each run stands on one of the two networks of engines. It prints NAME=VALUE lines for the host to put into the programs'
settings, on standard output, and what it did on standard error. Safe to run again; `deploy.compose` runs it.

Exit status: 0 done; 1 an engine does not answer or is not as it has to be; 2 wrong
arguments.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import hvac
import hvac.exceptions
import psycopg
import requests

from deploy.compose.files import HCVAULT, RABBIT_ADMIN, RABBIT_MANAGEMENT, postgres_admin_url
from deploy.files import private_directory, write_file
from deploy.passwords import password_of
from deploy.postgres.bootstrap import Server, make_roles
from deploy.rabbitmq import bootstrap as rabbitmq
from deploy.rabbitmq.management import Management, ManagementFault
from deploy.vault import bootstrap as transit

_HOME = Path("/var/lib/wayvault")
_CA = _HOME / "certs" / "ca.pem"
_PASSWORDS = _HOME / "passwords"
_PATIENCE_SECONDS = 120.0


class SetupFault(Exception):
    """An engine does not answer or is not as it has to be; the message says which and how."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.compose.setup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=("vault-store", "store"))
    given = parser.parse_args(arguments)
    try:
        settings = _vault_store() if given.network == "vault-store" else _store()
    except (SetupFault, psycopg.Error, ManagementFault, hvac.exceptions.VaultError, OSError) as error:
        print(f"{given.network}: {str(error).strip()}", file=sys.stderr)
        return 1
    for name, value in settings.items():
        print(f"{name}={value}")
    return 0


def _store() -> dict[str, str]:
    settings = _postgres(("crm", "portal", "notifier"))
    management = Management(
        RABBIT_MANAGEMENT,
        user=RABBIT_ADMIN,
        password=password_of(_PASSWORDS, "rabbitmq_admin"),
        ca=_CA,
    )
    _wait("RabbitMQ", lambda: management.get("/api/overview"))
    settings |= rabbitmq.bootstrap(management, amqp="rabbitmq.wayvault.internal:5671", passwords=_PASSWORDS)
    _say("RabbitMQ is set up")
    return settings


def _vault_store() -> dict[str, str]:
    settings = _postgres(("vault",))
    client = hvac.Client(url=HCVAULT, verify=str(_CA), timeout=60)
    _wait("HashiCorp Vault", client.sys.read_seal_status)
    client.token = _open(client)
    credentials = _HOME / "transit"
    for change in transit.bootstrap(client, transit.Plan(out=credentials)):
        _say(f"HashiCorp Vault: made {change}")
    return {
        **settings,
        "VAULT_TRANSIT_URL": HCVAULT,
        "VAULT_TRANSIT_AUTH_DIR": str(credentials),
        "VAULT_TRANSIT_CA": str(_CA),
    }


def _postgres(services: tuple[str, ...]) -> dict[str, str]:
    url = postgres_admin_url(password_of(_PASSWORDS, "postgres_admin"))
    _wait("PostgreSQL", lambda: psycopg.connect(url, connect_timeout=3).close())
    settings = make_roles(url, server=Server.of_url(url, _CA), passwords=_PASSWORDS, services=services)
    _say(f"PostgreSQL: databases of {', '.join(services)}")
    return settings


def _open(client: hvac.Client) -> str:
    """Initialises and unseals; returns the root token. One share suits one host; see the runbook for more."""
    file = private_directory(_HOME / "hcvault") / "keys.json"
    if not client.sys.is_initialized():
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        write_file(file, json.dumps({"unseal_key": made["keys_base64"][0], "root_token": made["root_token"]}))
        _say(f"HashiCorp Vault: initialised; its keys are in {file}: keep a copy elsewhere")
    if not file.exists():
        raise SetupFault(f"HashiCorp Vault was initialised elsewhere, and {file} does not hold its keys.")
    keys: dict[str, str] = json.loads(file.read_text("utf-8"))
    if client.sys.is_sealed():
        client.sys.submit_unseal_key(keys["unseal_key"])
        _say("HashiCorp Vault: unsealed")
    _wait("HashiCorp Vault to become active", lambda: _demand_active(client))
    return keys["root_token"]


def _demand_active(client: hvac.Client) -> None:
    status = client.sys.read_health_status(method="GET")
    body = status.json() if hasattr(status, "json") else status
    if body.get("sealed") or body.get("standby"):
        raise SetupFault("it is not active yet")


def _wait(what: str, ask: Callable[[], object]) -> None:
    """Asks until there is an answer. Raises SetupFault with the last refusal after two minutes."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            ask()
        except (
            SetupFault,
            psycopg.OperationalError,
            ManagementFault,
            requests.RequestException,
            hvac.exceptions.VaultError,
            OSError,
        ) as error:
            if time.monotonic() > ends:
                raise SetupFault(f"{what} does not answer: {error}") from error
            time.sleep(0.5)
        else:
            return


def _say(words: str) -> None:
    print(f"  {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
