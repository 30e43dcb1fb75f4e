"""Finds the real engines that run already (deploy/dev/engines, or what WAYVAULT_… variables name); starts none.

Without an engine a test that needs it is skipped; with ENGINES=required it fails.
"""

import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlsplit

import hvac
import psycopg
import pytest
from psycopg import sql

from deploy import env_file
from deploy.dev.state import State
from deploy.rabbitmq.management import Management, segment
from deploy.vault import bootstrap as vault_bootstrap

ABSENT = "no real engine:"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitEngine:
    """How to reach a bootstrapped transit mount: what VAULT_TRANSIT_URL, _AUTH_DIR, _MOUNT and _CA would say."""

    url: str
    auth_dir: Path
    mount: str
    ca: Path


def required() -> bool:
    """Whether a missing engine is a failure."""
    return os.environ.get("ENGINES") == "required"


def absent(reason: str) -> NoReturn:
    """Skips the test, or fails it when engines are required."""
    told = f"{ABSENT} {reason}. `make engines` starts them."
    if required():
        pytest.fail(told, pytrace=False)
    pytest.skip(told)


@lru_cache(maxsize=1)
def settings() -> Mapping[str, str]:
    """What is known of running engines: the environment, and `<state>/engines/engines.env`."""
    written = env_file.read(State.from_environment().engines / "engines.env")
    return {**written, **{name: value for name, value in os.environ.items() if name.startswith("WAYVAULT_")}}


def _needed(engine: str, *names: str) -> tuple[str, ...]:
    values = tuple(settings().get(name, "") for name in names)
    if not all(values):
        absent(f"{engine} was not set up")
    return values


def _reach(engine: str, host: str | None, port: int | None) -> None:
    try:
        socket.create_connection((host or "127.0.0.1", port or 0), timeout=2).close()
    except OSError:
        absent(f"{engine} does not answer on {host}:{port}")


def postgres_admin_url() -> str:
    """The administrator's URL of the running PostgreSQL."""
    (admin_url,) = _needed("PostgreSQL", "WAYVAULT_POSTGRES_ADMIN_URL")
    target = urlsplit(admin_url)
    _reach("PostgreSQL", target.hostname, target.port)
    return admin_url


@contextmanager
def fresh_postgres() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database that goes away afterwards; its role owns it."""
    admin_url = postgres_admin_url()
    target = urlsplit(admin_url)
    name = f"wayvault_test_{secrets.token_hex(6)}"
    identifier = sql.Identifier(name)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(identifier))
    try:
        yield target._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()
    finally:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def rabbit_management() -> Management:
    """The management API of the running node; skips or fails when there is none."""
    url, user, password, ca = _needed(
        "RabbitMQ",
        "WAYVAULT_RABBIT_MANAGEMENT_URL",
        "WAYVAULT_RABBIT_ADMIN_USER",
        "WAYVAULT_RABBIT_ADMIN_PASSWORD",
        "WAYVAULT_CA",
    )
    target = urlsplit(url)
    _reach("RabbitMQ", target.hostname, target.port)
    return Management(url, user=user, password=password, ca=Path(ca), timeout=30.0)


@contextmanager
def fresh_vhost() -> Iterator[str]:
    """The amqps URL of an empty virtual host that goes away afterwards; its user may do everything in it."""
    management = rabbit_management()
    amqp, user, password = _needed(
        "RabbitMQ", "WAYVAULT_RABBIT_AMQP", "WAYVAULT_RABBIT_ADMIN_USER", "WAYVAULT_RABBIT_ADMIN_PASSWORD"
    )
    vhost = f"test-{secrets.token_hex(6)}"
    management.put(f"/api/vhosts/{segment(vhost)}", {})
    try:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        management.put(f"/api/permissions/{segment(vhost)}/{segment(user)}", {**everything})
        yield f"amqps://{quote(user)}:{quote(password, safe='')}@{amqp}/{segment(vhost)}"
    finally:
        management.delete(f"/api/vhosts/{segment(vhost)}")


def vault_admin() -> hvac.Client:
    """A client of the running Vault with the root token; skips or fails when there is none."""
    address, token_file, ca = _needed(
        "HashiCorp Vault", "WAYVAULT_HCVAULT_ADDRESS", "WAYVAULT_HCVAULT_TOKEN_FILE", "WAYVAULT_CA"
    )
    target = urlsplit(address)
    _reach("HashiCorp Vault", target.hostname, target.port)
    return hvac.Client(url=address, token=Path(token_file).read_text("utf-8").strip(), verify=ca)


@contextmanager
def fresh_transit(out: Path) -> Iterator[TransitEngine]:
    """A transit mount with keys, policies and identities of its own, set up by deploy/vault/bootstrap."""
    client = vault_admin()
    plan = vault_bootstrap.Plan(out=out, mount=f"transit-test-{secrets.token_hex(6)}")
    vault_bootstrap.bootstrap(client, plan)
    try:
        yield TransitEngine(
            url=settings()["WAYVAULT_HCVAULT_ADDRESS"],
            auth_dir=out,
            mount=plan.mount,
            ca=Path(settings()["WAYVAULT_CA"]),
        )
    finally:
        vault_bootstrap.remove(client, plan)
