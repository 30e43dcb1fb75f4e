"""Letters, mails that only the notifier can read: a JWS (ES256, `typ` wv-letter+jws) in a JWE (`typ` wv-letter+jwe)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from chassis.sealing.jose import (
    SealError,
    compact_parts,
    json_object,
    open_sealed,
    open_signed,
    read_opening_key,
    read_recipient_key,
    seal_to,
    sign,
)

LETTER_JWE = "wv-letter+jwe"
LETTER_JWS = "wv-letter+jws"


class LetterExpired(SealError):
    """A letter whose `expires_at` has passed: what it carries no longer works, so it is not worth sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to be written: `template` and the `data` it shows, for the address `to`. Times are aware UTC."""

    letter_id: str
    template: str
    to: str
    # Codes and link tokens stand in `data`: never in a repr.
    data: dict[str, str] = field(repr=False)
    issued_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLetter:
    """A letter and the service whose signature it carries. Who may sign which template is the notifier's rule."""

    letter: Letter
    issuer: str


class LetterSealer(Protocol):
    """What seals letters to the notifier: a LetterWriter, or what stands in for one."""

    def seal(self, letter: Letter) -> str:
        """The letter as only the notifier can read it."""
        ...


class LetterWriter:
    """Signs letters as `issuer` and seals them to the notifier. Reads its two keys once, when made."""

    def __init__(self, signing_key_path: Path, issuer: str, recipient_public_path: Path) -> None:
        """Raises SealError when a key file is missing or is not the key it should be."""
        self._signing_key = read_opening_key(signing_key_path)
        self._issuer = issuer
        self._recipient = read_recipient_key(recipient_public_path)

    def seal(self, letter: Letter) -> str:
        """The letter, signed and sealed: publish it unopened."""
        content = {
            "issuer": self._issuer,
            "letter_id": letter.letter_id,
            "template": letter.template,
            "to": letter.to,
            "data": letter.data,
            "issued_at": letter.issued_at.isoformat(),
            "expires_at": letter.expires_at.isoformat() if letter.expires_at else None,
        }
        signed = sign(self._signing_key, json.dumps(content, ensure_ascii=False).encode(), LETTER_JWS)
        return seal_to(self._recipient, signed.encode(), LETTER_JWE)


class LetterReader:
    """Opens letters for the notifier and tells whose they are. Reads its keys once, when made."""

    def __init__(self, private_key_path: Path, signers: Mapping[str, Path]) -> None:
        """`signers` gives each issuer's public key. Raises SealError when a key file is missing or wrong."""
        self._key = read_opening_key(private_key_path)
        self._signers = {issuer: read_recipient_key(path) for issuer, path in signers.items()}

    def open(self, text: str, now: datetime) -> OpenedLetter:
        """Raises LetterExpired for one past its time, SealError for anything not sealed and signed as it should be."""
        signed = open_sealed(self._key, text, LETTER_JWE)
        try:
            compact = signed.decode("ascii")
        except UnicodeDecodeError as error:
            raise SealError("the letter is malformed") from error
        opened = _letter_of(self._verified(compact))
        if opened.letter.expires_at is not None and opened.letter.expires_at <= now:
            raise LetterExpired("the letter is past its time")
        return opened

    def _verified(self, compact: str) -> dict[str, Any]:
        """The content, its signature checked with the key of the issuer that it names itself."""
        content = json_object(compact_parts(compact, 3)[1])
        signer = self._signers.get(str(content.get("issuer")))
        if signer is None:
            raise SealError("the letter's signer is not known")
        open_signed(signer, compact, LETTER_JWS)
        return content


def _letter_of(content: dict[str, Any]) -> OpenedLetter:
    try:
        data = content["data"]
        texts = [content[name] for name in ("issuer", "letter_id", "template", "to")] + [*data, *data.values()]
        if not all(isinstance(text, str) for text in texts):
            raise SealError("the letter is malformed")
        expires_at = content["expires_at"]
        letter = Letter(
            letter_id=content["letter_id"],
            template=content["template"],
            to=content["to"],
            data=data,
            issued_at=_aware(content["issued_at"]),
            expires_at=None if expires_at is None else _aware(expires_at),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SealError("the letter is malformed") from error
    return OpenedLetter(letter=letter, issuer=content["issuer"])


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
