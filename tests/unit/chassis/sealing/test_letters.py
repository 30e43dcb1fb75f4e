"""Letters: only the notifier reads them, and it knows whose they are."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.sealing import (
    Letter,
    LetterExpired,
    LetterReader,
    LetterWriter,
    OpeningKey,
    SealError,
    open_sealed,
    open_signed,
    seal_to,
    sign,
)

NOW = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
LETTER = Letter(
    letter_id="letter_1",
    template="reveal_code",
    to="maya@harbour.example",
    data={"code": "12345678", "agent_name": "Maya Ökafor"},
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=5),
)


class House:
    """Key files of one installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notifier = OpeningKey.generate("notifier-1")
        self.vault = OpeningKey.generate("vault-1")
        self.crm = OpeningKey.generate("crm-1")
        for name in ("notifier", "vault", "crm"):
            key: OpeningKey = getattr(self, name)
            (folder / f"{name}.jwk").write_bytes(key.private_jwk())
            (folder / f"{name}.pub").write_text(key.public.public_json())

    def writer(self, name: str, issuer: str) -> LetterWriter:
        return LetterWriter(self.folder / f"{name}.jwk", issuer, self.folder / "notifier.pub")

    def reader(self) -> LetterReader:
        signers = {"vault": self.folder / "vault.pub", "crm": self.folder / "crm.pub"}
        return LetterReader(self.folder / "notifier.jwk", signers)

    def seal(self, content: object, typ: str = "wv-letter+jws") -> str:
        signed = sign(self.vault, json.dumps(content).encode(), typ)
        return seal_to(self.notifier.public, signed.encode(), "wv-letter+jwe")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_letter_arrives_as_it_was_written(house: House) -> None:
    opened = house.reader().open(house.writer("vault", "vault").seal(LETTER), NOW)

    assert opened.letter == LETTER
    assert opened.issuer == "vault"


def test_a_letter_without_an_end_never_expires(house: House) -> None:
    letter = Letter(letter_id="l", template="signed_copy", to="a@b.example", data={}, issued_at=NOW)

    opened = house.reader().open(house.writer("crm", "crm").seal(letter), NOW + timedelta(days=400))

    assert opened.letter == letter


def test_a_letter_past_its_time_is_told_apart_from_a_bad_one(house: House) -> None:
    text = house.writer("vault", "vault").seal(LETTER)

    with pytest.raises(LetterExpired):
        house.reader().open(text, NOW + timedelta(minutes=5))


def test_nobody_signs_in_anothers_name(house: House) -> None:
    for key, issuer in (("crm", "vault"), ("vault", "crm"), ("vault", "portal")):
        with pytest.raises(SealError):
            house.reader().open(house.writer(key, issuer).seal(LETTER), NOW)


def test_a_letter_for_another_notifier_does_not_open(house: House) -> None:
    text = seal_to(OpeningKey.generate("notifier-1").public, b"x", "wv-letter+jwe")

    with pytest.raises(SealError):
        house.reader().open(text, NOW)


def test_an_unsigned_letter_is_refused(house: House) -> None:
    for payload in (b"{}", json.dumps({"issuer": "vault"}).encode(), b"\xff\xfe", b"a.b.c"):
        with pytest.raises(SealError):
            house.reader().open(seal_to(house.notifier.public, payload, "wv-letter+jwe"), NOW)


def test_something_else_that_the_vault_signed_is_no_letter(house: House) -> None:
    content = json.loads(_content(house))

    with pytest.raises(SealError):
        house.reader().open(house.seal(content, "wv-audit-head+jws"), NOW)
    assert house.reader().open(house.seal(content), NOW).letter == LETTER


@pytest.mark.parametrize(
    "change",
    [
        {"to": 5},
        {"data": ["x"]},
        {"data": {"code": 5}},
        {"data": None},
        {"issued_at": "yesterday"},
        {"issued_at": "2026-11-21T12:00:00"},
        {"expires_at": 5},
        {"template": None},
    ],
)
def test_a_malformed_letter_is_refused(house: House, change: dict[str, object]) -> None:
    with pytest.raises(SealError):
        house.reader().open(house.seal(json.loads(_content(house)) | change), NOW)


def test_a_letters_code_is_in_no_repr(house: House) -> None:
    opened = house.reader().open(house.writer("vault", "vault").seal(LETTER), NOW)

    assert "12345678" not in repr(opened)


def test_a_missing_key_file_is_named(house: House) -> None:
    with pytest.raises(SealError, match=r"nobody\.jwk"):
        house.writer("nobody", "vault")


def _content(house: House) -> bytes:
    signed = open_sealed(house.notifier, house.writer("vault", "vault").seal(LETTER), "wv-letter+jwe").decode()
    return open_signed(house.vault.public, signed, "wv-letter+jws")
