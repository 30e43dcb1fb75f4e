"""What an operator types at the vault, and what they are told: what was done, what is next, and why it wasn't done."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.vault import __main__ as program
from services.vault.bootstrap import bootstrap
from services.vault.config import VaultSettings
from services.vault.migrations import MIGRATIONS
from services.vault.parts import Dependencies
from services.vault.server import open_server
from tests.support.hurry import in_a_hurry
from tests.support.tls import Authority
from tests.support.vault_kit import AGENCY, AGENT, write_letter_keys

pytestmark = pytest.mark.enable_socket

# Runs a command; returns its exit status, what it said, and what it complained of.
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="module")
def vault(folder: Path) -> Iterator[tuple[Dependencies, int]]:
    """A vault of its own key ring that answers, and its port."""
    authority = Authority.create(folder / "certs")
    authority.issue("operator")
    settings = VaultSettings(
        state_dir=folder,
        database_url=f"sqlite:///{folder}/vault.db",
        secret_key=SecretStr("k" * 40),
        letter_signing_key=folder / "letters" / "signing.jwk",
        notifier_letter_key=folder / "letters" / "notifier.pub",
    )
    signing, _, _, letter_public = write_letter_keys(folder / "letters")
    MIGRATIONS.upgrade(settings.database_url)
    deps = bootstrap(settings.model_copy(update={"letter_signing_key": signing, "notifier_letter_key": letter_public}))
    deps.core.audit.prepare()
    server = open_server(deps, "127.0.0.1:0", authority.issue("vault"), workers=4)
    server.start()
    yield deps, server.port
    server.stop(grace=0)
    deps.close()


@pytest.fixture
def typed(
    vault: tuple[Dependencies, int], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    signing, _, _, letter_public = write_letter_keys(folder / "letters")
    for name, value in {
        "STATE_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/vault.db",
        "VAULT_ADDRESS": f"127.0.0.1:{vault[1]}",
        "CHARGING_ADDRESS": "127.0.0.1:9",
        "SECRET_KEY": "k" * 40,
        "LETTER_SIGNING_KEY": str(signing),
        "NOTIFIER_LETTER_KEY": str(letter_public),
    }.items():
        monkeypatch.setenv(f"VAULT_{name}", value)
    monkeypatch.setattr(program, "configure_logging", lambda *_, **__: None)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = program.main(list(arguments))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_an_agent_is_enrolled_and_moved_to_another_address(typed: Typed) -> None:
    who = ("--agent-id", "agent_new", "--agency-id", AGENCY, "--name", "Ada Moreau")
    status, said, _ = typed("enroll-agent", *who, "--email", "ada@harbour.example")
    assert (status, "One-time codes go to ada@harbour.example." in said) == (0, True)
    status, said, _ = typed("change-agent-email", "--agent-id", "agent_new", "--email", "ada@new.example")
    assert (status, "go to ada@new.example from now on" in said) == (0, True)


def test_each_command_says_what_it_would_do_and_does_nothing(typed: Typed, vault: tuple[Dependencies, int]) -> None:
    for command, words in {
        "enroll-agent --agent-id agent_9 --agency-id a --name Ada --email a@harbour.example": "agent_9 would get",
        "change-agent-email --agent-id agent_9 --email ada@harbour.example": "of agent agent_9 would go to",
        "set-approver --agent-id agent_9 --off": "would no longer approve",
        "rotate-keys": "a new version of card, cvv, sealing",
        "rewrap --trim": "destroy the versions before it for good",
        "purge": "remove what is past its time",
    }.items():
        status, said, _ = typed(*command.split(), "--check")
        assert (status, words in said, "The vault answers." in said) == (0, True, True), said
    with vault[0].core.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM agents WHERE agent_id = 'agent_9'")) == 0
    status, _, complaint = typed("set-gateway-key", "--agency-id", AGENCY, "--check")
    assert (status, "Not done" in complaint) == (1, True), "charging does not run here"


def test_each_command_that_is_waited_for_says_so(typed: Typed) -> None:
    who = "--agent-id agent_8 --email"
    for command in (
        f"enroll-agent {who} ada8@harbour.example --agency-id a --name Ada",
        f"change-agent-email {who} ada9@harbour.example",
        "set-approver --agent-id agent_8",
        "rotate-keys cvv",
        "rewrap",
        "purge",
        "verify-audit",
    ):
        with in_a_hurry():
            status, _, words = typed(*command.split())
        assert status == 0
        assert f"{command.split()[0]}, 2 s so far" in words


def enrol(typed: Typed) -> None:
    """Maya; it does no harm when she is enrolled already, and leaves a row in the trail the first time."""
    who = ("--agent-id", AGENT, "--agency-id", AGENCY, "--name", "Maya Okafor", "--email", "maya@harbour.example")
    typed("enroll-agent", *who)


def test_an_approver_is_named_and_taken_back(typed: Typed) -> None:
    enrol(typed)
    status, said, _ = typed("set-approver", "--agent-id", AGENT)
    assert (status, "never of their own" in said) == (0, True)
    status, said, _ = typed("set-approver", "--agent-id", AGENT, "--off")
    assert (status, "no second reveals any more" in said) == (0, True)


def test_keys_are_rotated_cards_rewrapped_and_old_versions_destroyed(typed: Typed) -> None:
    status, said, _ = typed("rotate-keys", "card")
    assert (status, "Key card: version 2 encrypts" in said) == (0, True)
    status, said, _ = typed("rewrap")
    assert (status, "Done. Key card: version 2" in said, "rewrap --trim" in said) == (0, True, True)
    status, said, _ = typed("rewrap", "--trim")
    assert (status, "below 2 retired" in said) == (0, True)


def test_what_is_past_its_time_is_removed_at_once(typed: Typed) -> None:
    status, said, _ = typed("purge")
    assert (status, "Cards lapsed: 0. CVVs purged: 0." in said) == (0, True)


def test_the_report_says_what_is_kept_and_that_nothing_is_overdue(typed: Typed) -> None:
    status, said, _ = typed("retention-report")
    assert status in (0, 3)
    assert "card" in said.lower()


def test_the_trail_is_exported_as_lines_of_json_and_as_ocsf(typed: Typed) -> None:
    enrol(typed)
    status, said, _ = typed("export-audit")
    rows = [json.loads(line) for line in said.splitlines()]
    assert (status, bool(rows)) == (0, True)
    status, said, _ = typed("export-audit", "--ocsf")
    assert (status, {json.loads(line)["class_uid"] for line in said.splitlines()}) == (0, {6003})


def test_a_whole_trail_and_a_changed_one_are_told_apart(typed: Typed, vault: tuple[Dependencies, int]) -> None:
    enrol(typed)
    core = vault[0].core
    core.audit.write_heads()
    status, said, _ = typed("verify-audit")
    assert (status, "The trail is whole." in said) == (0, True)
    with core.database.transaction() as session:
        for trigger in session.scalars(
            text("SELECT name FROM sqlite_master WHERE tbl_name = 'audit_rows' AND type = 'trigger'")
        ).all():
            session.execute(text(f"DROP TRIGGER {trigger}"))
        session.execute(text("UPDATE audit_rows SET actor = 'nobody' WHERE sequence = 1"))
    status, said, _ = typed("verify-audit")
    assert (status, "FOUND in chain" in said, "keep a copy" in said) == (3, True, True)


def test_a_gateways_key_is_read_unseen_and_a_program_that_is_away_is_said(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sk_test_secret\n"))
    status, said, complained = typed("set-gateway-key", "--agency-id", AGENCY)
    assert (status, said) == (1, "")
    assert complained.startswith("Not done: ")
    assert "sk_test_secret" not in complained


def test_a_refusal_is_said_in_the_vaults_words(typed: Typed) -> None:
    status, _, complained = typed("change-agent-email", "--agent-id", "agent_unknown", "--email", "x@harbour.example")
    assert status == 1
    assert complained.startswith("Not done: ")
    status, _, complained = typed("rotate-keys", "nonsense")
    assert (status, "Not done: " in complained) == (1, True)


def test_a_missing_certificate_is_said(typed: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TLS_CERT", str(folder / "elsewhere" / "vault.pem"))
    status, _, complained = typed("purge")
    assert (status, "certificate can't be read" in complained) == (1, True)


def test_settings_are_printed_without_secrets_for_both_programs(typed: Typed) -> None:
    status, said, complained = typed("check-config")
    assert status in (0, 1)
    assert "k" * 40 not in said + complained
    status, said, _ = typed("check-config", "phone")
    assert "ng_listen" in said.lower()


@pytest.mark.parametrize("command", ["serve", "worker", "charging", "web", "phone"])
def test_no_program_starts_on_settings_that_cannot_work(
    typed: Typed, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for prefix in ("VAULT", "PHONE"):
        monkeypatch.setenv(f"{prefix}_STATE_DIR", str(tmp_path))
        monkeypatch.setenv(f"{prefix}_TLS_CERT", str(tmp_path / "nothing.pem"))
    status, _, complained = typed(command)
    assert (status, "there is no readable file" in complained) == (1, True)
