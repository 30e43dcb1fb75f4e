"""Identifiers and secret tokens."""

import base64
import hashlib
import secrets

import uuid6


def new_id(prefix: str) -> str:
    """A random identifier: `prefix_` and 128 bits in lower-case base32 (RFC 4648, unpadded)."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"


def derived_id(prefix: str, seed: str) -> str:
    """The identifier that always follows from the seed: what is made twice from one request is made once."""
    digest = hashlib.sha256(f"{prefix} {seed}".encode()).digest()
    return f"{prefix}_{base64.b32encode(digest[:16]).decode().rstrip('=').lower()}"


def new_event_id() -> str:
    """A UUIDv7 (RFC 9562): unique, and sortable by the time it was made."""
    return str(uuid6.uuid7())


def new_link_token() -> str:
    """A secret for a link: 256 bits, URL-safe. Stands after `#`, so it never reaches a server log."""
    return secrets.token_urlsafe(32)


def token_sha256(token: str) -> str:
    """The form in which a link token is stored (hex). The token has 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
