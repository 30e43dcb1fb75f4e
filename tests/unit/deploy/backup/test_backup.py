"""A whole installation on the embedded engines is kept, lost and brought back; and the drill finds what it should."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from chassis.clock import SystemClock
from chassis.db import open_database
from chassis.sealing import OpeningKey
from deploy import env_file
from deploy.backup import seal
from deploy.backup.__main__ import main
from deploy.backup.drill import drill_embedded, open_cards, places_under
from deploy.backup.parts import data_sources, key_sources
from deploy.backup.places import Places, token_of
from deploy.backup.rules import BackupFault
from deploy.backup.store import KEYS, Store
from deploy.dev import letter_keys
from services.vault.audit.service import Audit, AuditEntry
from services.vault.custody.models import CardRow
from services.vault.custody.service import card_context
from services.vault.migrations import MIGRATIONS
from services.vault.transit.service import KeyName, open_transit

VISA = "4111111111111111"
FIRST = datetime(2026, 11, 20, 3, tzinfo=UTC)


class House:
    """An installation's state directory with a vault that holds cards, and a folder of backups."""

    def __init__(self, folder: Path) -> None:
        self.state, self.store = folder / "var", Store(folder / "backup")
        self.identity = folder / "elsewhere" / "identity.txt"
        self.places = places_under(self.state)
        self.lines: list[str] = []
        letter_keys.ensure(self.state / "secrets")
        for name in ("crm", "portal", "notifier"):
            write_rows(self.state / name / f"{name}.db", 3)
        write_rows(self.state / "bus" / "bus.db", 2)
        (self.state / "vault").mkdir()
        MIGRATIONS.upgrade(self.places.databases["vault"])
        seal.make_key(self.identity, self.store.folder / "recipients.txt")
        self.recipients = seal.recipients_of(self.store.folder / "recipients.txt")
        self.identities = seal.identities_of(self.identity)

    def hold(self, number: int) -> None:
        """One more card, as intake stores it, with its audit row."""
        transit = open_transit(f"embedded:///{self.places.keyring}", clock=SystemClock())
        database = open_database(self.places.databases["vault"], name="house")
        key = OpeningKey((self.state / "secrets" / "vault" / "letter_signing.jwk").read_bytes())
        audit = Audit(
            database, transit.sealing, heads_file=self.places.audit_heads, signing_key=key, clock=SystemClock()
        )
        audit.prepare()
        token, now = f"card_{number}", SystemClock().now()
        plain = json.dumps({"pan": VISA, "exp_month": 12, "exp_year": 2030, "name": "Grace", "brand": "visa"}).encode()
        cipher = transit.intake.encrypt(KeyName.CARD, plain, card_context(KeyName.CARD, token, "agency_1"))
        row = {"token": token, "agency_id": "agency_1", "payment_id": token, "owner_agent_id": "agent_1"}
        row |= {"state": "stored", "brand": "visa", "last4": "1111", "cipher": cipher.text, "cvv_state": "none"}
        with database.transaction() as session:
            session.execute(
                insert(CardRow),
                row | {"key_version": cipher.version, "stored_at": now, "kept_until": now + timedelta(days=30)},
            )
            audit.record(session, AuditEntry(action="card.stored", actor="portal", resource=token, card_token=token))
        audit.close()
        database.dispose()

    def sign_as_charging(self) -> None:
        """The heads of all chains, as charging signs them in a file of its own."""
        transit = open_transit(f"embedded:///{self.places.keyring}", clock=SystemClock())
        database = open_database(self.places.databases["vault"], name="charging")
        key = OpeningKey((self.state / "secrets" / "vault" / "letter_signing.jwk").read_bytes())
        file = self.places.charging_heads
        Audit(database, transit.sealing, heads_file=file, signing_key=key, clock=SystemClock()).write_heads()
        database.dispose()

    def back_up(self, name: str) -> None:
        self.store.make(name, list(data_sources(self.places)), self.recipients, FIRST, self.lines.append)
        self.store.make(KEYS, list(key_sources(self.places)), self.recipients, FIRST, self.lines.append)

    def restore(self, name: str, state: Path) -> Places:
        places = places_under(state)
        self.store.restore(name, list(data_sources(places)), self.identities, self.lines.append)
        self.store.restore(KEYS, list(key_sources(places)), self.identities, self.lines.append)
        return places


def write_rows(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS things (id INTEGER PRIMARY KEY)")
        database.executemany("INSERT INTO things DEFAULT VALUES", [()] * count)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.hold(1)
    return house


def test_a_lost_installation_comes_back_and_its_cards_open(house: House, tmp_path: Path) -> None:
    house.back_up("20261120T030000Z")
    shutil.rmtree(house.state)

    places = house.restore("20261120T030000Z", tmp_path / "new")

    database = open_database(places.databases["vault"], name="restored")
    transit = open_transit(f"embedded:///{places.keyring}", clock=SystemClock())
    assert open_cards(database, transit, limit=10) == (1, 0, [])
    database.dispose()
    assert oct((tmp_path / "new/vault/keyring.json").stat().st_mode & 0o777) == "0o600"


def test_what_lies_in_the_folder_of_backups_is_sealed(house: House) -> None:
    house.back_up("20261120T030000Z")

    everything = b"".join(path.read_bytes() for path in house.store.folder.rglob("*") if path.is_file())

    assert VISA.encode() not in everything
    assert b"card_1" not in everything
    assert (house.state / "secrets/vault/secret_key").read_bytes() not in everything
    assert not list(house.store.folder.glob(".part-*"))


def test_a_restore_overwrites_nothing(house: House) -> None:
    house.back_up("20261120T030000Z")

    with pytest.raises(BackupFault, match="overwrites nothing"):
        house.restore("20261120T030000Z", house.state)


def test_a_changed_file_another_identity_and_a_missing_part_are_found(house: House, tmp_path: Path) -> None:
    house.back_up("20261120T030000Z")
    assert house.store.check("20261120T030000Z", house.identities) == []
    seal.make_key(tmp_path / "other.txt", tmp_path / "other-recipients.txt")
    strangers = seal.identities_of(tmp_path / "other.txt")
    assert len(house.store.check("20261120T030000Z", strangers)) == 7

    sealed = house.store.folder / "20261120T030000Z" / "crm.age"
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"\0")
    (house.store.folder / "20261120T030000Z" / "bus.age").unlink()

    faults = house.store.check("20261120T030000Z", house.identities)
    assert [Path(fault.split()[0]).name for fault in faults] == ["crm.age", "bus.age"]


def test_the_drill_proves_it_all_and_changes_nothing(house: House) -> None:
    house.back_up("20261120T030000Z")
    house.hold(2)
    house.back_up("20261121T030000Z")
    before = {path: path.read_bytes() for path in house.state.rglob("*") if path.is_file()}

    result = drill_embedded(house.store, "20261121T030000Z", house.identities, house.lines.append)

    assert result.faults == ()
    assert result.complete
    said = "\n".join(house.lines)
    assert "1 opened by the vault's own code" in said
    assert "cards of backup 20261121T030000Z whose keys a trim destroyed: 0 open, 2 refused" in said
    assert "cards of backup 20261120T030000Z whose keys a trim destroyed: 0 open, 1 refused" in said
    assert VISA not in said
    assert {path: path.read_bytes() for path in house.state.rglob("*") if path.is_file()} == before
    assert not list(house.store.folder.glob(".drill-*"))


def test_charging_s_heads_come_back_and_are_checked_as_the_vault_s_are(house: House, tmp_path: Path) -> None:
    house.sign_as_charging()
    house.back_up("20261120T030000Z")
    kept = house.places.charging_heads.read_bytes()
    assert house.restore("20261120T030000Z", tmp_path / "new").charging_heads.read_bytes() == kept

    house.lines.clear()
    assert drill_embedded(house.store, "20261120T030000Z", house.identities, house.lines.append).faults == ()
    (said,) = [line for line in house.lines if line.startswith("audit trail: ")]
    signed = sum(file.read_bytes().count(b"\n") for file in (house.places.audit_heads, house.places.charging_heads))
    assert said.endswith(f" {signed} signed heads")

    house.places.charging_heads.write_bytes(kept.replace(b".", b".A", 1))
    house.back_up("20261121T030000Z")
    result = drill_embedded(house.store, "20261121T030000Z", house.identities, house.lines.append)
    assert [fault.rpartition(": ")[2] for fault in result.faults] == [
        "a line of the head file is not a head that the vault signed"
    ]


def test_a_backup_of_a_former_version_without_charging_s_heads_comes_back(house: House, tmp_path: Path) -> None:
    former = [source for source in data_sources(house.places) if not source.is_new]
    house.store.make("20261120T030000Z", former, house.recipients, FIRST, house.lines.append)
    house.store.make(KEYS, list(key_sources(house.places)), house.recipients, FIRST, house.lines.append)

    places = house.restore("20261120T030000Z", tmp_path / "new")

    assert not places.charging_heads.exists()
    assert "audit-heads-charging: not in this backup, which a former version made" in "\n".join(house.lines)
    assert drill_embedded(house.store, "20261120T030000Z", house.identities, house.lines.append).faults == ()


@pytest.mark.parametrize("harm", ["changed", "away", "of another kind"])
def test_a_part_that_can_not_come_back_is_found_before_anything_is_put_back(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    house.back_up("20261120T030000Z")
    folder, empty = house.store.folder / "20261120T030000Z", tmp_path / "empty"
    if harm == "of another kind":
        manifest = folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"sqlite"', '"postgresql"'))
    elif harm == "changed":
        (folder / "bus.age").write_bytes((folder / "bus.age").read_bytes()[:-1] + b"\0")
    else:
        (folder / "bus.age").unlink()
    monkeypatch.setenv("WAYVAULT_STATE", str(empty))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    command = ["restore", "--to", str(house.store.folder), "--identity", str(house.identity)]

    assert main(command) == 1
    said = capsys.readouterr()
    assert "Nothing was put back." in said.err
    assert "bus" in said.err
    assert "restoring" not in said.out
    assert not list(empty.rglob("*.db"))
    assert not (empty / "vault" / "keyring.json").exists()
    assert not (empty / "secrets").exists()
    if harm != "of another kind":
        assert main([*command, "--without", "bus"]) == 0


def test_the_drill_finds_a_changed_audit_row(house: House) -> None:
    with closing(sqlite3.connect(house.state / "vault" / "vault.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit_rows SET actor = 'nobody' WHERE action = 'card.stored'")
    house.back_up("20261120T030000Z")

    result = drill_embedded(house.store, "20261120T030000Z", house.identities, house.lines.append)

    assert any("the row was changed" in fault for fault in result.faults)


def test_a_drill_without_a_card_says_that_it_proves_less(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.hold(1)
    with closing(sqlite3.connect(house.state / "vault" / "vault.db")) as database, database:
        database.execute("UPDATE cards SET state = 'removed', cipher = NULL, key_version = NULL")
    house.back_up("20261120T030000Z")

    result = drill_embedded(house.store, "20261120T030000Z", house.identities, house.lines.append)

    assert (result.faults, result.complete) == ((), False)


def test_a_vault_that_was_never_migrated_is_said_in_words(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAYVAULT_STATE", str(house.state))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (house.state / "vault" / "vault.db").unlink()
    write_rows(house.state / "vault" / "vault.db", 1)
    house.back_up("20261120T030000Z")

    assert main(["drill", "--to", str(house.store.folder), "--identity", str(house.identity)]) == 1
    assert "Was it migrated?" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_said_before_anything_is_taken_and_where_it_may_be_instead(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAYVAULT_STATE", str(house.state))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (house.state / "crm" / "crm.db").unlink()
    command = ["run", "--check", "--to", str(house.store.folder)]

    assert main(command) == 1
    said = capsys.readouterr().err
    assert "There is no database" in said
    assert "ENGINES=real" not in said
    env_file.update(house.state / "engines" / "engines.env", {"A": "1"}, heading="words")
    assert main(command) == 1
    assert "set ENGINES=real" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["hvs.token\n", '{"unseal_key": "x", "root_token": "hvs.token"}'])
def test_vaults_token_stands_alone_or_in_what_the_set_up_wrote(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    assert token_of(file) == "hvs.token"


def test_a_file_without_a_token_is_named_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text('{"unseal_key": "secret"}')
    with pytest.raises(BackupFault, match="holds no token") as fault:
        token_of(file)
    assert "secret" not in str(fault.value)


def test_the_command_line_from_the_key_to_the_drill(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAYVAULT_STATE", str(house.state))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))  # the command adds the settings of this state
    folder, identity = tmp_path / "kept", tmp_path / "away" / "identity.txt"
    to = ["--to", str(folder)]

    assert main(["run", *to]) == 1
    assert "deploy.backup key" in capsys.readouterr().err
    assert main(["key", *to, "--identity", str(identity), "--check"]) == 0
    assert not identity.exists()
    assert main(["key", *to, "--identity", str(identity)]) == 0
    assert main(["key", *to, "--identity", str(identity)]) == 1
    assert main(["run", *to, "--check"]) == 0
    assert Store(folder).names() == []
    assert main(["run", *to]) == 0
    assert main(["list", *to, "--check", "--identity", str(identity)]) == 0
    assert main(["restore", *to, "--check", "--identity", str(identity)]) == 0
    assert main(["restore", *to, "--identity", str(identity)]) == 1  # into the state that exists
    assert main(["drill", *to, "--identity", str(identity)]) == 0
    assert main(["drill", *to]) == 1
    assert "AGE-SECRET-KEY" not in capsys.readouterr().out
    next(folder.rglob("vault.age")).write_bytes(b"")
    assert main(["list", *to, "--check", "--identity", str(identity)]) == 3
