"""Telephones that register here: their names, whether they are desks of the agency, and their passwords.

An operator adds and removes them by `python -m deploy.phone.telephones`.
Passwords are kept as SIP's digest (RFC 3261, 22.4: MD5 of user, realm, password), which is what Kamailio compares with.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.files import private_directory, write_file

REALM = "phone.wayvault.internal"
# The demo's two, and the pair between which deploy/phone/check calls.
AGENT, CLIENT, CHECK, CHECKED = "201", "301", "check", "checked"
_FILE = "extensions.json"
_KINDS = {AGENT: True, CLIENT: False, CHECK: True, CHECKED: False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """`desk`: the agency's own, whose user may key PINs."""

    user: str
    password: str
    desk: bool

    @property
    def digest(self) -> str:
        """HA1."""
        return hashlib.md5(f"{self.user}:{REALM}:{self.password}".encode(), usedforsecurity=False).hexdigest()


def ensure(folder: Path, *, demo: bool = True) -> dict[str, Extension]:
    """All extensions; those of the check, and with `demo` its two, are made when they are missing."""
    found = known(folder)
    missing = [user for user in _KINDS if user not in found and (demo or user in (CHECK, CHECKED))]
    for user in missing:
        found[user] = made(user, desk=_KINDS[user])
    if missing:
        keep(folder, found)
    return found


def made(user: str, *, desk: bool) -> Extension:
    """A new one, with a password of its own."""
    return Extension(user=user, password=secrets.token_urlsafe(12), desk=desk)


def known(folder: Path) -> dict[str, Extension]:
    """Those that were made, by their names."""
    file = folder / _FILE
    kept = [Extension(**entry) for entry in json.loads(file.read_text("utf-8"))] if file.exists() else []
    return {extension.user: extension for extension in kept}


def keep(folder: Path, extensions: Mapping[str, Extension]) -> None:
    """Writes them down, for their owner only."""
    private_directory(folder)
    write_file(folder / _FILE, json.dumps([asdict(extension) for extension in extensions.values()], indent=1))
