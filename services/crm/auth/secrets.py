"""The two secrets an agent has: her password, hashed; her authenticator's secret, encrypted at rest."""

import base64
import hashlib
import hmac
import re
import secrets as random

import pyotp
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from zxcvbn import zxcvbn

from services.crm.auth.rules import password_length_error

_ISSUER = "Wayvault"
_NONCE_BYTES = 12
# The top of zxcvbn's scale: more than 10^10 guesses.
_LEAST_STRENGTH = 4
_LEAST_IMPERSONAL = 8
_ZXCVBN_READS = 72


class Passwords:
    """argon2id hashing (RFC 9106, second recommended setting: 64 MiB, 3 passes) and the strength check."""

    def __init__(self, *, memory_kib: int = 65536, passes: int = 3) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        # Verified against when nobody has the address, so that the answer takes as long.
        self._decoy = self._hasher.hash(random.token_urlsafe(16))

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. Takes the same time when there is no stored hash; then it is always wrong."""
        try:
            self._hasher.verify(stored or self._decoy, password)
        except (VerificationError, InvalidHashError, UnicodeError):
            return False
        return stored is not None

    def needs_rehash(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)


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


class AuthenticatorSecrets:
    """Encrypts authenticators' secrets with a key derived from the service's secret key, bound to the agent's id."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"wayvault crm authenticator secrets v1")
        self._cipher = AESGCM(derived.derive(secret_key.encode()))

    def seal(self, agent_id: str, secret: str) -> str:
        nonce = random.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, secret.encode(), agent_id.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, agent_id: str, sealed: str) -> str:
        """Raises AuthenticatorSecretLost when the service's secret key is not the one that sealed it."""
        raw = base64.urlsafe_b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], agent_id.encode()).decode()
        except InvalidTag as error:
            raise AuthenticatorSecretLost(agent_id) from error


class AuthenticatorSecretLost(Exception):
    """The secret key changed since the authenticator was set up; `reset-authenticator` mends it."""


def new_authenticator_secret() -> str:
    """160 random bits in base32 (RFC 4226 recommends 160)."""
    return pyotp.random_base32(32)


def provisioning_uri(secret: str, email: str, agency_name: str) -> str:
    """The otpauth:// address that an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"{_ISSUER} {agency_name}")


def code_at_step(secret: str, step: int) -> str:
    """The six digits that stand for a time step (RFC 6238)."""
    return pyotp.HOTP(secret).at(step)


def same_code(expected: str, given: str) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())


def address_digest(email: str) -> str:
    """The key under which an address's failures are counted."""
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()
