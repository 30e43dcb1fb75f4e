"""deploy.install.answers: what is asked, taken, refused and kept."""

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.install import answers as told
from deploy.install.answers import AnswerFault, Answers


@pytest.fixture
def typed(tmp_path: Path) -> list[str]:
    for name in ("chain.pem", "key.pem"):
        (tmp_path / name).write_text("")
    return [
        "Fjord & Fell",
        "Europe/London",
        "Ada Lund",
        "Ada Lund <ada@agency.com>",
        "https://CRM.agency.com/",
        "",
        "card.agency-cards.com",
        str(tmp_path / "chain.pem"),
        str(tmp_path / "key.pem"),
        "mail.agency.com",
        "",
        "",
        "robot@agency.com",
        "",
        "",
    ]


def _asked(typed: list[str], secret: str = "p:w/d@") -> Answers:
    lines: Iterator[str] = iter(typed)
    prompt: Callable[[str], str] = lambda _: next(lines)  # noqa: E731  # a person at the keyboard
    return told.ask(prompt=prompt, secret=lambda _: secret)


def test_enter_takes_what_stands_in_brackets(typed: list[str]) -> None:
    answers = _asked(typed)
    assert answers.admin_email == "ada@agency.com"
    assert answers.hosts == {"crm": "crm.agency.com", "portal": "portal.agency.com", "card": "card.agency-cards.com"}
    assert (answers.mail_port, answers.mail_security, answers.mail_from) == ("587", "starttls", "no-reply@agency.com")


def test_what_can_not_be_used_is_asked_again_and_says_why(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    answers = _asked([typed[0], "London", *typed[1:3], "nobody", *typed[3:]])
    assert (answers.time_zone, answers.admin_email) == ("Europe/London", "ada@agency.com")
    said = capsys.readouterr().out
    assert "'London' is no time zone" in said
    assert "Enter an e-mail address" in said


def test_kept_answers_are_the_owners_alone_and_come_back(typed: list[str], tmp_path: Path) -> None:
    answers, file = _asked(typed), tmp_path / "kept" / "answers.json"
    told.write(file, answers)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert told.read(file) == answers


def test_a_file_with_a_name_too_few_or_too_many_is_refused(typed: list[str], tmp_path: Path) -> None:
    held, file = asdict(_asked(typed)), tmp_path / "answers.json"
    for wrong in ({**held, "mail_sender": "x"}, {name: held[name] for name in held if name != "admin"}, [held]):
        file.write_text(json.dumps(wrong))
        with pytest.raises(AnswerFault, match="exactly these names"):
            told.read(file)
    file.write_text("agency: Fjord")
    with pytest.raises(AnswerFault, match="not JSON"):
        told.read(file)


def test_telephones_are_off_in_a_file_of_before_and_come_and_go_when_asked_for(
    typed: list[str], tmp_path: Path
) -> None:
    held, file = asdict(_asked(typed)), tmp_path / "answers.json"
    del held["phone_address"]
    file.write_text(json.dumps(held))
    before = told.read(file)
    assert before.sites(address="0.0.0.0", port=443).phone == ""
    after = told.with_phone(before, "192.0.2.10")
    assert after.sites(address="0.0.0.0", port=443).phone == "192.0.2.10"
    assert told.with_phone(after, "") == before
    with pytest.raises(AnswerFault, match="no IPv4 address"):
        told.with_phone(before, "phones.agency.com")


@given(user=st.text(min_size=1), password=st.text())
def test_any_user_name_and_password_reach_the_notifier_whole(user: str, password: str) -> None:
    held = dict.fromkeys(Answers.__dataclass_fields__, "x") | {"mail_host": "mail.example", "mail_port": "587"}
    answers = Answers(**{**held, "mail_user": user, "mail_password": password, "mail_security": "starttls"})
    parts = urlsplit(answers.smtp_url)
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (user, password)
    assert (parts.hostname, parts.port, parts.query) == ("mail.example", 587, "starttls=1")


@pytest.mark.parametrize("host", ["crm", "crm.agency.com:8443", "crm agency.com", "-crm.agency.com", "10.0.0.1", ""])
def test_what_is_no_host_name_is_refused(host: str, typed: list[str], tmp_path: Path) -> None:
    held, file = asdict(_asked(typed)), tmp_path / "answers.json"
    file.write_text(json.dumps({**held, "crm_host": host}))
    with pytest.raises(AnswerFault, match="no host name"):
        told.read(file)
