"""Values and laws of the transit port: key names, ciphertexts, contexts, key versions."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from chassis.errors import Internal, Unavailable

Context = NewType("Context", bytes)
"""What a ciphertext is bound to: it opens with the same context only."""

MAX_BATCH = 200
"""Items in one call to the engine (docs/design.md, Encryption and keys)."""

_CIPHER = re.compile(r"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/]+={0,2}")


class KeyName(StrEnum):
    """The transit keys. Separate, so that who may open one can't open another."""

    CARD = "card"
    CVV = "cvv"
    SEALING = "sealing"


class TransitUnavailable(Unavailable):
    """The engine is sealed, down, or did not answer in time. Nothing was done; the same call may be made again."""


class TransitDenied(TransitUnavailable):
    """The engine does not let this identity do this: policies or credentials are not as deploy/vault/bootstrap sets
    them. For the caller the same as an engine that is down; the operator reads the difference in the log."""


class CipherRefused(Internal):
    """A ciphertext that does not open: damaged, of another context or key, or of a key version that is gone."""


@dataclass(frozen=True, slots=True)
class Cipher:
    """A ciphertext in transit's form, `vault:vN:base64`. Safe to store and to show."""

    text: str

    def __post_init__(self) -> None:
        if not _CIPHER.fullmatch(self.text) or not _is_canonical(self.text.rsplit(":", 1)[1]):
            raise CipherRefused("a ciphertext is malformed")

    @property
    def version(self) -> int:
        """The number of the key version that made it."""
        return int(self.text.split(":", 2)[1][1:])

    def __str__(self) -> str:
        return self.text


def _is_canonical(encoded: str) -> bool:
    """Whether a base64 text is the one text of its bytes: its unused last bits could be changed unseen otherwise."""
    try:
        return base64.b64encode(base64.b64decode(encoded, validate=True)).decode() == encoded
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A key's versions that may open something, each with the time it was made.

    Versions below `min_decryption_version` are retired; those from `oldest_version` on still exist.
    """

    key: KeyName
    versions: dict[int, datetime]
    min_decryption_version: int
    oldest_version: int

    @property
    def latest_version(self) -> int:
        return max(self.versions)


def context_of(*parts: str) -> Context:
    """The context of a ciphertext's owner, e.g. `context_of("card", token, agency_id)`.

    Each part goes in with its length, so that different parts never give the same bytes. Raises ValueError for none.
    """
    if not parts or not all(parts):
        raise ValueError("a context needs parts, and no part may be empty")
    encoded = [part.encode() for part in parts]
    return Context(b"".join(len(part).to_bytes(2, "big") + part for part in encoded))
