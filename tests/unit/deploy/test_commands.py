"""Every operator's command: its help, its --check, its words when it takes long, its exit statuses.

Commands are found, not listed: whatever can be run by `python -m` and is not named here with a reason must do it all.
"""

import argparse
import importlib
import io
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.compose.__main__ import Stack
from deploy.compose.sites import on_this_machine
from deploy.dev.engines import build_vault
from deploy.images.host import ContainerFault
from deploy.install import __main__ as install
from tests.support.hurry import in_a_hurry

ROOT = Path(__file__).resolve().parents[3]
# For who works on the code: they change the checkout, or a demo, alone.
OF_DEVELOPERS = {
    "chassis.cards.javascript",
    "chassis.db.migrate",
    "chassis.web.assets",
    "deploy.dev.protos",
    "deploy.dev.screens",
    "deploy.dev.tests",
    "deploy.dev.unused",
    "deploy.env_example",
    "services.vault.frame.build",
}
# Within a program of operators.
PARTS_OF_DEVELOPERS = {
    "services.crm import-demo",
    "services.crm import-large",
    "services.crm demo-code",
    "services.vault.frame.scripts update",
}
# What changes nothing, or nothing by itself; the others can be asked with --check.
NO_CHECK = {
    "chassis.bus.backlog": "only looks",
    "chassis.bus.dead_letters list": "only looks",
    "chassis.bus.dead_letters look": "only looks",
    "deploy.backup drill": "proves, and changes nothing",
    "deploy.check_pages": "only looks",
    "deploy.compose.grants": "deploy.compose runs it within a container, and has the check",
    "deploy.compose.setup": "deploy.compose runs it within a container, and has the check",
    "deploy.dev.engines.build_vault": "builds a program aside, once",
    "deploy.phone.check": "only calls, and hangs up",
    "deploy.phone.demo_call": "only calls, and hangs up",
    "deploy.phone.telephones list": "only looks",
    "deploy.pitr list": "only looks",
    "services.vault retention-report": "only looks",
    "services.vault verify-audit": "only looks",
    "services.vault.frame.scripts check": "only looks",
    "services.vault.frame.scripts compare": "only looks",
}
# Programs that run until they are told to stop; `check-config` is their check.
PROCESSES = {
    "services.crm web",
    "services.crm worker",
    "services.notifier web",
    "services.notifier worker",
    "services.portal web",
    "services.portal worker",
    "services.vault charging",
    "services.vault phone",
    "services.vault serve",
    "services.vault web",
    "services.vault worker",
}
# What says nothing while it is at it.
NO_WORDS = {
    "deploy.backup key": "one key pair, at once",
    "deploy.compose.grants": "deploy.compose, which runs it, says so",
    "deploy.compose.setup": "says each step; deploy.compose, which runs it, says so",
    "deploy.phone.demo_call": "asks a person at each step",
    "deploy.phone.telephones": "a file of a few lines, at once",
    "deploy.pitr follow": "says that it follows, until it is told to stop",
    "services.crm check-config": "reads settings, at once",
    "services.crm set-password": "asks a person",
    "services.notifier check-config": "reads settings, at once",
    "services.portal check-config": "reads settings, at once",
    "services.vault check-config": "reads settings, at once",
}
# At a vault that answers: tests/integration/vault/test_operator_commands.py.
AT_A_VAULT = {
    "services.vault change-agent-email",
    "services.vault enroll-agent",
    "services.vault purge",
    "services.vault rewrap",
    "services.vault rotate-keys",
    "services.vault set-approver",
    "services.vault set-gateway-key",
    "services.vault verify-audit",
}
# How the others are called on a machine where nothing is: most end with "not done", after the words that they owe.
NOWHERE = "127.0.0.1:9"
CALLED: Mapping[str, str] = {
    "chassis.bus.backlog": "crm",
    "chassis.bus.dead_letters list": "crm",
    "chassis.bus.dead_letters look": "crm",
    "chassis.bus.dead_letters replay": "crm",
    "chassis.bus.dead_letters drop": "crm EVENT --reason why",
    "deploy.backup run": "",
    "deploy.backup list": "",
    "deploy.backup restore": "",
    "deploy.backup drill": "",
    "deploy.check_pages": "",
    "deploy.compose": "status --state {here}",
    "deploy.dev.certificates": "--state {here} --rotate nobody",
    "deploy.dev.engines": "status postgres",
    "deploy.dev.run": "down",
    "deploy.images": "vault",
    "deploy.phone.check": f"--folder {{here}} --server {NOWHERE}",
    "deploy.pitr base": "",
    "deploy.pitr list": "",
    "deploy.pitr restore": "--at latest --data {here}/data",
    "deploy.postgres.bootstrap": "grants --url-file {here}/url",
    "deploy.rabbitmq.bootstrap": (
        f"--url https://{NOWHERE} --amqp {NOWHERE} --user a --password-file {{here}}/url --ca {{here}}/none"
    ),
    "deploy.upgrade": "--check notifier",
    "deploy.vault.bootstrap": f"--address http://{NOWHERE} --token-file {{here}}/url --out {{here}}/out",
    "services.crm migrate": "--check",
    "services.crm create-agency": "--name Harbour",
    "services.crm create-agent": "--agency a --name Ada --email ada@harbour.example",
    "services.crm invite-agent": "--email ada@harbour.example",
    "services.crm reset-authenticator": "--email ada@harbour.example",
    "services.crm change-agent-email": "--email ada@harbour.example --new-email a@harbour.example",
    "services.notifier migrate": "--check",
    "services.portal migrate": "--check",
    "services.vault migrate": "--check",
    "services.vault retention-report": "",
    "services.vault export-audit": "",
    "services.vault.frame.scripts check": "",
    "services.vault.frame.scripts compare": f"http://{NOWHERE}",
}


class _Seen(BaseException):
    """The parser was about to read."""


@cache
def parser_of(module: str) -> argparse.ArgumentParser:
    """As the program makes it; nothing is run."""
    name = f"{module}.__main__" if (ROOT / module.replace(".", "/") / "__main__.py").exists() else module
    seen: list[argparse.ArgumentParser] = []

    def see(self: argparse.ArgumentParser, *_: object, **__: object) -> None:
        seen.append(self)
        raise _Seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", see)
        patch.setattr(argparse.ArgumentParser, "parse_intermixed_args", see)
        with suppress(_Seen):
            importlib.import_module(name).main([])
    return seen[0]


@cache
def programs() -> list[str]:
    """Modules that are run by `python -m`, as they are named then."""
    found = []
    for path in sorted(path for top in ("chassis", "deploy", "services") for path in (ROOT / top).rglob("*.py")):
        if 'if __name__ == "__main__":' in path.read_text("utf-8"):
            found.append(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__"))
    return [module for module in found if module not in OF_DEVELOPERS]


@cache
def parsers() -> dict[str, list[argparse.ArgumentParser]]:
    """Each command: the parser that reads it, after those around it."""

    def within(name: str, around: list[argparse.ArgumentParser]) -> Iterator[tuple[str, list[argparse.ArgumentParser]]]:
        deeper = [action for action in around[-1]._actions if isinstance(action, argparse._SubParsersAction)]
        if not deeper:
            yield name, around
        for action in deeper:
            for part, parser in action.choices.items():
                yield from within(f"{name} {part}", [*around, parser])

    found = {name: around for module in programs() for name, around in within(module, [parser_of(module)])}
    return {name: around for name, around in found.items() if name not in PARTS_OF_DEVELOPERS}


def test_the_lists_above_name_commands_that_there_are() -> None:
    known = parsers().keys()
    listed = {*NO_CHECK, *PROCESSES, *AT_A_VAULT, *CALLED, *(name for name in NO_WORDS if name not in programs())}
    assert listed - known == set()
    assert len(known) > 60


@pytest.mark.parametrize("name", parsers())
def test_help_says_what_a_command_does_and_how_it_ends(name: str) -> None:
    around = parsers()[name]
    for parser in around:
        assert parser.description or parser.epilog
        assert parser.format_help()
    said = " ".join(around[0].format_help().split())
    assert re.search(r"\bexit status: 0 \w+.*?1 \w+.*?2 wrong arguments", said, re.IGNORECASE), "for scripts"


@pytest.mark.parametrize("name", [name for name in parsers() if name not in PROCESSES])
def test_what_changes_something_can_be_asked_what_it_would_do(name: str) -> None:
    checks = any("--check" in parser._option_string_actions for parser in parsers()[name])
    looks = name in NO_CHECK or name.endswith(" check-config")
    assert checks or looks


def needs_words(name: str) -> bool:
    module = name.partition(" ")[0]
    return not {name, module} & {*PROCESSES, *NO_WORDS, *AT_A_VAULT, "deploy.install", "deploy.dev.engines.build_vault"}


def said_in_a_hurry(act: Callable[[], object]) -> str:
    """What is said on the way when all of it seems to take long; how it ends is no matter here."""
    said = io.StringIO()
    with in_a_hurry(), redirect_stderr(said), redirect_stdout(io.StringIO()), suppress(Exception, SystemExit):
        act()
    return said.getvalue()


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where nothing was set up yet, and no program can be started."""
    for name in ("VAULT", "CRM", "PORTAL", "NOTIFIER"):
        monkeypatch.setenv(f"{name}_STATE_DIR", str(tmp_path))
        monkeypatch.setenv(f"{name}_DATABASE_URL", f"sqlite:///{tmp_path}/{name}.db")
        monkeypatch.setenv(f"{name}_BUS_URL", f"embedded:///{tmp_path}/bus.db")
    monkeypatch.setenv("WAYVAULT_STATE", str(tmp_path))
    monkeypatch.setenv("WAYVAULT_POSTGRES_ADMIN_URL", f"postgresql://nobody@{NOWHERE}/none?connect_timeout=2")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "url").write_text(f"postgresql://nobody@{NOWHERE}/none?connect_timeout=2")
    return tmp_path


@pytest.mark.parametrize("name", [name for name in parsers() if needs_words(name)])
def test_what_takes_long_says_so(name: str, nothing: Path) -> None:
    module, _, part = name.partition(" ")
    program = importlib.import_module(f"{module}.__main__" if (ROOT / module.replace(".", "/")).is_dir() else module)
    arguments = [*part.split(), *CALLED[name].format(here=nothing).split()]
    assert "2 s so far" in said_in_a_hurry(lambda: program.main(arguments))


def test_installing_says_so(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(Stack):
        def run_in(self, *_: object, **__: object) -> str:
            raise ContainerFault("the CRM does not run")

    def away(state: Path, *_: object) -> Stack:
        return Away(state, on_this_machine(8443))

    monkeypatch.setattr(install, "_answers", lambda *_: SimpleNamespace(admin_email="ada@harbour.example"))
    (nothing / "installed.json").write_text("{}")
    said = said_in_a_hurry(lambda: install.main(["--invite", "--state", str(nothing)], stack_of=away))
    assert "making a link, 2 s so far" in said


def test_building_a_program_says_so(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: subprocess.CompletedProcess([], 1))
    said = said_in_a_hurry(lambda: build_vault._build("go", nothing / "vault"))
    assert "building HashiCorp Vault" in said
