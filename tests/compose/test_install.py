"""A real agency's first day: the installer on this machine, and its link in the admin's browser."""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyotp
import pytest
from aiosmtpd.handlers import Sink
from playwright.sync_api import Browser, expect

from deploy.backup.store import KEYS, Store
from deploy.compose.__main__ import Stack
from deploy.install.__main__ import main
from deploy.install.answers import Answers, write
from tests.support.smtp import smtp_server
from tests.support.tls import Authority

PORT = 8463
HOSTS = {"crm": "crm.localhost", "portal": "portal.localhost", "card": "card.localhost"}
PASSWORD = "a long walk along the fjord"


def _stack(state: Path, answers: Answers, address: str, port: int) -> Stack:
    return Stack(state / "stack", answers.sites(address=address, port=port), project="wayvault-install-test")


def test_an_operator_installs_and_the_admin_begins_with_one_link(
    images: None,
    browser: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _with_our_names(socket.getaddrinfo))
    # On the disk: the installer looks for 20 GB there, which a test's own folder, in memory perhaps, need not have.
    state, given = Path(os.environ.get("WAYVAULT_STATE") or "var") / "install-test", _answers(tmp_path)
    shutil.rmtree(state, ignore_errors=True)
    words = ["--state", str(state), "--address", "127.0.0.1", "--port", str(PORT)]
    file = tmp_path / "answers.json"
    with smtp_server(Sink()) as mail_port:
        given = replace(given, mail_port=str(mail_port))
        write(file, given)
        try:
            assert main([*words, "--answers", str(file)], stack_of=_stack) == 0, capsys.readouterr().err
            said = capsys.readouterr().out
            print(said)
            begin(browser, next(line.strip() for line in said.splitlines() if "/invitation#" in line))
            assert main(words, stack_of=_stack) == 0
            assert "had their link before" in capsys.readouterr().out
            _ask_as_at_night(words, capsys)
            _back_up(words, state / "stack" / "backup", capsys)
            safe = _lose(state, tmp_path / "elsewhere", _stack(state, given, "127.0.0.1", PORT))
            back = ("--restore", str(safe / "identity.txt"), "--unseal", str(safe / "keys.json"))
            assert main([*words, "--answers", str(file), *back], stack_of=_stack) == 0, capsys.readouterr().err
            _is_as_before(browser, words, capsys)
        finally:
            _stack(state, given, "127.0.0.1", PORT).remove()


def _ask_as_at_night(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What an operator types first when something is wrong."""
    assert main([*words, "--status"], stack_of=_stack) == 0
    assert "NOT WELL" not in capsys.readouterr().out
    assert main([*words, "--logs", "vault"], stack_of=_stack) == 0
    assert "vault.serving" in capsys.readouterr().out
    for command in ("services.vault retention-report", "chassis.bus.dead_letters list crm"):
        assert main([*words, "--run", *command.split()], stack_of=_stack) == 0, capsys.readouterr().out
    assert "card" in capsys.readouterr().out
    assert main([*words, "--run", "services.vault", "nothing"], stack_of=_stack) != 0
    assert "invalid choice" in capsys.readouterr().out


def _back_up(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the runbook has it: a key, a backup of everything that the containers hold, and a drill with it."""

    def told(*command: str) -> tuple[int, str]:
        status = main([*words, "--run", "deploy.backup", *command], stack_of=_stack)
        return status, capsys.readouterr().out

    identity = ("--identity", "/var/lib/wayvault/backup/identity.txt")
    for command in (("key", *identity), ("run",), ("list", "--check", *identity)):
        assert told(*command)[0] == 0, command
    store = Store(folder)
    kept = [part.name for name in (store.newest(), KEYS) for part in store.manifest(name).parts]
    assert kept == [
        *("audit-heads", "audit-heads-charging", "notifier", "portal", "crm", "vault", "rabbitmq"),
        *("secrets", "hcvault"),
    ]
    status, said = told("drill", *identity)
    # No card is held yet: all but that was proven.
    assert (status, "The drill went well, but no card was held" in said) == (3, True), said


def _lose(state: Path, safe: Path, stack: Stack) -> Path:
    """The machine is lost but for backups, their identity and the keys; a new one has the backups in their place."""
    folder = state / "stack" / "backup"
    shutil.copytree(folder, safe)
    shutil.copy(state / "stack" / "programs" / "operator" / "hcvault" / "keys.json", safe)
    stack.remove()
    shutil.rmtree(state)
    shutil.copytree(safe, folder, ignore=shutil.ignore_patterns("identity.txt", "keys.json"))
    return safe


def _is_as_before(browser: Browser, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "had their link before" in capsys.readouterr().out
    assert main([*words, "--run", "services.vault", "verify-audit"], stack_of=_stack) == 0, capsys.readouterr().out
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.goto(f"https://{HOSTS['crm']}:{PORT}/sign-in")
    page.get_by_label("E-mail").fill("ada@agency.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue to authenticator").click()
    # The password of before is known, and the authenticator that she added then.
    expect(page.get_by_label("Authenticator code")).to_be_visible(timeout=20_000)
    expect(page.locator("#authenticator-secret")).to_have_count(0)


def _with_our_names(known: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver of a machine whose name server knows the sites."""
    return lambda host, *more, **named: known("127.0.0.1" if host in HOSTS.values() else host, *more, **named)


def _answers(folder: Path) -> Answers:
    files = Authority.create(folder / "public").issue("sites", *HOSTS.values())
    chain = folder / "chain.pem"
    chain.write_bytes(files.cert.read_bytes() + files.ca.read_bytes())
    return Answers(
        agency="Fjord & Fell",
        time_zone="Europe/London",
        admin="Ada Lund",
        admin_email="ada@agency.com",
        crm_host=HOSTS["crm"],
        portal_host=HOSTS["portal"],
        card_host=HOSTS["card"],
        certificate=str(chain),
        key=str(files.key),
        mail_host="127.0.0.1",
        mail_port="25",
        mail_security="none",
        mail_user="",
        mail_password="",
        mail_from="no-reply@agency.com",
    )


def begin(browser: Browser, link: str) -> None:
    """The admin follows the link, chooses a password, adds an authenticator, and is in."""
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.get_by_label("E-mail").fill("ada@agency.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue to authenticator").click()
    secret = page.locator("#authenticator-secret").text_content() or ""
    page.get_by_label("Authenticator code").fill(pyotp.TOTP(secret.replace(" ", "")).now())
    page.get_by_role("button", name="Confirm and sign in").click()
    expect(page.get_by_role("navigation").first).to_be_visible(timeout=20_000)
