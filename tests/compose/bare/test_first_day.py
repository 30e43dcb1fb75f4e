"""The runbook's first day, typed line by line on a bare Debian: a container with nothing but debootstrap's minbase.

`make bare-test`, apart from `make compose-test`: it installs packages and libraries and builds every image anew.
What is given to the machine is what the runbook says to have ready; beside it, this network's authority for TLS.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from playwright.sync_api import sync_playwright

from deploy.dev.engines.build_vault import find_or_build
from deploy.images.host import BASE, Containers
from tests.compose.test_install import begin
from tests.support.browser import ARGUMENTS, chromium_path
from tests.support.tls import Authority

ROOT = Path(__file__).resolve().parents[3]
NAME = "wayvault-bare"
CODE = "/root/wayvault"
HOSTS = ("crm.agency.example", "portal.agency.example", "card.cards.example")
MAIL_PORT = 24_025
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def first_day() -> list[str]:
    """The lines that the runbook has typed."""
    book = (ROOT / "deploy/RUNBOOK.md").read_text("utf-8")
    chapter = book.split("# First day of a real agency", 1)[1]
    block = re.search(r"```sh\n(.*?)```", chapter, flags=re.DOTALL)
    assert block
    return block.group(1).splitlines()


class Machine:
    """A container as a machine of its own, on which root types."""

    def __init__(self, containers: Containers) -> None:
        self._containers = containers

    def type(self, line: str, answers: str = "") -> tuple[int, str]:
        """Types a line in the code's folder, with what is typed at its questions; its status and all that it said."""
        done = subprocess.run(
            ["podman", "exec", "--interactive", "--workdir", CODE, NAME, *shlex.split(line)],
            env=dict(self._containers.environment),
            input=answers,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        print(f"\n# {line}\n{done.stdout}", flush=True)
        return done.returncode, done.stdout

    def address(self, field: str) -> str:
        shown = self._containers.run(["podman", "inspect", "--format", f"{{{{.NetworkSettings.{field}}}}}", NAME])
        return shown.stdout.strip()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    containers = Containers()
    containers.ensure_base()
    podman = containers.run
    # Its own store of images, and what it keeps: on the disk, for the installer looks for 20 GB there, which a test's
    # own folder, in memory perhaps, need not have.
    disk = (Path(os.environ.get("WAYVAULT_STATE") or "var") / "bare-test").resolve()
    shutil.rmtree(disk, ignore_errors=True)
    kept = [(disk / "cache", "/root/.cache"), (disk / "state", "/var/lib/wayvault")]
    words = ["--tmpfs", "/run", "--tmpfs", "/tmp:exec", "--env", "DEBIAN_FRONTEND=noninteractive"]
    for host in HOSTS:
        words += ["--add-host", f"{host}:127.0.0.1"]
    for variable in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "PIP_DEFAULT_TIMEOUT"):
        words += ["--env", f"{variable}={os.environ[variable]}"] if variable in os.environ else []
    for here, there in kept:
        here.mkdir(parents=True)
        words += ["--volume", f"{here}:{there}"]
    if _AUTHORITIES.exists():
        (tmp_path / "authorities").mkdir()
        (tmp_path / "authorities" / "here.crt").write_bytes(_AUTHORITIES.read_bytes())
        words += ["--volume", f"{tmp_path / 'authorities'}:/usr/local/share/ca-certificates:ro"]
    podman(["podman", "rm", "--force", "--ignore", NAME])
    # Privileged, for it has containers of its own.
    privileged = ["--privileged", "--cgroupns=host", "--hostname", "wayvault"]
    podman(["podman", "run", "--detach", "--name", NAME, *privileged, *words, BASE, "sleep", "infinity"])
    try:
        code = tmp_path / "code"
        code.mkdir()
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "--extract", "--directory", str(code)], input=archive, check=True)
        podman(["podman", "cp", str(code), f"{NAME}:{CODE}"])
        podman(["podman", "cp", find_or_build(), f"{NAME}:/usr/local/bin/vault"])
        yield Machine(containers)
    finally:
        podman(["podman", "exec", NAME, "sh", "-c", "podman stop --all --time 5"], check=False)
        podman(["podman", "rm", "--force", "--time", "2", NAME], check=False)
        shutil.rmtree(disk, ignore_errors=True)


def test_the_runbooks_lines_install_on_a_bare_machine(machine: Machine, tmp_path: Path) -> None:
    files = Authority.create(tmp_path / "public").issue("sites", *HOSTS)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(files.cert.read_bytes() + files.ca.read_bytes())
    for file, name in ((chain, "chain.pem"), (files.key, "key.pem")):
        Containers().run(["podman", "cp", str(file), f"{NAME}:/root/{name}"])
    *packages, check, install = first_day()
    assert (check, install) == ("make install OPTIONS=--check", "make install")
    for line in packages:
        assert machine.type(line)[0] == 0
    gateway = machine.address("Gateway")
    mail = Controller(Sink(), hostname=gateway, port=MAIL_PORT)
    mail.start()
    try:
        typed = (
            *("Fjord & Fell", "Europe/London", "Ada Lund", "ada@agency.com", *HOSTS),
            *("/root/chain.pem", "/root/key.pem", gateway, str(MAIL_PORT), "none", "", "no-reply@agency.com", ""),
        )
        status, said = machine.type(check, "\n".join(typed) + "\n")
        assert status == 0
        assert "FAULT" not in said
        status, said = machine.type(install)
        assert status == 0
        link = next(line.strip() for line in said.splitlines() if "/invitation#" in line)
        _begin_from_elsewhere(machine, link)
        status, said = machine.type(install)
        assert status == 0
        assert "had their link before" in said
        assert "/invitation#" not in said
        status, said = machine.type("make install OPTIONS=--status")
        assert (status, "NOT WELL" in said) == (0, False)
    finally:
        mail.stop()


def _begin_from_elsewhere(machine: Machine, link: str) -> None:
    """The admin, whose name server knows where the sites are."""
    told = f"--host-resolver-rules=MAP *.example {machine.address('IPAddress')}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, told])
        begin(browser, link)
        browser.close()
