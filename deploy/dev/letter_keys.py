"""Keys of the letters (chassis.sealing) and the keys that sign browser sessions, as files in `<state>/secrets`.

The notifier opens letters with an EC P-256 key of its own; vault, CRM and portal each sign theirs with another. The
public halves lie in `secrets/public`. Nothing here is ever replaced by running again: a letter under way could not be
read any more.
"""

import base64
import json
import secrets
from pathlib import Path

from joserfc.jwk import ECKey

from deploy.files import PRIVATE_FILE, PUBLIC_FILE, private_directory, write_file

SIGNERS = ("vault", "crm", "portal")
WITH_SECRET_KEY = ("vault", "crm", "portal", "notifier")


def ensure(directory: Path) -> list[str]:
    """Makes what is missing under `directory`; returns the names of what was made."""
    private_directory(directory)
    private_directory(directory / "public")
    made = [_secret_key(directory / service) for service in WITH_SECRET_KEY]
    made.append(
        _key_pair(
            directory / "notifier" / "letters.jwk",
            directory / "public" / "notifier_letters.jwk",
            use="enc",
            algorithm="ECDH-ES",
        )
    )
    made += [
        _key_pair(
            directory / signer / "letter_signing.jwk",
            directory / "public" / f"{signer}_signing.jwk",
            use="sig",
            algorithm="ES256",
        )
        for signer in SIGNERS
    ]
    return [name for name in made if name]


def _secret_key(directory: Path) -> str:
    private_directory(directory)
    path = directory / "secret_key"
    if path.exists():
        path.chmod(PRIVATE_FILE)
        return ""
    write_file(path, base64.urlsafe_b64encode(secrets.token_bytes(48)))
    return str(path)


def _key_pair(private: Path, public: Path, *, use: str, algorithm: str) -> str:
    """A private JWK and its public half (RFC 7517); `kid` is the RFC 7638 thumbprint."""
    private_directory(private.parent)
    if private.exists():
        private.chmod(PRIVATE_FILE)
        key = ECKey.import_key(json.loads(private.read_text("utf-8")))
    else:
        key = ECKey.generate_key("P-256")
    facts = {"kid": key.thumbprint(), "use": use, "alg": algorithm}
    made = not private.exists()
    if made:
        write_file(private, json.dumps({**key.as_dict(private=True), **facts}))
    if made or not public.exists():
        write_file(public, json.dumps({**key.as_dict(private=False), **facts}), mode=PUBLIC_FILE)
    return str(private) if made else ""
