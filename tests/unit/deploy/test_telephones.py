"""deploy.phone.telephones: what an operator adds, takes away and can't add, and what Kamailio makes of it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.phone import check, extensions, kamailio, telephones
from deploy.phone.kamailio import Listening, configuration, trunk_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "phone"


def run(folder: Path, *arguments: str) -> int:
    return telephones.main(["--folder", str(folder), *arguments])


def test_a_telephone_is_added_once_becomes_a_desk_with_its_password_and_goes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "add", "405") == 0
    assert run(folder, "add", "405", "--desk") == 0
    assert "there already" not in capsys.readouterr().out
    (kept,) = extensions.known(folder).values()
    assert (kept.desk, kept.password in configuration(_here(), [kept])) == (True, False)
    assert run(folder, "add", "405", "--desk") == 0
    assert "405 is there already" in capsys.readouterr().out
    assert extensions.known(folder) == {"405": kept}
    assert run(folder, "remove", "405") == run(folder, "remove", "405") == 0
    assert "There is no 405." in capsys.readouterr().out
    assert extensions.known(folder) == {}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("add", "40 5"), "'40 5' is no name for an extension"),
        (("trunk", "carrier.example"), "at least one address"),
        (("trunk", "carrier.example;", "192.0.2.1"), "'carrier.example;' is no host for a trunk"),
        (("trunk", "carrier.example", "carrier"), "'carrier' is no address of a trunk"),
    ],
)
def test_what_can_not_be_used_is_said_and_nothing_is_kept(
    folder: Path, typed: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, *typed) == 1
    assert words in capsys.readouterr().err
    assert not folder.exists()


def test_check_changes_nothing(folder: Path) -> None:
    for typed in (("add", "405"), ("trunk", "carrier.example", "192.0.2.0/28")):
        assert telephones.main(["--folder", str(folder), "--check", *typed]) == 0
    assert not folder.exists()


def test_the_line_stands_in_kamailios_configuration_until_it_is_taken_away(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "trunk", "carrier.example:5070", "192.0.2.0/28") == 0
    written = configuration(_here(), [], trunk_of(folder))
    assert "src_ip == 192.0.2.0/28" in written
    assert run(folder, "list") == 0
    assert "line by carrier.example:5070, calls from 192.0.2.0/28" in capsys.readouterr().out
    assert run(folder, "trunk", "--none") == 0
    assert trunk_of(folder) is None


@pytest.mark.skipif(shutil.which("kamailio") is None, reason="Kamailio is not installed")
def test_kamailio_reads_a_whole_configuration_as_a_container_has_it(folder: Path, tmp_path: Path) -> None:
    known = extensions.ensure(folder, demo=False)
    assert set(known) == {extensions.CHECK, extensions.CHECKED}
    run(folder, "trunk", "carrier.example:5070", "192.0.2.0/28", "198.51.100.7")
    listening = Listening(address="0.0.0.0", port=5060, ng_port=8113, told="192.0.2.10")
    file = tmp_path / "kamailio.cfg"
    file.write_text(configuration(listening, known.values(), trunk_of(folder)), "utf-8")
    said = subprocess.run(
        ["kamailio", "-c", "-f", str(file), "-Y", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert "config file ok" in said.stdout + said.stderr
    assert "advertise 192.0.2.10:5060" in said.stdout


def test_a_check_without_telephones_says_what_makes_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--folder", str(folder), "--server", "127.0.0.1:9"]) == 1
    assert "has no telephones of the check" in capsys.readouterr().err


def _here() -> kamailio.Listening:
    return kamailio.Listening(address="127.0.0.1", port=5060, ng_port=8113)
