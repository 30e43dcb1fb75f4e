"""Passwords of people: argon2id hashing and the offline check of a chosen one. For every service with a sign-in."""

import re
import secrets as random
import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

# PCI DSS 8.3.6.
PASSWORD_MIN = 12
PASSWORD_MAX = 128

# The top of zxcvbn's scale: more than 10^10 guesses.
_LEAST_STRENGTH = 4
_LEAST_IMPERSONAL = 8
_ZXCVBN_READS = 72


class Passwords:
    """argon2id hashing (RFC 9106, second recommended setting: 64 MiB, 3 passes)."""

    def __init__(self, *, memory_kib: int = 65536, passes: int = 3) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        # Verified against when nobody has the name or address, so that the answer takes as long.
        self._decoy = self._hasher.hash(random.token_urlsafe(16))

    def hash(self, password: str) -> str:
        return self._hasher.hash(_composed(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. Takes the same time when there is no stored hash; then it is always wrong.

        "é" is one character on some keyboards and two on others (Unicode NFC, NFD). Hashes from before they were one
        here are of whatever was sent, so both are tried.
        """
        composed = _composed(password)
        tried = dict.fromkeys((composed, password, unicodedata.normalize("NFD", composed)))
        return any(self._is_of(stored or self._decoy, one) for one in tried) and stored is not None

    def _is_of(self, stored: str, password: str) -> bool:
        try:
            return bool(self._hasher.verify(stored, password))
        except (VerificationError, InvalidHashError, UnicodeError):
            return False

    def needs_rehash(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def password_length_error(password: str) -> str | None:
    """What is wrong with a password's length, or None."""
    password = _composed(password)
    if len(password) < PASSWORD_MIN:
        return f"Use at least {PASSWORD_MIN} characters. A few unrelated words are easy to remember."
    if len(password) > PASSWORD_MAX:
        return f"Use at most {PASSWORD_MAX} characters."
    return None


def password_error(password: str, personal: list[str]) -> str | None:
    """What is wrong with a chosen password, or None.

    Checked offline: its length, what is left of it without the person's own name and address, then zxcvbn's lists of
    leaked passwords, names and patterns (PCI DSS 8.3.6, ASVS 5.0 6.2.4).
    """
    if error := password_length_error(password):
        return error
    own = sorted({word for text in personal for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 2}, key=len)
    impersonal = re.sub("|".join(map(re.escape, reversed(own))) or "$^", "", password.casefold())
    if len(re.sub(r"[\W_]", "", impersonal)) < _LEAST_IMPERSONAL:
        return "This password is too easy to guess: it is made of your own name or address. Try unrelated words."
    found = zxcvbn(password[:_ZXCVBN_READS], user_inputs=own)
    if found["score"] >= _LEAST_STRENGTH:
        return None
    warning = str(found["feedback"]["warning"] or "").rstrip(".")
    reason = f"{warning}. " if warning else ""
    return f"This password is too easy to guess. {reason}Try three or four unrelated words."
