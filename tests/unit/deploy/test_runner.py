"""What the runner tells each process, and when it leaves databases alone."""

import configparser
import json
import subprocess
from pathlib import Path

import pytest

from deploy import env_file
from deploy.dev import run
from deploy.dev.databases import newest_revision
from deploy.dev.demo import demo_file
from deploy.dev.engines.host import is_running, read_pid
from deploy.dev.programs import configuration, programs_of, socket_of
from deploy.dev.settings import Origins, SettingsFault, base_environment, collect, environment_of
from deploy.dev.state import Ports, State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path, ports=Ports(base=9100))


def _collect(state: State, environment: dict[str, str] | None = None, env: str = "") -> dict[str, str]:
    file = state.root / "dotenv"
    file.write_text(env)
    return collect(state, environment or {}, env=file)


def test_what_the_caller_says_beats_the_file_and_the_file_beats_what_follows_from_the_ports(state: State) -> None:
    settings = _collect(
        state, {"CRM_LOG_LEVEL": "ERROR"}, env="CRM_LOG_LEVEL=DEBUG\nCRM_PUBLIC_URL=https://crm.example\n"
    )
    assert settings["CRM_LOG_LEVEL"] == "ERROR"
    assert settings["CRM_PUBLIC_URL"] == "https://crm.example"
    assert settings["PORTAL_PUBLIC_URL"] == "http://portal.localhost:9102"


def test_real_engines_without_their_settings_are_refused_with_the_remedy(state: State) -> None:
    with pytest.raises(SettingsFault, match="make engines"):
        _collect(state, {"ENGINES": "real"})


def test_real_engines_settings_reach_the_services_and_the_administrators_do_not(state: State) -> None:
    state.engines.mkdir()
    (state.engines / "engines.env").write_text("CRM_DATABASE_URL=postgresql://x\nWAYVAULT_POSTGRES_ADMIN_URL=secret\n")
    settings = _collect(state, {"ENGINES": "real"})
    assert settings["CRM_DATABASE_URL"] == "postgresql://x"
    assert "WAYVAULT_POSTGRES_ADMIN_URL" not in settings


def test_each_process_gets_its_own_services_settings_only(state: State) -> None:
    settings = _collect(state, {"VAULT_DATABASE_URL": "sqlite:///only-the-vaults"})
    assert "VAULT_DATABASE_URL" in environment_of("vault", settings)
    for other in ("crm", "portal", "notifier"):
        assert "VAULT_DATABASE_URL" not in environment_of(other, settings)
    assert base_environment({"PATH": "/bin", "VAULT_SECRET_KEY": "x", "CRM_BUS_URL": "y"})["PATH"] == "/bin"
    assert not {"VAULT_SECRET_KEY", "CRM_BUS_URL"} & set(
        base_environment({"VAULT_SECRET_KEY": "x", "CRM_BUS_URL": "y"})
    )


def test_supervisord_is_told_every_setting_as_it_is(state: State) -> None:
    odd = 'amqps://u:p%40ss@h/v,w="x"'
    parsed = configparser.RawConfigParser(inline_comment_prefixes=None)
    parsed.read_string(configuration(state, _collect(state, {"CRM_BUS_URL": odd}), Path("/checkout")))
    environment = parsed["program:crm-web"]["environment"]
    assert "CRM_BUS_URL='" + odd.replace("%", "%%") + "'" in environment
    assert "VAULT_" not in environment.replace("CRM_VAULT_", "")
    vault = parsed["program:vault-serve"]["environment"]
    assert "'" + json.dumps(["http://crm.localhost:9101", "http://portal.localhost:9102"]) + "'" in vault


def test_a_setting_with_both_kinds_of_quotes_is_refused(state: State) -> None:
    with pytest.raises(ValueError, match="both kinds of quotes"):
        configuration(state, _collect(state, {"CRM_X": "'\""}), Path("/checkout"))


def test_the_mailbox_runs_only_where_mail_is_kept_on_this_machine(state: State) -> None:
    local = {program.name for program in programs_of(state, _collect(state))}
    relayed = {program.name for program in programs_of(state, _collect(state, {"NOTIFIER_SMTP_URL": "smtps://mx:465"}))}
    assert local - relayed == {"notifier-web"}
    assert len(local) == 11


def test_a_state_directory_too_deep_for_a_socket_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="WAYVAULT_STATE="):
        socket_of(State(root=tmp_path / ("deep/" * 30), ports=Ports()))


def test_two_stacks_share_no_port() -> None:
    def all_of(base: int) -> list[int]:
        found = [getattr(Ports(base=base), name) for name, kind in vars(Ports).items() if isinstance(kind, property)]
        return [port for each in found for port in (each if isinstance(each, range) else (each,))]

    assert len(set(all_of(8100))) == len(all_of(8100)) == 16 + 3 + 100
    assert not set(all_of(8100)) & set(all_of(8200))


def test_settings_files_are_read_as_people_write_them(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# words\n\nexport A=1\nB = 'two # 2' # three\nC=four # five\nD=\nE=a#b\n")
    assert env_file.read(file) == {"A": "1", "B": "two # 2", "C": "four", "D": "", "E": "a#b"}


def test_a_line_that_is_no_setting_is_named_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nmy secret\n")
    with pytest.raises(env_file.EnvFileFault, match=r"line 2") as fault:
        env_file.read(file)
    assert "secret" not in str(fault.value)


def test_updating_settings_keeps_the_others(tmp_path: Path) -> None:
    file = tmp_path / "engines.env"
    env_file.update(file, {"A": "1", "B": "2"}, heading="words")
    env_file.update(file, {"B": "3"}, heading="words")
    assert env_file.read(file) == {"A": "1", "B": "3"}
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("value", ["plain", "amqps://crm:a=b@h/wv?x=1&y=2#z", "two words", "it's", "$HOME `id`", ""])
def test_a_shell_reads_what_was_written(tmp_path: Path, value: str) -> None:
    file = tmp_path / "engines.env"
    env_file.update(file, {"A": value}, heading="words", quoted=True)
    assert env_file.read(file) == {"A": value}
    said = subprocess.run(["sh", "-c", f'. {file} && printf %s "$A"'], capture_output=True, text=True, check=True)
    assert said.stdout == value


def test_the_newest_revision_is_the_one_that_no_other_stands_upon(tmp_path: Path) -> None:
    assert newest_revision(tmp_path) is None
    (tmp_path / "a.py").write_text('revision: str = "0001_initial"\ndown_revision: str | None = None\n')
    assert newest_revision(tmp_path) == "0001_initial"
    (tmp_path / "b.py").write_text("revision = '0002_more'\ndown_revision = '0001_initial'\n")
    assert newest_revision(tmp_path) == "0002_more"
    (tmp_path / "c.py").write_text("revision = '0002_other'\ndown_revision = '0001_initial'\n")
    assert newest_revision(tmp_path) is None


def test_a_reused_process_number_is_not_taken_for_ours(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text("1\n")
    assert read_pid(file) == 1
    assert not is_running(1, str(tmp_path))
    file.write_text("nonsense")
    assert read_pid(file) is None


def test_asked_what_it_would_start_it_starts_nothing_and_names_a_port_that_is_taken(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "port_is_taken", lambda port: port == state.ports.crm)
    with pytest.raises(run.RunFault, match=str(state.ports.crm)):
        run.looked_at(state)
    monkeypatch.setattr(run, "port_is_taken", lambda _: False)
    assert "Would start vault-serve, vault-worker" in run.looked_at(state)
    assert list(state.root.iterdir()) == []


def test_make_up_ends_with_the_addresses_of_both_sites_and_of_the_mailbox(
    state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    file = demo_file(state)
    file.parent.mkdir(parents=True, exist_ok=True)
    agents = [{"name": "Ada Lindqvist", "email": "ada@harbour.example", "role": "admin", "totp_secret": None}]
    file.write_text(json.dumps({"password": "amber brisk cedar", "agents": agents}), "utf-8")
    run.welcome(state, {}, seconds=30)
    said, origins = capsys.readouterr().out, Origins.of(state)
    for told in (origins.crm, origins.portal, origins.mailbox, "ada@harbour.example", "amber brisk cedar"):
        assert told in said
