"""The authenticator's secret of an agent, encrypted at rest, and the codes it makes."""

import base64
import hmac
import secrets as random

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ISSUER = "Wayvault"
_NONCE_BYTES = 12


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
