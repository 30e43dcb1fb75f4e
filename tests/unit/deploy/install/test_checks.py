"""deploy.install.checks: each thing that is not well is named, with what to do."""

import datetime as dt
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from chassis.clock import SystemClock
from chassis.commands import FOUND, NOT_DONE
from deploy.images.host import ContainerFault
from deploy.install import checks
from deploy.install.__main__ import main
from deploy.install.answers import Answers, write
from deploy.install.checks import Grade, certificate, examine, mail
from tests.support.smtp import smtp_server
from tests.support.tls import Authority

HOSTS = ("crm.agency.com", "portal.agency.com", "card.cards.com")


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    files = Authority.create(tmp_path).issue("sites", *HOSTS)
    return Answers(
        agency="Fjord",
        time_zone="Europe/London",
        admin="Ada",
        admin_email="ada@agency.com",
        crm_host=HOSTS[0],
        portal_host=HOSTS[1],
        card_host=HOSTS[2],
        certificate=str(files.cert),
        key=str(files.key),
        mail_host="127.0.0.1",
        mail_port="1",
        mail_security="none",
        mail_user="",
        mail_password="",
        mail_from="no-reply@agency.com",
    )


@dataclass
class Later:
    days: int

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(days=self.days)


def test_a_certificate_must_name_every_site_have_its_key_and_be_of_today(answers: Answers, tmp_path: Path) -> None:
    assert certificate(answers, SystemClock()).grade in (Grade.OK, Grade.WARNING)
    assert certificate(answers, Later(400)).grade is Grade.FAULT
    elsewhere = certificate(replace(answers, portal_host="clients.agency.com"), SystemClock())
    assert elsewhere.grade is Grade.FAULT
    assert "not for clients.agency.com" in elsewhere.words
    other = Authority.create(tmp_path / "other").issue("sites", *HOSTS)
    assert "not its key" in certificate(replace(answers, key=str(other.key)), SystemClock()).words
    (tmp_path / "words.pem").write_text("no certificate")
    assert certificate(replace(answers, certificate=str(tmp_path / "words.pem")), SystemClock()).grade is Grade.FAULT


def test_a_wildcard_stands_for_one_label(answers: Answers, tmp_path: Path) -> None:
    files = Authority.create(tmp_path / "wild").issue("sites", "*.agency.com", "*.cards.com")
    wild = replace(answers, certificate=str(files.cert), key=str(files.key))
    assert certificate(wild, SystemClock()).grade is not Grade.FAULT
    assert certificate(replace(wild, crm_host="crm.office.agency.com"), SystemClock()).grade is Grade.FAULT


def _only_the_right_password(*given: Any) -> AuthResult:  # Any: aiosmtpd hands over five things
    return AuthResult(success=given[-1].password == b"right", handled=False)


@pytest.mark.enable_socket
def test_a_mail_server_is_greeted_and_signed_in_to_and_gets_no_mail(answers: Answers) -> None:
    class Nobody:
        async def handle_DATA(self, *_: object) -> str:  # the name that aiosmtpd calls
            raise AssertionError("a check sends no mail")

    signs_in = {"auth_require_tls": False, "authenticator": _only_the_right_password}
    with smtp_server(Nobody(), **signs_in) as port:
        here = replace(answers, mail_port=str(port))
        assert mail(here).grade is Grade.WARNING
        assert "unencrypted" in mail(here).words
        assert mail(replace(here, mail_user="robot", mail_password="right")).grade is Grade.WARNING
        assert "user name and password" in mail(replace(here, mail_user="robot", mail_password="wrong")).words
        assert "no STARTTLS" in mail(replace(here, mail_security="starttls")).words
    assert "can't be reached" in mail(here).words


@pytest.mark.enable_socket
def test_everything_is_looked_at_although_the_first_thing_is_not_well(answers: Answers, tmp_path: Path) -> None:
    nowhere = replace(answers, crm_host="crm.agency.invalid")
    found = list(examine(nowhere, tmp_path / "not" / "yet", address="127.0.0.1", port=0, clock=SystemClock()))
    assert found[0].grade is Grade.FAULT
    assert found[0].what == "crm.agency.invalid"
    assert {"certificate", "clock", "disk", "memory"} <= {finding.what for finding in found}
    assert all(finding.words for finding in found)


@pytest.mark.enable_socket
def test_a_name_that_leads_elsewhere_and_swap_are_told_before_they_cost_a_night(
    answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "readable_swap", lambda: ["/dev/sda2"])
    places = {HOSTS[0]: "127.0.0.1", HOSTS[1]: "192.0.2.10", HOSTS[2]: "127.0.0.1"}
    known = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **named: known(places.get(host, host), *more, **named)
    )
    found = {each.what: each for each in examine(answers, tmp_path, address="127.0.0.1", port=0, clock=SystemClock())}
    assert found[HOSTS[0]].grade is Grade.OK
    assert (found[HOSTS[1]].grade, "192.0.2.10" in found[HOSTS[1]].words) == (Grade.WARNING, True)
    assert (found["swap"].grade, "/dev/sda2" in found["swap"].words) == (Grade.FAULT, True)


def test_what_containers_need_is_told_before_minutes_of_building(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stack:
        def missing_images(self) -> list[str]:
            raise ContainerFault("podman is not installed. Debian: apt-get install podman")

    monkeypatch.setattr(checks, "can_be_had", lambda: False)
    found = {each.what: each for each in checks.tools(Stack())}  # type: ignore[arg-type]  # all that is asked of it
    assert (found["containers"].grade, "apt-get install" in found["containers"].words) == (Grade.FAULT, True)
    assert (found["HashiCorp Vault"].grade, "/usr/local/bin" in found["HashiCorp Vault"].words) == (Grade.FAULT, True)


@pytest.mark.parametrize("option", ["--status", "--invite", "--logs=vault", "--run=services.vault"])
def test_what_is_asked_before_there_is_anything_is_answered_with_the_beginning(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--state", str(tmp_path), *option.split("=")]) == NOT_DONE
    assert "Nothing is installed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_restore_needs_both_files_and_a_machine_with_nothing_on_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, identity, keys = tmp_path / "state", tmp_path / "identity.txt", tmp_path / "keys.json"
    state.mkdir()

    def told(*words: str) -> str:
        assert main(["--state", str(state), *words]) == NOT_DONE
        return capsys.readouterr().err

    assert "needs both" in told("--restore", str(identity))
    assert "There is no file" in told("--restore", str(identity), "--unseal", str(keys))
    (state / "installed.json").write_text("{}")
    assert "overwrites nothing" in told("--restore", str(identity), "--unseal", str(keys))


@pytest.mark.enable_socket
def test_after_a_restart_what_was_installed_starts_although_a_mail_server_is_away(
    answers: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stack:
        def missing_images(self) -> list[str]:
            return []

        def answers(self, _site: str) -> bool:
            return False

        def up(self, *, demo: bool) -> None:
            raise ContainerFault(f"starting, demo: {demo}")

    write(tmp_path / "answers.json", answers)
    words = ["--state", str(tmp_path), "--port", "0"]
    started = [main([*words, *more], stack_of=lambda *_: Stack()) for more in ([], ["--check"])]  # type: ignore[arg-type]
    assert (started, "starting" in capsys.readouterr().err) == ([FOUND, FOUND], False)
    (tmp_path / "installed.json").write_text("{}")
    assert main(words, stack_of=lambda *_: Stack()) == NOT_DONE  # type: ignore[arg-type]
    assert "starting, demo: False" in capsys.readouterr().err


@pytest.mark.enable_socket
def test_telephones_need_an_address_that_this_machine_has(answers: Answers, tmp_path: Path) -> None:
    for address, grade in (("127.0.0.1", Grade.OK), ("192.0.2.10", Grade.FAULT)):
        given = replace(answers, phone_address=address)
        found = list(examine(given, tmp_path, address="127.0.0.1", port=0, clock=SystemClock()))[-1]
        assert (found.grade, address in found.what) == (grade, True)
