"""Makes databases and roles: `python -m deploy.postgres.bootstrap roles`, and after migrations `… grants`.

Safe to run again. Every service owns one database that no other role may connect to. The vault has three roles: its
owner migrates; its application role, which the running vault uses, can't alter tables and can only read and insert
audit rows; the role of its program `charging` reads cards and keeps charges, and nothing else. Until `grants` ran after
a migration, the application roles can do nothing: a table that nobody thought about is closed, not open.

Exit status: 0 done, or with --check whatever is missing; 1 not done, the message says why; 2 wrong arguments.
"""

import argparse
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from chassis.progress import at_work
from deploy.passwords import password_of
from services.vault.audit.models import grants_for
from services.vault.charging.models import grants_for as charging_grants_for
from services.vault.charging.models import withdrawals_for

OWNERS: Mapping[str, str] = {
    "vault": "wayvault_vault_owner",
    "crm": "wayvault_crm",
    "portal": "wayvault_portal",
    "notifier": "wayvault_notifier",
}
VAULT_APPLICATION = "wayvault_vault"
CHARGING = "wayvault_charging"
_HIGHEST_CONNECTIONS = 60
# For many short queries on disks without a head to move: PostgreSQL's own assumptions make it read whole tables with
# several processes, and compile what runs for ten milliseconds. What an operator has set stays.
_PLANNER = {"random_page_cost": "1.1", "jit": "off", "max_parallel_workers_per_gather": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the server is, and how its certificate is checked: always verify-full."""

    host: str
    port: int
    ca: Path

    @classmethod
    def of_url(cls, admin_url: str, ca: Path) -> "Server":
        target = urlsplit(admin_url)
        return cls(host=target.hostname or "127.0.0.1", port=target.port or 5432, ca=ca.resolve())

    def url(self, role: str, password: str, database: str, *, driver: str = "postgresql+psycopg") -> str:
        return (
            f"{driver}://{quote(role)}:{quote(password, safe='')}@{self.host}:{self.port}/{quote(database)}"
            f"?sslmode=verify-full&sslrootcert={quote(str(self.ca), safe='/')}"
        )


def database_of(service: str) -> str:
    return f"wayvault_{service}"


def make_roles(
    admin_url: str, *, server: Server, passwords: Path, services: Collection[str] = tuple(OWNERS)
) -> dict[str, str]:
    """Makes the services' roles and databases on this server; returns their settings. Raises psycopg.Error."""
    owners = {service: owner for service, owner in OWNERS.items() if service in services}
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for role in (*owners.values(), *((VAULT_APPLICATION, CHARGING) if "vault" in owners else ())):
            _make_role(connection, role, password_of(passwords, role))
        for service, owner in owners.items():
            _make_database(connection, database_of(service), owner)
        if "vault" in owners:
            for role in (VAULT_APPLICATION, CHARGING):
                _allow(connection, database_of("vault"), role)
    settings = {
        f"{service.upper()}_DATABASE_URL": server.url(owner, password_of(passwords, owner), database_of(service))
        for service, owner in owners.items()
    }
    if "vault" not in owners:
        return settings
    settings["VAULT_OWNER_DATABASE_URL"] = settings["VAULT_DATABASE_URL"]
    settings["VAULT_DATABASE_URL"] = server.url(
        VAULT_APPLICATION, password_of(passwords, VAULT_APPLICATION), database_of("vault")
    )
    settings["VAULT_CHARGING_DATABASE_URL"] = server.url(
        CHARGING, password_of(passwords, CHARGING), database_of("vault")
    )
    return settings


def would_make(admin_url: str) -> str:
    """What `make_roles` would make, for people. Raises psycopg.Error, also for who may not make it."""
    with psycopg.connect(admin_url) as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        if row is None or not row[0]:
            raise psycopg.OperationalError("this role is no superuser, and can't make others")
        there = {str(name) for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        databases = {str(name) for (name,) in connection.execute("SELECT datname FROM pg_database")}
    lacking = [
        *(f"role {role}" for role in (*OWNERS.values(), VAULT_APPLICATION, CHARGING) if role not in there),
        *(f"database {name}" for name in map(database_of, OWNERS) if name not in databases),
    ]
    if not lacking:
        return "All is there; passwords and rights would be set anew."
    return f"Would make: {', '.join(lacking)}."


def would_grant(url: str) -> str:
    """What `grant_vault` would do, for people. Raises psycopg.Error."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user").fetchone()
    return f"Would give the vault's application role its rights on {row[0] if row else 0} tables."


def grant_vault(owner_url: str, *, role: str = VAULT_APPLICATION, charging_role: str = CHARGING) -> None:
    """Gives the vault's application role and charging's what they need on the tables that exist, and no more, in one
    transaction. A server without a role for charging is left without one.

    Run it as the owner after every migration of the vault. Raises psycopg.Error.
    """
    name = sql.Identifier(role)
    with psycopg.connect(_libpq(owner_url)) as connection:
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {}",
        ):
            connection.execute(sql.SQL(statement).format(name))
        for text in (*grants_for(role), *withdrawals_for(role)):
            connection.execute(text.encode())
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (charging_role,)).fetchone():
            for text in charging_grants_for(charging_role):
                connection.execute(text.encode())


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = sql.SQL("ALTER ROLE" if exists else "CREATE ROLE")
    connection.execute(
        sql.SQL("{} {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT {} PASSWORD {}").format(
            verb, sql.Identifier(role), sql.Literal(_HIGHEST_CONNECTIONS), sql.Literal(password)
        )
    )


def _make_database(connection: psycopg.Connection, database: str, owner: str) -> None:
    name, role = sql.Identifier(database), sql.Identifier(owner)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(name, role))
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, role))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    _make_ready_for_short_queries(connection, database)


def _make_ready_for_short_queries(connection: psycopg.Connection, database: str) -> None:
    there = connection.execute(
        "SELECT unnest(setconfig) FROM pg_db_role_setting AS of_role JOIN pg_database ON pg_database.oid = setdatabase "
        "WHERE datname = %s AND setrole = 0",
        (database,),
    ).fetchall()
    names = {str(row[0]).partition("=")[0] for row in there}
    for setting, value in _PLANNER.items():
        if setting not in names:
            text = sql.SQL("ALTER DATABASE {} SET {} = {}")
            connection.execute(text.format(sql.Identifier(database), sql.Identifier(setting), sql.Literal(value)))


def _allow(connection: psycopg.Connection, database: str, role: str) -> None:
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(role))
    )


def _libpq(url: str) -> str:
    """A SQLAlchemy URL as libpq reads it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.postgres.bootstrap",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("roles", "grants"))
    parser.add_argument(
        "--url-file",
        type=Path,
        required=True,
        help="file with the URL of a superuser (roles) or the vault's owner (grants)",
    )
    parser.add_argument(
        "--ca", type=Path, default=Path("var/certs/ca.pem"), help="authority of the server's certificate"
    )
    parser.add_argument(
        "--passwords", type=Path, default=Path("var/engines/secrets"), help="where role passwords are kept"
    )
    parser.add_argument("--check", action="store_true", help="change nothing, say what would be made")
    given = parser.parse_args(arguments)
    try:
        url = given.url_file.read_text("utf-8").strip()
        if given.check:
            print(would_make(_libpq(url)) if given.command == "roles" else would_grant(_libpq(url)))
            return 0
        with at_work(given.command):
            if given.command == "grants":
                grant_vault(url)
                print("The vault's application role has its rights. Next: start its processes.")
                return 0
            settings = make_roles(_libpq(url), server=Server.of_url(url, given.ca), passwords=given.passwords)
    except (OSError, psycopg.Error) as error:
        print(f"PostgreSQL could not be set up: {str(error).strip()}", file=sys.stderr)
        return 1
    for name, value in settings.items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
