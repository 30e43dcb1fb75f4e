"""The notifier's settings, read once at start. Environment variables carry the prefix NOTIFIER_."""

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import field_validator, model_validator

from chassis.mail_addresses import wire_address
from chassis.sites import SiteSettings
from services.notifier.deliveries.smtp_address import SmtpAddress


class NotifierSettings(SiteSettings):
    """What an operator may set for the notifier; the defaults suit the embedded mode on one machine."""

    name: ClassVar[str] = "notifier"

    # mailbox:// keeps mail on this machine (development); smtp://host:port[?starttls=1] or smtps://… sends it.
    smtp_url: str = "mailbox://"
    # A CA file for the mail server's certificate; empty = the system's.
    smtp_ca: str = ""
    # The sender of every mail.
    mail_from: str = "no-reply@wayvault.example"
    # The CRM's and the portal's addresses, for links in mails.
    crm_url: str = "http://crm.localhost:8101"
    portal_url: str = "http://portal.localhost:8102"
    # The mailbox page, where smtp_url is mailbox://.
    listen: str = "127.0.0.1:8104"
    # The mailbox page's address.
    public_url: str = "http://mail.localhost:8104"
    # The private key that letters are sealed to, and the folder of their signers' public keys; under state_dir.
    letter_key: Path = Path()
    public_keys_dir: Path = Path()
    # Threads that send mail.
    senders: int = 2

    @model_validator(mode="before")
    @classmethod
    def _letter_keys_from_state_dir(cls, given: Any) -> Any:  # Any: pydantic's raw input
        if not isinstance(given, dict):
            return given
        secrets = Path(given.get("state_dir") or "var") / "secrets"
        return {"letter_key": secrets / "notifier" / "letters.jwk", "public_keys_dir": secrets / "public"} | given

    @model_validator(mode="after")
    def _mail_must_leave_in_production(self) -> Self:
        if self.environment == "production" and self.keeps_mail_here:
            raise ValueError("smtp_url: production sends its mail; use smtp:// or smtps://")
        if not self.smtp_url.startswith(("mailbox://", "smtp://", "smtps://")):
            raise ValueError("smtp_url: must start with mailbox://, smtp:// or smtps://")
        if not self.keeps_mail_here:
            SmtpAddress.read(self.smtp_url)
        return self

    @field_validator("mail_from")
    @classmethod
    def _mail_comes_from_an_address(cls, given: str) -> str:
        """With any other, every mail would be given up as refused."""
        return wire_address(given)

    def site_urls(self) -> dict[str, str]:
        """Where the mailbox is found, and where the links in mails lead."""
        return {"PUBLIC_URL": self.public_url, "CRM_URL": self.crm_url, "PORTAL_URL": self.portal_url}

    def _not_fit_for_production(self) -> list[str]:
        # The mailbox is for development: in production the notifier has no site, only links in its mails.
        links = {"CRM_URL": self.crm_url, "PORTAL_URL": self.portal_url}
        return [
            f"NOTIFIER_{name}: production needs an https:// address."
            for name, url in links.items()
            if not url.startswith("https://")
        ]

    @property
    def keeps_mail_here(self) -> bool:
        return self.smtp_url.startswith("mailbox://")

    @property
    def letter_signers(self) -> dict[str, Path]:
        """The public key of each service that may write letters."""
        return {name: self.public_keys_dir / f"{name}_signing.jwk" for name in ("vault", "crm", "portal")}
