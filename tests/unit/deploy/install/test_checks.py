"""deploy.install.checks: each thing that is not well is named, with what to do."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from chassis.clock import SystemClock
from deploy.install.answers import Answers
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
def test_telephones_need_an_address_that_this_machine_has(answers: Answers, tmp_path: Path) -> None:
    for address, grade in (("127.0.0.1", Grade.OK), ("192.0.2.10", Grade.FAULT)):
        given = replace(answers, phone_address=address)
        found = list(examine(given, tmp_path, address="127.0.0.1", port=0, clock=SystemClock()))[-1]
        assert (found.grade, address in found.what) == (grade, True)
