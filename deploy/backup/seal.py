"""Sealing with age (pyrage): files, sums, and the key pair that opens them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyrage

from deploy.backup.rules import BackupFault
from deploy.files import write_file

_CHUNK = 1 << 20


def make_key(identity_file: Path, recipients_file: Path) -> str:
    """Writes a new identity (the private half) and adds its recipient; returns the recipient. Raises BackupFault.

    An identity file is never replaced: the backups made for it would be lost.
    """
    demand_new(identity_file)
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    write_file(identity_file, f"# public key: {recipient}\n{identity}\n")
    known = recipients_file.read_text("utf-8") if recipients_file.exists() else ""
    write_file(recipients_file, f"{known}{recipient}\n")
    return recipient


def demand_new(identity_file: Path) -> None:
    """Raises BackupFault for a file that is there already."""
    if identity_file.exists():
        raise BackupFault(f"{identity_file} exists; an identity is never replaced. Name another file.")


def recipients_of(file: Path) -> list[pyrage.x25519.Recipient]:
    """Whom backups are sealed to. Raises BackupFault."""
    try:
        found = [pyrage.x25519.Recipient.from_str(line) for line in _lines(file)]
    except pyrage.RecipientError as error:
        raise BackupFault(f"{file}: a line is not an age recipient (age1…).") from error
    if not found:
        raise BackupFault(f"{file} names no recipient.")
    return found


def identities_of(file: Path) -> list[pyrage.x25519.Identity]:
    """What opens them. Raises BackupFault; the message never quotes the file."""
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in _lines(file)]
    except pyrage.IdentityError as error:
        raise BackupFault(f"{file}: a line is not an age identity (AGE-SECRET-KEY-…).") from error
    if not found:
        raise BackupFault(f"{file} holds no identity.")
    return found


def seal_file(clear: Path, sealed: Path, recipients: Sequence[pyrage.x25519.Recipient]) -> None:
    """Raises OSError."""
    pyrage.encrypt_file(str(clear), str(sealed), list(recipients))


def open_file(sealed: Path, clear: Path, identities: Sequence[pyrage.x25519.Identity]) -> None:
    """The content of a sealed file, for its owner only. Raises BackupFault when it does not open."""
    write_file(clear, b"")
    try:
        pyrage.decrypt_file(str(sealed), str(clear), list(identities))
    except pyrage.DecryptError as error:
        raise BackupFault(f"{sealed} does not open: another identity, or a damaged file.") from error


def sum_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _lines(file: Path) -> list[str]:
    try:
        lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BackupFault(
            f"{file} can't be read. `python -m deploy.backup key --identity FILE` makes a key pair."
        ) from error
    return [line for line in lines if line and not line.startswith("#")]
