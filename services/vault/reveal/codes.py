"""One-time codes: made by pyotp from a random secret, kept only as a keyed hash."""

import hashlib
import hmac

import pyotp

from services.vault.reveal.rules import CODE_DIGITS, GrantKind


class Codes:
    """Makes, hashes and compares codes. `key` never leaves this process; without it no hash can be tried out."""

    def __init__(self, key: str) -> None:
        self._key = hmac.digest(key.encode(), b"wayvault reveal codes 1", hashlib.sha256)

    def new(self) -> str:
        """Eight random digits (RFC 4226 with a secret that is used once and forgotten)."""
        return pyotp.HOTP(pyotp.random_base32(), digits=CODE_DIGITS).at(0)

    def hashed(self, kind: GrantKind, grant_id: str, agent_id: str, card_token: str, code: str) -> bytes:
        """The code's keyed hash, bound to its challenge, agent and card (docs/security.md, Single use)."""
        bound = "\n".join((kind, grant_id, agent_id, card_token, code))
        return hmac.digest(self._key, bound.encode(), hashlib.sha256)

    def same(self, left: bytes, right: bytes) -> bool:
        """Compares in constant time."""
        return hmac.compare_digest(left, right)
