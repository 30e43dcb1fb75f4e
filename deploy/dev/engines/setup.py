"""Sets the running engines up through the production bootstraps and writes down the settings to use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import hvac
import hvac.exceptions
import psycopg
import requests

from deploy import env_file
from deploy.dev.engines.host import EngineFault
from deploy.dev.engines.rabbitmq import ADMIN
from deploy.dev.state import State
from deploy.files import write_file
from deploy.postgres import bootstrap as postgres_bootstrap
from deploy.rabbitmq import bootstrap as rabbitmq_bootstrap
from deploy.rabbitmq.management import Management, ManagementFault
from deploy.vault import bootstrap as vault_bootstrap

HEADING = "Settings for the engines that deploy/dev/engines runs; made by it, with passwords. make up ENGINES=real."


class PostgresEngine(Protocol):
    """One server, or a cluster behind one address; so are the other two."""

    def admin_url(self) -> str: ...


class RabbitEngine(Protocol):
    def management(self) -> Management: ...

    def management_url(self) -> str: ...

    def admin_password(self) -> str: ...

    def amqp(self) -> str: ...


class VaultEngine(Protocol):
    def client(self) -> hvac.Client: ...

    def address(self) -> str: ...

    def root_token(self) -> str: ...

    def audit_log(self) -> str: ...


def settings_file(state: State) -> Path:
    return state.engines / "engines.env"


def set_up_postgres(state: State, engine: PostgresEngine) -> None:
    """Makes roles and databases. Raises EngineFault, as the other two do."""
    admin_url = engine.admin_url()
    with _told("postgres"):
        server = postgres_bootstrap.Server.of_url(admin_url, state.certs / "ca.pem")
        settings = postgres_bootstrap.make_roles(admin_url, server=server, passwords=state.engines / "secrets")
    _keep(state, {**settings, "WAYVAULT_POSTGRES_ADMIN_URL": admin_url})


def set_up_rabbitmq(state: State, engine: RabbitEngine) -> None:
    """Makes the virtual host, users and policies."""
    with _told("rabbitmq"):
        settings = rabbitmq_bootstrap.bootstrap(
            engine.management(), amqp=engine.amqp(), passwords=state.engines / "secrets"
        )
    _keep(
        state,
        {
            **settings,
            "WAYVAULT_RABBIT_AMQP": engine.amqp(),
            "WAYVAULT_RABBIT_MANAGEMENT_URL": engine.management_url(),
            "WAYVAULT_RABBIT_ADMIN_USER": ADMIN,
            "WAYVAULT_RABBIT_ADMIN_PASSWORD": engine.admin_password(),
        },
    )


def set_up_hcvault(state: State, engine: VaultEngine) -> None:
    """Makes the transit engine, its keys, policies and identities."""
    credentials = (state.engines / "transit").resolve()
    with _told("hcvault"):
        client = engine.client()
        client.token = engine.root_token()
        vault_bootstrap.bootstrap(client, vault_bootstrap.Plan(out=credentials, audit_log=engine.audit_log()))
    token_file = (state.engines / "secrets" / "hcvault_root_token").resolve()
    write_file(token_file, engine.root_token())
    _keep(
        state,
        {
            "VAULT_TRANSIT_URL": engine.address(),
            "VAULT_TRANSIT_AUTH_DIR": str(credentials),
            "VAULT_TRANSIT_CA": str((state.certs / "ca.pem").resolve()),
            "WAYVAULT_HCVAULT_ADDRESS": engine.address(),
            "WAYVAULT_HCVAULT_TOKEN_FILE": str(token_file),
        },
    )


def _keep(state: State, settings: dict[str, str]) -> None:
    env_file.update(settings_file(state), settings, heading=HEADING, quoted=True)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (
        psycopg.Error,
        ManagementFault,
        vault_bootstrap.VaultFault,
        hvac.exceptions.VaultError,
        requests.RequestException,
        OSError,
    ) as error:
        raise EngineFault(f"{name} runs but could not be set up: {str(error).strip()}") from error
