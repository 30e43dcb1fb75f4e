"""Telephones that register here: their names, whether they are desks of the agency, and their passwords.

    python -m deploy.phone.extensions add 201 --desk
    python -m deploy.phone.extensions list

Passwords are kept as SIP's digest (RFC 3261, 22.4: MD5 of user, realm, password), which is what Kamailio compares with.
"""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.files import private_directory, write_file

REALM = "phone.wayvault.internal"
# The demo's two, and the pair between which deploy/phone/check calls.
AGENT, CLIENT, CHECK, CHECKED = "201", "301", "check", "checked"
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


def ensure(folder: Path) -> dict[str, Extension]:
    """All extensions; those of the demo and the check are made when they are missing."""
    private_directory(folder)
    file = folder / "extensions.json"
    known = [Extension(**entry) for entry in json.loads(file.read_text("utf-8"))] if file.exists() else []
    found = {extension.user: extension for extension in known}
    missing = [user for user in _KINDS if user not in found]
    for user in missing:
        found[user] = Extension(user=user, password=secrets.token_urlsafe(12), desk=_KINDS[user])
    if missing:
        write_file(file, json.dumps([asdict(extension) for extension in found.values()], indent=1))
    return found
