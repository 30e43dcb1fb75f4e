"""Backup, restore and drill over PostgreSQL, RabbitMQ and HashiCorp Vault."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, update

from chassis.clock import SystemClock
from chassis.db import open_database
from chassis.sealing import OpeningKey
from deploy.backup import postgres, seal
from deploy.backup.drill import drill_engines
from deploy.backup.parts import data_sources, key_sources
from deploy.backup.places import Places
from deploy.backup.raft import unseal_keys_of
from deploy.backup.rules import BackupFault
from deploy.backup.store import KEYS, Store
from deploy.dev import letter_keys
from deploy.dev.state import State
from services.vault.audit.service import Audit, AuditEntry
from services.vault.config import VaultSettings
from services.vault.custody.models import CardRow
from services.vault.custody.service import card_context
from services.vault.migrations import MIGRATIONS
from services.vault.transit.service import Cipher, KeyName, open_transit
from tests.support import engines

AT = datetime(2026, 11, 20, 3, tzinfo=UTC)


class House:
    """An installation on the engines: four databases, a transit mount, and the services' secrets."""

    def __init__(self, folder: Path, urls: dict[str, str], transit: engines.TransitEngine) -> None:
        self.store = Store(folder / "backup")
        self.lines: list[str] = []
        settings = VaultSettings(
            state_dir=folder, database_url=urls["vault"], transit_url=transit.url, transit_auth_dir=transit.auth_dir,
            transit_mount=transit.mount, transit_ca=transit.ca,
        )  # fmt: skip
        self.places = Places(
            databases=urls,
            audit_heads=folder / "heads.jsonl",
            charging_heads=folder / "heads-charging.jsonl",
            secrets=folder / "secrets",
            rabbit=engines.rabbit_management(),
            hcvault=engines.vault_admin(),
            vault=settings,
        )
        letter_keys.ensure(self.places.secrets)
        MIGRATIONS.upgrade(urls["vault"])
        for name in ("crm", "portal", "notifier"):
            with psycopg.connect(urls[name].replace("+psycopg", "")) as connection:
                connection.execute("CREATE TABLE things AS SELECT generate_series(1, 3) AS id")
        seal.make_key(folder / "identity.txt", self.store.folder / "recipients.txt")
        self.identities = seal.identities_of(folder / "identity.txt")
        self.transit = open_transit(
            transit.url, clock=SystemClock(), auth_dir=transit.auth_dir, mount=transit.mount, ca=transit.ca
        )

    def hold(self, token: str) -> None:
        """A card, as intake stores it, with its audit row."""
        database = open_database(self.places.databases["vault"], name="house")
        key = OpeningKey((self.places.secrets / "vault" / "letter_signing.jwk").read_bytes())
        audit = Audit(
            database, self.transit.sealing, heads_file=self.places.audit_heads, signing_key=key, clock=SystemClock()
        )
        audit.prepare()
        plain = json.dumps({"pan": "4111111111111111", "brand": "visa"}).encode()
        cipher = self.transit.intake.encrypt(KeyName.CARD, plain, card_context(KeyName.CARD, token, "agency_1"))
        row = {"token": token, "agency_id": "agency_1", "payment_id": token, "owner_agent_id": "agent_1"}
        row |= {"state": "stored", "brand": "visa", "last4": "1111", "cipher": cipher.text, "cvv_state": "none"}
        now = SystemClock().now()
        with database.transaction() as session:
            session.execute(
                insert(CardRow),
                row | {"key_version": cipher.version, "stored_at": now, "kept_until": now + timedelta(days=30)},
            )
            audit.record(session, AuditEntry(action="card.stored", actor="portal", resource=token, card_token=token))
        audit.close()
        database.dispose()

    def destroy_old_keys(self, token: str) -> None:
        """What rotate-keys and rewrap --trim come to, for the one card."""
        keeper = self.transit.rotation
        newest = keeper.rotate(KeyName.CARD).latest_version
        database = open_database(self.places.databases["vault"], name="house")
        with database.transaction() as session:
            old = session.execute(CardRow.__table__.select().where(CardRow.token == token)).one()
            (fresh,) = keeper.rewrap(
                KeyName.CARD, [(Cipher(old.cipher), card_context(KeyName.CARD, token, "agency_1"))]
            )
            assert isinstance(fresh, Cipher)
            session.execute(
                update(CardRow).where(CardRow.token == token).values(cipher=fresh.text, key_version=fresh.version)
            )
        database.dispose()
        keeper.trim(KeyName.CARD, newest)

    def back_up(self, name: str) -> None:
        recipients = seal.recipients_of(self.store.folder / "recipients.txt")
        self.store.make(name, list(data_sources(self.places)), recipients, AT, self.lines.append)
        self.store.make(KEYS, list(key_sources(self.places)), recipients, AT, self.lines.append)


@pytest.fixture
def house(tmp_path: Path, vault_transit: engines.TransitEngine) -> Iterator[House]:
    with ExitStack() as databases:
        urls = {
            name: databases.enter_context(engines.fresh_postgres()) for name in ("notifier", "portal", "crm", "vault")
        }
        yield House(tmp_path, urls, vault_transit)


@pytest.mark.engines
def test_the_drill_on_the_engines_opens_a_card_and_none_that_a_trim_forgot(house: House) -> None:
    house.hold("card_1")
    house.back_up("20261120T030000Z")
    house.destroy_old_keys("card_1")
    house.back_up("20261121T030000Z")
    snapshot = house.store.manifest(KEYS).part("hcvault")
    assert snapshot.size > 10_000

    result = drill_engines(
        house.store,
        "20261121T030000Z",
        house.identities,
        house.lines.append,
        places=house.places,
        admin_url=engines.postgres_admin_url(),
        unseal_keys=unseal_keys_of(State.from_environment().engines / "secrets" / "hcvault.json"),
    )

    assert result.faults == ()
    assert result.complete
    said = "\n".join(house.lines)
    assert "raft snapshot loaded into a Vault of its own" in said
    assert "1 opened by the vault's own code" in said
    assert "cards of backup 20261120T030000Z whose keys a trim destroyed: 0 open, 1 refused" in said
    with psycopg.connect(engines.postgres_admin_url()) as connection:
        left = connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'wayvault_drill_%'").fetchone()
    assert left == (0,)


@pytest.mark.engines
def test_a_dump_restores_into_an_empty_database_only_with_the_rows_it_counted(
    postgres_url: str, tmp_path: Path
) -> None:
    libpq = postgres_url.replace("+psycopg", "")
    with psycopg.connect(libpq) as connection:
        connection.execute("CREATE TABLE things AS SELECT generate_series(1, 1000) AS id")

    counts = postgres.dump(postgres_url, tmp_path / "dump")

    assert counts == {"things": 1000}
    with engines.fresh_postgres() as empty:
        assert postgres.restore(tmp_path / "dump", empty) == counts
        with pytest.raises(BackupFault, match="not empty"):
            postgres.restore(tmp_path / "dump", empty)
    assert libpq.split("@")[0].split(":")[-1] not in (tmp_path / "dump").read_bytes().decode("latin-1")


@pytest.mark.engines
def test_rabbitmqs_definitions_can_be_put_back(tmp_path: Path) -> None:
    places = Places(
        databases={}, audit_heads=tmp_path / "none", charging_heads=tmp_path / "none", secrets=tmp_path,
        rabbit=engines.rabbit_management(),
    )  # fmt: skip
    (source,) = [source for source in data_sources(places) if source.name == "rabbitmq"]

    taken = source.take(tmp_path / "definitions")

    assert taken["users"] >= 1
    assert source.put(tmp_path / "definitions") == taken


@pytest.mark.parametrize("content", ["", "{}", "{broken"])
def test_a_file_without_unseal_keys_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(BackupFault, match="no unseal key"):
        unseal_keys_of(tmp_path / "keys")
    with pytest.raises(BackupFault, match="can't be read"):
        unseal_keys_of(tmp_path / "none")


def test_unseal_keys_stand_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("one\n\ntwo\n")
    assert unseal_keys_of(tmp_path / "keys") == ["one", "two"]
