"""The vault's settings (prefix VAULT_)."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from chassis.hardening import swap_problems
from chassis.rpc import TlsFiles
from chassis.sites import SiteSettings


class VaultSettings(SiteSettings):
    """See ServiceSettings. Durations are ISO 8601 (PT5M) or seconds."""

    name: ClassVar[str] = "vault"

    # PostgreSQL: the tables' owner, for `migrate` only; the service's own role may not change audit rows.
    owner_database_url: str = ""
    # host:port of the vault's gRPC server.
    listen: str = "127.0.0.1:8105"
    # Calls that the server works on at a time.
    workers: int = Field(default=16, ge=2, le=256)
    # For the web process and the operator's commands.
    vault_address: str = "127.0.0.1:8105"
    # The name in the vault's certificate.
    vault_server_name: str = "vault.wayvault.internal"
    # host:port of the secure frame's pages.
    web_listen: str = "127.0.0.1:8103"

    # host:port of the program `charging`; its certificate is `charging.pem` beside the vault's.
    charging_listen: str = "127.0.0.1:8106"
    # Where the operator's commands and the CRM find it, and the name in its certificate.
    charging_address: str = "127.0.0.1:8106"
    charging_server_name: str = "charging.wayvault.internal"
    # host:port on which `charging` answers GET /metrics, /healthz and /readyz; empty = nowhere.
    charging_metrics_listen: str = ""
    # The database by the role of `charging`; empty = the vault's (SQLite, one machine).
    charging_database_url: str = ""
    # Where Stripe answers; in development the simulator.
    stripe_url: str = "https://api.stripe.com"
    # Where Authorize.Net answers, for live accounts and for test accounts; used once its origin is on the list below.
    authorizenet_url: str = "https://api.authorize.net"
    authorizenet_test_url: str = "https://apitest.authorize.net"
    # The only origins that charging calls.
    gateway_hosts: list[str] = ["https://api.stripe.com"]
    # Where a client comes back to from the bank's or the gateway's page; the payment's id is put behind it.
    charging_return_url: str = "http://portal.localhost:8102/confirmed/"

    # https://… of a HashiCorp Vault, or embedded:///path of a key ring on this machine.
    transit_url: str = ""
    # One file per identity: intake.json reveal.json rotation.json sealing.json, each {"role_id", "secret_id"}.
    transit_auth_dir: Path | None = None
    # The transit engine's mount.
    transit_mount: str = "transit"
    # The authority of HashiCorp Vault's certificate; empty = the services' own.
    transit_ca: Path = Path()

    # How long a card form may stay open.
    intake_ttl: timedelta = timedelta(minutes=60)
    # How long an e-mailed code is good.
    code_ttl: timedelta = timedelta(minutes=5)
    # How long the link to a CVV is good.
    cvv_link_ttl: timedelta = timedelta(minutes=10)
    # How long a lost answer may be fetched again by the same frame.
    answer_ttl: timedelta = timedelta(seconds=120)
    # How long a key for sealing cards is handed out, and how much longer it opens what was sealed.
    sealing_key_ttl: timedelta = timedelta(days=1)
    sealing_key_grace: timedelta = timedelta(hours=2)

    # Where the signed heads of the audit chains are written: best on another disk than the database.
    audit_heads: Path = Path()
    # Where charging writes its own, which are checked with them; empty = heads-charging.jsonl beside them.
    charging_heads: Path = Path()
    # The key that signs letters, and the notifier's that they are sealed to; empty = under state_dir.
    letter_signing_key: Path = Path()
    notifier_letter_key: Path = Path()

    # Where a CVV's link leads: a page of the CRM.
    cvv_link_url: str = "http://crm.localhost:8101/cvv"
    # The address of the secure frame.
    frame_origin: str = "http://card.localhost:8103"
    # The origins that may embed the secure frame, as JSON.
    frame_parents: list[str] = ["http://crm.localhost:8101", "http://portal.localhost:8102"]

    @model_validator(mode="before")
    @classmethod
    def _fill_vault(cls, given: Any) -> Any:  # Any: pydantic's raw input
        """Derives what was not given from `state_dir`."""
        if not isinstance(given, dict):
            return given
        state = Path(given.get("state_dir") or "var")
        heads = Path(given.get("audit_heads") or state / "vault" / "audit-heads" / "heads.jsonl")
        derived: dict[str, object] = {
            "transit_url": f"embedded:///{state}/vault/keyring.json",
            "transit_ca": state / "certs" / "ca.pem",
            "audit_heads": heads,
            "charging_heads": heads.with_name("heads-charging.jsonl"),
            "letter_signing_key": state / "secrets" / "vault" / "letter_signing.jwk",
            "notifier_letter_key": state / "secrets" / "public" / "notifier_letters.jwk",
        }
        return derived | {key: value for key, value in given.items() if value not in ("", None)}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sealing_key_grace < self.intake_ttl:
            raise ValueError("sealing_key_grace must be at least intake_ttl: a form may be sent until then")
        if self.transit_url.startswith("https://") and self.transit_auth_dir is None:
            raise ValueError("transit_url is a Vault server; transit_auth_dir must hold its credentials")
        return self

    @property
    def embedded_transit(self) -> bool:
        """Whether the keyring of this machine is used."""
        return self.transit_url.startswith("embedded:")

    def tls_of(self, identity: str) -> TlsFiles:
        """The certificate of another identity that runs from this checkout: `frame`, `operator`."""
        folder = self.tls_cert.parent
        return TlsFiles(ca=self.tls_ca, cert=folder / f"{identity}.pem", key=folder / f"{identity}.key")

    def site_urls(self) -> dict[str, str]:
        """The frame's origin, the pages that may embed it, and where a CVV's link leads."""
        parents = {f"FRAME_PARENTS ({parent})": parent for parent in self.frame_parents}
        return {"FRAME_ORIGIN": self.frame_origin, "CVV_LINK_URL": self.cvv_link_url, **parents}

    def frame_problems(self) -> list[str]:
        """What keeps the program `web` from running: it has the frame's certificate and none of the vault's secrets."""
        files = self.tls_of("frame")
        missing = [
            f"VAULT_TLS_CERT: there is no readable file {path}, which the frame's program needs."
            for path in (files.ca, files.cert, files.key)
            if not (path.is_file() and os.access(path, os.R_OK))
        ]
        return missing + (self._not_fit_for_production() if self.environment == "production" else [])

    def charging_problems(self) -> list[str]:
        """What keeps the program `charging` from running, beside what keeps the vault from it."""
        found = []
        if self.stripe_url not in self.gateway_hosts:
            found.append("VAULT_STRIPE_URL: its origin must be on the list VAULT_GATEWAY_HOSTS.")
        if os.environ.get("STRIPE_LOG"):
            found.append("STRIPE_LOG: the library would print requests with the cards in them. Unset it.")
        if self.environment == "production":
            if not self.charging_database_url and not self.database_url.startswith("sqlite"):
                found.append("VAULT_CHARGING_DATABASE_URL: charging needs a database role of its own.")
            found += [
                f"VAULT_GATEWAY_HOSTS: {host} must be https." for host in self.gateway_hosts if "https://" not in host
            ]
        return found

    def problems(self) -> list[str]:
        files = {"LETTER_SIGNING_KEY": self.letter_signing_key, "NOTIFIER_LETTER_KEY": self.notifier_letter_key}
        missing = [
            f"VAULT_{label}: there is no readable file {path}. `make certificates` makes it for development."
            for label, path in files.items()
            if not path.is_file()
        ]
        if not self.secret_key.get_secret_value():
            missing.append(self._missing_secret_key())
        if self.environment == "production" and self.embedded_transit:
            missing.append(
                "VAULT_TRANSIT_URL: the embedded keyring is for one machine; production needs a Vault server."
            )
        swap = swap_problems() if self.environment == "production" else []
        return [*super().problems(), *missing, *swap]
