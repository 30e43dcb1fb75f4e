"""Sets the running engines up through the production bootstraps and writes down the settings to use."""

from pathlib import Path

import hvac.exceptions
import psycopg
import requests

from deploy import env_file
from deploy.dev.engines.hcvault import HcVault
from deploy.dev.engines.host import EngineFault
from deploy.dev.engines.postgres import Postgres
from deploy.dev.engines.rabbitmq import ADMIN, RabbitMq
from deploy.dev.state import State
from deploy.files import write_file
from deploy.postgres import bootstrap as postgres_bootstrap
from deploy.rabbitmq import bootstrap as rabbitmq_bootstrap
from deploy.rabbitmq.management import ManagementFault
from deploy.vault import bootstrap as vault_bootstrap

HEADING = "Settings for the engines that deploy/dev/engines runs; made by it, with passwords. make up ENGINES=real."


def settings_file(state: State) -> Path:
    return state.engines / "engines.env"


def set_up(state: State, name: str) -> None:
    """Runs the bootstrap of one engine. Raises EngineFault."""
    try:
        settings = {"postgres": _postgres, "rabbitmq": _rabbitmq, "hcvault": _hcvault}[name](state)
    except (
        psycopg.Error,
        ManagementFault,
        vault_bootstrap.VaultFault,
        hvac.exceptions.VaultError,
        requests.RequestException,
        OSError,
    ) as error:
        raise EngineFault(f"{name} runs but could not be set up: {str(error).strip()}") from error
    env_file.update(settings_file(state), settings, heading=HEADING)


def _postgres(state: State) -> dict[str, str]:
    admin_url = Postgres(state).admin_url()
    server = postgres_bootstrap.Server.of_url(admin_url, state.certs / "ca.pem")
    settings = postgres_bootstrap.make_roles(admin_url, server=server, passwords=state.engines / "secrets")
    return {**settings, "WAYVAULT_POSTGRES_ADMIN_URL": admin_url}


def _rabbitmq(state: State) -> dict[str, str]:
    engine = RabbitMq(state)
    amqp = f"127.0.0.1:{state.ports.rabbit}"
    settings = rabbitmq_bootstrap.bootstrap(engine.management(), amqp=amqp, passwords=state.engines / "secrets")
    return {
        **settings,
        "WAYVAULT_RABBIT_AMQP": amqp,
        "WAYVAULT_RABBIT_MANAGEMENT_URL": engine.management_url(),
        "WAYVAULT_RABBIT_ADMIN_USER": ADMIN,
        "WAYVAULT_RABBIT_ADMIN_PASSWORD": engine.admin_password(),
    }


def _hcvault(state: State) -> dict[str, str]:
    engine = HcVault(state)
    credentials = (state.engines / "transit").resolve()
    client = engine.client()
    client.token = engine.root_token()
    vault_bootstrap.bootstrap(client, vault_bootstrap.Plan(out=credentials, audit_log=engine.audit_log()))
    token_file = (state.engines / "secrets" / "hcvault_root_token").resolve()
    write_file(token_file, engine.root_token())
    return {
        "VAULT_TRANSIT_URL": engine.address(),
        "VAULT_TRANSIT_AUTH_DIR": str(credentials),
        "VAULT_TRANSIT_CA": str((state.certs / "ca.pem").resolve()),
        "WAYVAULT_HCVAULT_ADDRESS": engine.address(),
        "WAYVAULT_HCVAULT_TOKEN_FILE": str(token_file),
    }
