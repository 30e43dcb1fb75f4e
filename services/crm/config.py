"""The CRM's settings, read once at start. Environment variables carry the prefix CRM_."""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from chassis.sites import SiteSettings


class CrmSettings(SiteSettings):
    """What an operator may set for the CRM; the defaults suit the embedded mode on one machine."""

    name: ClassVar[str] = "crm"

    # host:port of the pages.
    listen: str = "127.0.0.1:8101"
    # Processes that serve the pages.
    web_processes: int = Field(default=1, ge=1, le=64)
    # Requests that each process works on at a time.
    web_threads: int = Field(default=16, ge=2, le=64)
    # Live alerts that each process holds open beside them; who gets no place is asked every few seconds instead.
    alert_streams: int = Field(default=256, ge=1, le=2000)
    # The addresses that browsers use for the CRM, the portal and the secure frame.
    public_url: str = "http://crm.localhost:8101"
    portal_url: str = "http://portal.localhost:8102"
    frame_origin: str = "http://card.localhost:8103"
    # Shown in development only.
    mailbox_url: str = "http://mail.localhost:8104"
    # host:port of the vault's gRPC server, and the name in its certificate.
    vault_address: str = "127.0.0.1:8105"
    vault_server_name: str = "vault.wayvault.internal"
    # host:port of the program `charging` (empty: this installation charges nothing itself), and its certificate's name.
    charging_address: str = ""
    charging_server_name: str = "charging.wayvault.internal"
    # The masker of phone calls; empty = phone payments are not set up.
    phone_address: str = ""
    phone_server_name: str = "phone.wayvault.internal"
    # ES256 private key that signs letters, and the notifier's public key that they are sealed to.
    letter_signing_key: Path = Path()
    notifier_letter_key: Path = Path()

    @model_validator(mode="before")
    @classmethod
    def _letter_keys_from_state_dir(cls, given: Any) -> Any:  # Any: pydantic's raw input
        if not isinstance(given, dict):
            return given
        secrets = Path(given.get("state_dir") or "var") / "secrets"
        derived = {
            "letter_signing_key": secrets / "crm" / "letter_signing.jwk",
            "notifier_letter_key": secrets / "public" / "notifier_letters.jwk",
        }
        return derived | given

    @field_validator("public_url", "portal_url", "frame_origin", "mailbox_url")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        value = value.rstrip("/")
        if not value.startswith(("http://", "https://")) or "/" in value.partition("://")[2]:
            raise ValueError("must be http:// or https:// with a host, and no path")
        return value

    def site_urls(self) -> dict[str, str]:
        """Where browsers find the CRM and what it leads them to."""
        return {"PUBLIC_URL": self.public_url, "PORTAL_URL": self.portal_url, "FRAME_ORIGIN": self.frame_origin}

    def problems(self) -> list[str]:
        """What stands in the way of starting although each value alone is well formed."""
        found = super().problems()
        if not self.secret_key.get_secret_value():
            found.append(self._missing_secret_key())
        for variable, path in (
            ("LETTER_SIGNING_KEY", self.letter_signing_key),
            ("NOTIFIER_LETTER_KEY", self.notifier_letter_key),
        ):
            if not path.is_file():
                found.append(f"CRM_{variable}: there is no file {path}. `make certificates` makes it for development.")
        return found
