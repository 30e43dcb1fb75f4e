"""The runbook's commands for a lost leader, typed on a cluster."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from deploy.dev.engines.build_vault import find_or_build
from deploy.dev.engines.cluster.hcvault import VaultCluster
from deploy.dev.engines.host import engines_home
from deploy.dev.settings import SERVICES, base_environment, environment_of
from tests.chaos.cluster.city import City
from tests.support.stack import ROOT

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(600)]
_SECTION = re.compile(r"## Leader lost\n(.*?)\n## ", re.DOTALL)


def commands() -> list[str]:
    section = _SECTION.search((ROOT / "deploy/RUNBOOK.md").read_text("utf-8"))
    assert section is not None
    blocks = re.findall(r"```sh\n(.*?)```", section[1], flags=re.DOTALL)
    # Of this stack no supervisor runs, which is what `make status` asks.
    return [line for line in "\n".join(blocks).splitlines() if line and line != "make status"]


def test_the_books_commands_for_lost_leaders_work_on_a_cluster(running_city: City) -> None:
    stack, vault = running_city.stack, VaultCluster(running_city.stack.state)
    environment = {
        **base_environment(),
        **{name: value for each in SERVICES for name, value in environment_of(each, stack.settings).items()},
        "WAYVAULT_STATE": str(stack.state.root),
        "WAYVAULT_PORT_BASE": str(stack.state.ports.base),
        "VAULT_ADDR": vault.address(),
        "VAULT_CACERT": str(stack.state.certs / "ca.pem"),
        "VAULT_TOKEN": vault.root_token(),
        "PATH": f"{ROOT}/.venv/bin:{Path(find_or_build()).parent}:{os.environ['PATH']}",
    }
    patroni = engines_home(stack.state, shared=True) / "postgres-1" / "patroni.json"
    said = {}
    for command in commands():
        words = shlex.split(command.replace("PATRONI_FILE", str(patroni)))
        done = subprocess.run(
            words, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        said[command] = done.stdout
    assert "Sync Standby" in said["patronictl -c PATRONI_FILE list"]
    assert "synchronous_mode_strict: true" in said["patronictl -c PATRONI_FILE show-config"]
    assert said["vault operator raft list-peers"].count("true") == 3
    assert "three members): answers, postgres-" in said["python -m deploy.dev.engines status"]
