"""The embedded keyring's file: private, atomic, shared by processes, and really without what was trimmed."""

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import CapturingLogger

from services.vault.transit import embedded
from services.vault.transit.embedded import EmbeddedKeyring
from services.vault.transit.service import KeyName, TransitUnavailable, context_of, open_transit
from tests.support.clock import FakeClock

CONTEXT = context_of("card", "card_a", "agency_1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault" / "keyring.json"


def test_the_file_is_private_and_nothing_is_left_beside_it(path: Path) -> None:
    keyring = EmbeddedKeyring(path, clock=FakeClock())
    keyring.rotate(KeyName.CARD)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in path.parent.iterdir()) == ["keyring.json", "keyring.json.lock"]


def test_another_process_sees_a_rotation_at_once_and_both_open_each_others_ciphertexts(path: Path) -> None:
    ours, theirs = EmbeddedKeyring(path, clock=FakeClock()), EmbeddedKeyring(path, clock=FakeClock())
    old = ours.encrypt(KeyName.CARD, b"old", CONTEXT)

    theirs.rotate(KeyName.CARD)
    new = ours.encrypt(KeyName.CARD, b"new", CONTEXT)

    assert (old.version, new.version) == (1, 2)
    assert theirs.decrypt(KeyName.CARD, old, CONTEXT) == b"old"
    assert theirs.decrypt(KeyName.CARD, new, CONTEXT) == b"new"


def test_four_processes_that_rotate_at_once_lose_no_version(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from chassis.clock import SystemClock\n"
        "from services.vault.transit.embedded import EmbeddedKeyring, KeyName\n"
        "k = EmbeddedKeyring(Path(sys.argv[1]), clock=SystemClock())\n"
        "[k.rotate(KeyName.CARD) for _ in range(5)]"
    )

    def rotate(_: int) -> int:
        return subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(rotate, range(4))) == [0] * 4
    info = EmbeddedKeyring(path, clock=FakeClock()).info(KeyName.CARD)
    assert sorted(info.versions) == list(range(1, 22))


def test_a_trimmed_secret_is_in_no_file_and_in_no_replaced_file(path: Path) -> None:
    keyring = EmbeddedKeyring(path, clock=FakeClock())
    keyring.rotate(KeyName.CVV)
    secret = json.loads(path.read_text())["keys"]["cvv"]["versions"]["1"]["secret"]
    with path.open("rb") as replaced:
        keyring.trim(KeyName.CVV, 2)

        assert secret.encode() not in replaced.read()
    assert secret not in path.read_text()


def test_a_keyring_that_vanishes_is_not_replaced_by_a_fresh_one(path: Path) -> None:
    keyring = EmbeddedKeyring(path, clock=FakeClock())
    cipher = keyring.encrypt(KeyName.CARD, b"x", CONTEXT)
    away = path.rename(path.with_suffix(".away"))

    with pytest.raises(TransitUnavailable):
        keyring.encrypt(KeyName.CARD, b"x", CONTEXT)
    assert not path.exists()

    away.rename(path)
    assert keyring.decrypt(KeyName.CARD, cipher, CONTEXT) == b"x"


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"format": 2, "keys": {}}', '{"format": 1, "keys": 5}'])
def test_a_damaged_keyring_is_a_fault_and_stays_as_it_is(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(content)

    with pytest.raises(TransitUnavailable):
        EmbeddedKeyring(path, clock=FakeClock()).encrypt(KeyName.CARD, b"x", CONTEXT)
    assert path.read_text() == content


def test_the_stored_secrets_are_256_bits_and_all_different(path: Path) -> None:
    EmbeddedKeyring(path, clock=FakeClock()).rotate(KeyName.CARD)

    keys = json.loads(path.read_text())["keys"]
    secrets = [version["secret"] for key in keys.values() for version in key["versions"].values()]
    assert len(set(secrets)) == len(secrets) == 4
    assert {len(base64.b64decode(secret)) for secret in secrets} == {32}


def test_it_says_at_the_start_that_it_is_for_one_machine(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = CapturingLogger()
    # In the logger's place: structlog keeps one as an earlier test had set the pipeline up.
    monkeypatch.setattr(embedded, "_log", said)

    open_transit(f"embedded:///{path}", clock=FakeClock())

    (warning,) = said.calls
    assert warning.method_name == "warning"
    assert "one machine only" in warning.kwargs["note"]


@pytest.mark.parametrize("url", ["", "embedded://", "http://127.0.0.1:8200", "https://", "vault.example"])
def test_another_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="transit_url"):
        open_transit(url, clock=FakeClock(), auth_dir=tmp_path)
