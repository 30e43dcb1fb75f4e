"""The bootstraps against the running engines: what they make, that running again changes nothing, who may do what."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import hvac
import hvac.exceptions
import pika
import psycopg
import pytest
from pika.exceptions import ChannelClosedByBroker
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from deploy.dev.state import State
from deploy.postgres import bootstrap as postgres_bootstrap
from deploy.rabbitmq import bootstrap as rabbitmq_bootstrap
from deploy.rabbitmq.management import segment
from deploy.vault import bootstrap as vault_bootstrap
from services.vault.migrations import MIGRATIONS
from tests.support import engines
from tests.support.bus import rabbit_tls

pytestmark = pytest.mark.engines


# ---------------------------------------------------------------- PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultDatabase:
    owner: str
    application: str
    charging: str


@pytest.fixture
def vault_database(postgres_url: str, tmp_path: Path) -> Iterator[VaultDatabase]:
    """A migrated vault database of its own with freshly named roles for the application and for charging."""
    role = "wv_test_" + urlsplit(postgres_url).path[-12:]
    charging = f"{role}_charging"
    MIGRATIONS.upgrade(postgres_url)
    admin = postgres_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(admin, autocommit=True) as connection:
        for name in (role, charging):
            connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'only-for-this-test'".encode())
    target = urlsplit(postgres_url)

    def url_of(name: str) -> str:
        return target._replace(netloc=f"{name}:only-for-this-test@{target.hostname}:{target.port}").geturl()

    try:
        yield VaultDatabase(owner=postgres_url, application=url_of(role), charging=url_of(charging))
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            for name in (role, charging):
                connection.execute(f"DROP OWNED BY {name}".encode())
                connection.execute(f"DROP ROLE {name}".encode())


def _role_of(database: VaultDatabase) -> str:
    return urlsplit(database.application).username or ""


def _grant(database: VaultDatabase) -> None:
    postgres_bootstrap.grant_vault(
        database.owner, role=_role_of(database), charging_role=urlsplit(database.charging).username or ""
    )


@pytest.fixture
def as_application(vault_database: VaultDatabase) -> Iterator[Engine]:
    engine = create_engine(vault_database.application)
    yield engine
    engine.dispose()


def _refused(engine: Engine, statement: str) -> str:
    with engine.begin() as connection, pytest.raises(DBAPIError) as refusal:
        connection.execute(text(statement))
    return str(refusal.value.orig)


def test_before_the_grants_the_vaults_application_role_can_do_nothing(as_application: Engine) -> None:
    assert "permission denied" in _refused(as_application, "SELECT * FROM audit_rows")


def test_the_vaults_application_role_reads_and_inserts_audit_rows_and_changes_none(
    vault_database: VaultDatabase, as_application: Engine
) -> None:
    for _ in range(2):
        _grant(vault_database)
    with as_application.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_rows")).scalar_one() == 0
    for statement in (
        "UPDATE audit_rows SET actor = 'nobody'",
        "DELETE FROM audit_rows",
        "TRUNCATE audit_rows",
        "DELETE FROM audit_chains",
        "ALTER TABLE audit_rows ADD COLUMN more text",
        "DROP TABLE audit_rows",
        "CREATE TABLE mine (id int)",
        "UPDATE alembic_version SET version_num = 'x'",
    ):
        refusal = _refused(as_application, statement)
        assert "permission denied" in refusal or "must be owner" in refusal, statement


def test_charging_reads_cards_and_keeps_charges_and_the_rest_of_the_vault_is_closed_to_it(
    vault_database: VaultDatabase,
) -> None:
    for _ in range(2):
        _grant(vault_database)
    engine = create_engine(vault_database.charging)
    try:
        with engine.connect() as connection:
            for table in (
                "cards",
                "charges",
                "refunds",
                "gateway_accounts",
                "gateway_key_entries",
                "sealing_keys",
                "audit_rows",
            ):
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        for statement in (
            "UPDATE cards SET owner_agent_id = 'x'",
            "DELETE FROM cards",
            "UPDATE sealing_keys SET wrapped = NULL",
            "DELETE FROM sealing_keys",
            "SELECT * FROM grants",
            "SELECT * FROM second_reveals",
            "SELECT * FROM intakes",
            "SELECT * FROM agents",
            "SELECT * FROM idempotency",
            "UPDATE audit_rows SET actor = 'nobody'",
            "DELETE FROM charges",
            "CREATE TABLE mine (id int)",
        ):
            assert "permission denied" in _refused(engine, statement), statement
    finally:
        engine.dispose()


def test_the_rest_of_the_vault_reads_no_charge(vault_database: VaultDatabase, as_application: Engine) -> None:
    _grant(vault_database)
    for table in ("charges", "refunds"):
        assert "permission denied" in _refused(as_application, f"SELECT * FROM {table}")
    assert "permission denied" in _refused(as_application, "DELETE FROM gateway_accounts")


def test_databases_and_roles_can_be_made_again_and_keep_their_passwords() -> None:
    admin_url = engines.postgres_admin_url()
    state = State.from_environment()
    server = postgres_bootstrap.Server.of_url(admin_url, state.certs / "ca.pem")
    first = postgres_bootstrap.make_roles(admin_url, server=server, passwords=state.engines / "secrets")
    assert postgres_bootstrap.make_roles(admin_url, server=server, passwords=state.engines / "secrets") == first
    assert len(first) == 6


def test_asked_what_it_would_make_it_says_so_and_changes_nothing(
    tmp_path: Path, vault_database: VaultDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "url"
    for command, url, words in (
        ("roles", engines.postgres_admin_url(), "All is there"),
        ("roles", vault_database.application, "no superuser"),
        ("grants", vault_database.owner, "Would give the vault's application role its rights on"),
    ):
        file.write_text(url)
        assert postgres_bootstrap.main([command, "--url-file", str(file), "--check"]) == (words == "no superuser")
        said = capsys.readouterr()
        assert words in said.out + said.err
    with psycopg.connect(vault_database.owner.replace("+psycopg", "")) as connection:
        asked = ("SELECT has_table_privilege(%s, 'cards', 'SELECT')", (_role_of(vault_database),))
        assert connection.execute(*asked).fetchone() == (False,)


def test_databases_are_set_for_short_queries_and_keep_what_an_operator_sets() -> None:
    admin_url = engines.postgres_admin_url()
    state = State.from_environment()
    server = postgres_bootstrap.Server.of_url(admin_url, state.certs / "ca.pem")

    def settings() -> set[str]:
        query = "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
        rows = connection.execute(query.encode() + b" WHERE datname = 'wayvault_notifier'").fetchall()
        return {str(row[0]) for row in rows}

    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE wayvault_notifier SET random_page_cost = 2.5")
        try:
            postgres_bootstrap.make_roles(admin_url, server=server, passwords=state.engines / "secrets")
            assert settings() >= {"random_page_cost=2.5", "jit=off", "max_parallel_workers_per_gather=0"}
        finally:
            connection.execute("ALTER DATABASE wayvault_notifier RESET random_page_cost")
        postgres_bootstrap.make_roles(admin_url, server=server, passwords=state.engines / "secrets")
        assert settings() >= {"random_page_cost=1.1", "jit=off"}


def test_no_service_may_connect_to_anothers_database() -> None:
    engines.postgres_admin_url()
    settings = engines.settings()
    crm = settings.get("CRM_DATABASE_URL") or engines.absent("PostgreSQL was not set up")
    elsewhere = crm.replace("/wayvault_crm?", "/wayvault_vault?").replace("postgresql+psycopg", "postgresql")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(elsewhere)


def test_postgres_refuses_connections_without_tls() -> None:
    admin_url = engines.postgres_admin_url()
    with pytest.raises(psycopg.OperationalError, match=r"no encryption|pg_hba"):
        psycopg.connect(admin_url.replace("sslmode=verify-full", "sslmode=disable"))


# ---------------------------------------------------------------- RabbitMQ


@pytest.fixture
def service_urls(rabbit_url: str, tmp_path: Path) -> dict[str, str]:
    """A virtual host that the bootstrap has set up (twice), with the URL of each service's user."""
    target = urlsplit(rabbit_url)
    management, vhost = engines.rabbit_management(), target.path.lstrip("/")
    passwords = State.from_environment().engines / "secrets"
    amqp = f"{target.hostname}:{target.port}"
    first = rabbitmq_bootstrap.bootstrap(management, amqp=amqp, passwords=passwords, vhost=vhost)
    assert rabbitmq_bootstrap.bootstrap(management, amqp=amqp, passwords=passwords, vhost=vhost) == first
    return first


def _refused_to_declare(url: str, queue: str) -> str:
    from chassis.bus.rabbit_link import Link

    connection = pika.BlockingConnection(Link(url, service="tests", tls=rabbit_tls()).parameters("tests"))
    try:
        with pytest.raises(ChannelClosedByBroker) as refusal:
            connection.channel().queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        return str(refusal.value.reply_text)
    finally:
        connection.close()


def test_the_bus_can_be_asked_what_is_missing(service_urls: dict[str, str]) -> None:
    assert service_urls
    assert [name for name in rabbitmq_bootstrap.missing(engines.rabbit_management()) if name.startswith("user ")] == []


def test_a_service_may_not_touch_another_services_queue(service_urls: dict[str, str]) -> None:
    for variable, foreign in (
        ("CRM_BUS_URL", "wayvault.portal"),
        ("PORTAL_BUS_URL", "wayvault.notifier"),
        ("NOTIFIER_BUS_URL", "wayvault.crm"),
        ("CRM_BUS_URL", "wayvault.crm.more"),
    ):
        assert "ACCESS_REFUSED" in _refused_to_declare(service_urls[variable], foreign)


def test_the_vault_has_no_way_to_the_bus(service_urls: dict[str, str]) -> None:
    assert set(service_urls) == {"CRM_BUS_URL", "PORTAL_BUS_URL", "NOTIFIER_BUS_URL"}
    users = {user["name"] for user in engines.rabbit_management().get("/api/users")}
    assert "wayvault_vault" not in users
    assert "guest" not in users


def test_services_queues_have_a_delivery_limit_and_dead_letters_have_none(
    service_urls: dict[str, str], rabbit_url: str
) -> None:
    vhost = urlsplit(rabbit_url).path.lstrip("/")
    policy = engines.rabbit_management().get(f"/api/policies/{segment(vhost)}/wayvault-services")
    assert policy["definition"] == {"delivery-limit": 5}
    assert "dead" not in policy["pattern"]


# ---------------------------------------------------------------- HashiCorp Vault


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[tuple[hvac.Client, vault_bootstrap.Plan]]:
    with engines.fresh_transit(tmp_path / "transit") as engine:
        yield engines.vault_admin(), vault_bootstrap.Plan(out=engine.auth_dir, mount=engine.mount)


def test_a_second_bootstrap_keeps_keys_and_credentials(plan: tuple[hvac.Client, vault_bootstrap.Plan]) -> None:
    client, wanted = plan
    client.secrets.transit.rotate_key(name="card", mount_point=wanted.mount)
    before = {path.name: path.read_bytes() for path in wanted.out.iterdir()}
    assert vault_bootstrap.bootstrap(client, wanted) == []
    assert {path.name: path.read_bytes() for path in wanted.out.iterdir()} == before
    assert client.secrets.transit.read_key(name="card", mount_point=wanted.mount)["data"]["latest_version"] == 2


def test_vault_can_be_asked_what_is_missing(plan: tuple[hvac.Client, vault_bootstrap.Plan]) -> None:
    client, wanted = plan
    assert vault_bootstrap.missing(client, wanted) == []
    other = replace(wanted, mount=f"{wanted.mount}-none")
    lacking = vault_bootstrap.missing(client, other)
    assert f"transit engine {other.mount}" in lacking
    assert {"key card", "identity charging"} <= set(lacking)
    assert vault_bootstrap.missing(client, other) == lacking


def test_credentials_that_no_longer_work_are_replaced(plan: tuple[hvac.Client, vault_bootstrap.Plan]) -> None:
    client, wanted = plan
    path = wanted.out / "intake.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "secret_id": "long-gone"}))
    assert vault_bootstrap.bootstrap(client, wanted) == ["credentials of intake"]
    kept = json.loads(path.read_text())
    assert client.auth.approle.login(role_id=kept["role_id"], secret_id=kept["secret_id"], use_token=False)["auth"]


def test_a_key_that_became_exportable_is_reported(plan: tuple[hvac.Client, vault_bootstrap.Plan]) -> None:
    client, wanted = plan
    client.secrets.transit.update_key_configuration(name="card", exportable=True, mount_point=wanted.mount)
    with pytest.raises(vault_bootstrap.VaultFault, match="card: exportable is True"):
        vault_bootstrap.bootstrap(client, wanted)


def test_the_rotating_identity_can_not_make_a_key_exportable_or_open_anything(
    plan: tuple[hvac.Client, vault_bootstrap.Plan],
) -> None:
    _, wanted = plan
    client = engines.vault_admin()
    kept = json.loads((wanted.out / "rotation.json").read_text())
    client.token = client.auth.approle.login(**kept, use_token=False)["auth"]["client_token"]
    transit = client.secrets.transit
    for attempt in (
        lambda: transit.update_key_configuration(name="card", exportable=True, mount_point=wanted.mount),
        lambda: transit.update_key_configuration(name="card", deletion_allowed=True, mount_point=wanted.mount),
        lambda: transit.export_key(name="card", key_type="encryption-key", mount_point=wanted.mount),
        lambda: transit.encrypt_data(name="card", plaintext="eA==", context="eA==", mount_point=wanted.mount),
        lambda: transit.decrypt_data(name="card", ciphertext="vault:v1:x", context="eA==", mount_point=wanted.mount),
        lambda: transit.create_key(name="mine", mount_point=wanted.mount),
        lambda: transit.delete_key(name="card", mount_point=wanted.mount),
    ):
        with pytest.raises(hvac.exceptions.Forbidden):
            attempt()  # type: ignore[no-untyped-call]  # hvac has no types


def test_every_request_to_vault_is_audited() -> None:
    devices = engines.vault_admin().sys.list_enabled_audit_devices()["data"]
    assert devices["wayvault/"]["type"] == "file"


def test_a_password_in_a_url_is_quoted() -> None:
    server = postgres_bootstrap.Server(host="db", port=5432, ca=Path("/ca.pem"))
    assert quote("p@ss:/word", safe="") in server.url("role", "p@ss:/word", "base")
