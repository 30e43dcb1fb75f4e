"""The portal's settings, read once at start. Environment variables carry the prefix PORTAL_."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import HttpUrl, TypeAdapter, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.sites import SiteSettings

_URL = TypeAdapter(HttpUrl)


class PortalSettings(SiteSettings):
    """What an operator may set for the portal; the defaults suit the embedded mode on one machine."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_")

    # host:port of the pages.
    listen: str = "127.0.0.1:8102"
    # The addresses that browsers use for the portal and the secure frame.
    public_url: str = "http://portal.localhost:8102"
    frame_origin: str = "http://card.localhost:8103"
    # Shown in development only.
    mailbox_url: str = "http://mail.localhost:8104"
    # host:port of the vault's gRPC server, and the name in its certificate.
    vault_address: str = "127.0.0.1:8105"
    vault_server_name: str = "vault.wayvault.internal"
    # ES256 private key that signs letters, and the notifier's public key; by default under state_dir.
    letter_signing_key: Path = Path()
    notifier_letter_key: Path = Path()
    # Requests that each process works on at a time.
    web_threads: int = 8
    # Processes that serve the pages.
    web_processes: int = 1
    # How long a client may leave the form lying. As long as the vault keeps an intake open (intake_ttl).
    session_idle: timedelta = timedelta(minutes=60)

    @model_validator(mode="before")
    @classmethod
    def _letter_keys_from_state_dir(cls, given: Any) -> Any:  # Any: pydantic's raw input
        if not isinstance(given, dict):
            return given
        secrets = Path(given.get("state_dir") or "var") / "secrets"
        derived = {
            "letter_signing_key": secrets / "portal" / "letter_signing.jwk",
            "notifier_letter_key": secrets / "public" / "notifier_letters.jwk",
        }
        return derived | given

    @field_validator("public_url", "frame_origin", "mailbox_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        _URL.validate_python(value)
        return value.rstrip("/")

    def site_urls(self) -> dict[str, str]:
        """Where browsers find the portal and the frame in it."""
        return {"PUBLIC_URL": self.public_url, "FRAME_ORIGIN": self.frame_origin}

    def problems(self) -> list[str]:
        """Adds the letter keys, without which no client would get their copy."""
        keys = {"LETTER_SIGNING_KEY": self.letter_signing_key, "NOTIFIER_LETTER_KEY": self.notifier_letter_key}
        return super().problems() + [
            f"{self.prefix()}{label}: there is no readable file {path}. `make certificates` makes it for development."
            for label, path in keys.items()
            if not (path.is_file() and os.access(path, os.R_OK))
        ]
