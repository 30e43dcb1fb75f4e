"""Passwords of roles and users that set-up makes: each made once, kept in a 0600 file of a 0700 directory."""

import re
import secrets
from pathlib import Path

from deploy.files import private_directory, write_file

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def password_of(directory: Path, name: str) -> str:
    """The password kept under the name, made now if there is none. Raises ValueError for a name unfit for a file."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a role")
    path = private_directory(directory) / name
    if not path.exists():
        write_file(path, secrets.token_urlsafe(24))
    return path.read_text("utf-8").strip()
