"""The runbook's commands are typed, in its order, at an installation of its own; each ends as the book says.

What can't be run here stands below with the reason. A command that is in neither place fails the test.
"""

import importlib
import io
import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.settings import load
from deploy.backup import seal
from deploy.dev import certificates
from deploy.dev.engines.host import port_is_taken
from deploy.dev.settings import SERVICES, collect
from deploy.dev.state import Ports, State
from services.vault.bootstrap import bootstrap
from services.vault.config import VaultSettings
from services.vault.keys import rules
from services.vault.server import open_server

ROOT = Path(__file__).resolve().parents[3]
RUNBOOK = (ROOT / "deploy/RUNBOOK.md").read_text("utf-8")
pytestmark = pytest.mark.enable_socket

NOT_RUN = {
    "make logs": "follows logs until it is interrupted",
    "make up": "starts everything: the browser tests do",
    "make engines": "starts the engines: CI does, before the tests",
    "python -m deploy.dev.engines start --cluster": "starts nine servers: tests/chaos/cluster",
    "patronictl -c PATRONI_FILE list": "needs a cluster: tests/chaos/cluster/test_runbook.py",
    "patronictl -c PATRONI_FILE show-config": "needs a cluster: tests/chaos/cluster/test_runbook.py",
    "vault status": "needs a cluster: tests/chaos/cluster/test_runbook.py",
    "vault operator raft list-peers": "needs a cluster: tests/chaos/cluster/test_runbook.py",
    "apt-get update": "changes this machine: tests/compose/bare",
    "apt-get install -y --no-install-recommends aardvark-dns buildah ca-certificates catatonit debootstrap iptables "
    "make netavark podman python3-venv runc uidmap": "changes this machine: tests/compose/bare",
    "make install OPTIONS=--check": "asks a person, and looks at names and mail servers: tests/compose/bare",
    "make install": "starts containers: tests/compose/bare, tests/compose/test_install.py",
    "make install OPTIONS=--status": "asks containers: tests/compose/test_install.py",
    'make install OPTIONS="--logs PROGRAM"': "asks containers: tests/compose/test_install.py",
    'make install OPTIONS="--run services.vault retention-report"': "asks containers: tests/compose/test_install.py",
    **dict.fromkeys(
        (
            'make install OPTIONS="--run deploy.backup key --identity /var/lib/wayvault/backup/identity.txt"',
            'make install OPTIONS="--run deploy.backup run"',
            'make install OPTIONS="--run deploy.backup drill --identity /var/lib/wayvault/backup/identity.txt"',
            'make install OPTIONS="--restore IDENTITY_FILE --unseal KEYS_FILE"',
        ),
        "asks containers: tests/compose/test_install.py",
    ),
    "python -m deploy.pitr follow": "runs until it is stopped: tests/integration/engines/test_pitr.py",
    "python -m deploy.pitr base": "needs PostgreSQL: tests/integration/engines/test_pitr.py",
}
# What is typed for the words in capitals; {state} is the installation's own folder, {portal} its clients' site.
TYPED = {
    "IDENTITY_FILE": "{state}/identity.txt",
    "NEW_FILE": "{state}/new-identity.txt",
    "UNSEAL_KEYS_FILE": "{state}/unseal-keys.txt",
    "NEW_FOLDER": "{state}/restored",
    "AGENT_ID": "agent_maya",
    "NEW_ADDRESS": "maya@new.example",
    "EVENT_ID": "evt_of_the_day",
    "SIEM:6514": "127.0.0.1:9",
    "CA_FILE": "{state}/certs/ca.pem",
    "POSITION_FILE": "{state}/position.json",
    "LINK_OF_A_TEST_PAYMENT": "{portal}/pay/link_1",
}
# Well is 0. Elsewhere the command says that something is to be done, which on this installation is true.
OTHERWISE = {
    "make status": 3,  # nothing was started by `make up`
    "python -m deploy.dev.engines status": 3,
    "python -m chassis.bus.dead_letters look": 3,  # nothing lies there
    "python -m chassis.bus.dead_letters drop": 3,
    "python -m services.vault export-audit": 1,  # no SIEM listens
    "python -m deploy.check_pages": 1,  # no site answers
    "python -m deploy.backup restore --identity": 1,  # it overwrites nothing
    "make backup-drill": 3,  # no card is held
    "python -m deploy.backup drill": 3,
    "python -m deploy.pitr list": 3,  # SQLite has no changes to follow
    "python -m deploy.pitr restore": 1,
}
# What only looks has no next step, and nothing to repeat.
LOOKS = re.compile(
    r"df|date|make (status|backup-drill)|.*--(check|list|help)\b|.* (list|look|status|drill|check|check-config)\b"
    r"|.*(retention-report|verify-audit|export-audit|bus\.backlog|check_pages)"
)
# Typed once more, everything ends as it did, but for these.
AGAIN = {
    "python -m deploy.backup key": 1,  # an identity is never replaced
    "python -m deploy.dev.certificates --authority begin": 1,  # a step comes after the one before it
    "python -m deploy.dev.certificates --authority finish": 1,
}
# What a target of the Makefile runs.
TARGETS = {
    "make status": "python -m deploy.dev.run status",
    "make certificates": "python -m deploy.dev.certificates",
    "make backup": "python -m deploy.backup run",
    "make backup-drill IDENTITY=IDENTITY_FILE": "python -m deploy.backup drill --identity IDENTITY_FILE",
}


def commands() -> list[str]:
    """In the book's order, each once."""
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOK, flags=re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    return list(dict.fromkeys(line for line in joined.splitlines() if line.strip()))


@contextmanager
def _surroundings(values: dict[str, str], folder: Path) -> Iterator[None]:
    """These settings and no other of ours, in a folder without a .env; all as before afterwards."""
    before, here = dict(os.environ), Path.cwd()
    for name in list(os.environ):
        if name.startswith(("VAULT_", "CRM_", "PORTAL_", "NOTIFIER_", "PHONE_", "WAYVAULT_")) or name == "ENGINES":
            del os.environ[name]
    os.environ.update(values)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Keys, certificates and databases as `make up` makes them, a recipient for backups, and a vault that answers."""
    base = next(base for _ in range(50) if not port_is_taken((base := 20_000 + secrets.randbelow(300) * 30) + 5))
    state = State(root=tmp_path, ports=Ports(base=base))
    certificates.ensure(state)
    settings = collect(state, {}, env=tmp_path / "no.env")
    tripwire = {"WAYVAULT_TRIPWIRE": os.environ["WAYVAULT_TRIPWIRE"]}
    where = {"WAYVAULT_STATE": str(tmp_path), "WAYVAULT_PORT_BASE": str(base)}
    with _surroundings(settings | where | tripwire, tmp_path):
        seal.make_key(tmp_path / "identity.txt", tmp_path / "backup" / "recipients.txt")
        for service in SERVICES:
            assert typed(f"python -m services.{service} migrate", tmp_path)[0] == 0
        vault = load(VaultSettings)
        deps = bootstrap(vault)
        deps.core.audit.prepare()
        server = open_server(deps, vault.listen, vault.tls, workers=4)
        server.start()
        who = "--agent-id agent_maya --agency-id agency_1 --name Maya --email maya@harbour.example"
        try:
            assert typed(f"python -m services.vault enroll-agent {who}", tmp_path)[0] == 0
            yield tmp_path
        finally:
            server.stop(grace=0)
            deps.close()


def typed(command: str, state: Path) -> tuple[int, str]:
    """Runs a line of the book: its exit status, and what it said."""
    line = TARGETS.get(command, command)
    for word, value in TYPED.items():
        line = re.sub(
            rf"(?<![\w-]){re.escape(word)}(?![\w-])",
            value.format(state=state, portal=os.environ["CRM_PORTAL_URL"]),
            line,
        )
    words = shlex.split(line)
    if words[:2] != ["python", "-m"]:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr
    module, arguments = words[2], words[3:]
    with suppress(ModuleNotFoundError):
        module = importlib.import_module(f"{module}.__main__").__name__
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            status = importlib.import_module(module).main(arguments)
        except SystemExit as ended:
            status = ended.code
    return status, said.getvalue()


def expected(command: str) -> int:
    return next((status for begin, status in OTHERWISE.items() if command.startswith(begin)), 0)


@pytest.mark.timeout(300)  # half a minute alone
def test_every_command_of_the_book_ends_as_it_says(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Else a trim right after a rotation waits half a minute for what may be under way.
    monkeypatch.setattr(rules, "IN_FLIGHT", timedelta())
    wrong = []
    for command in commands():
        if command in NOT_RUN:
            continue
        status, said = typed(command, state)
        if status != expected(command) or "Traceback" in said:
            wrong.append(f"{command}: {status}\n{said[-600:]}")
        if status == 0 and not LOOKS.match(command):
            if not re.search("Next: |nothing to do|does not run", said):
                wrong.append(f"{command} does not say what is next: {said[-300:]}")
            again, said = typed(command, state)
            if again != next((status for begin, status in AGAIN.items() if command.startswith(begin)), 0):
                wrong.append(f"{command}, once more: {again}\n{said[-600:]}")
    assert not wrong, "\n".join(wrong)


def test_only_what_the_book_says_is_left_out() -> None:
    known = commands()
    assert [command for command in NOT_RUN if command not in known] == []
    assert [begin for begin in OTHERWISE if not any(command.startswith(begin) for command in known)] == []
