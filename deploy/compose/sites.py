"""The names under which browsers reach the sites, and what the proxy in front of them listens on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

SITES = ("crm", "portal", "card", "mail")
_HTTPS = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Where one stack's sites are. `hosts` has a name for each of `SITES`; without "mail" no mailbox page is served.

    Without `certificate` and `key` (PEM files) the development authority makes them. In production, services refuse
    what suits a developer's machine only, and `notifier` says how mail leaves (settings of the notifier). `phone` is
    the address of this host that telephones and trunks reach; empty: no payments by phone.
    """

    hosts: Mapping[str, str]
    port: int
    address: str = "127.0.0.1"
    certificate: Path | None = None
    key: Path | None = None
    production: bool = False
    notifier: Mapping[str, str] = field(default_factory=dict)
    phone: str = ""

    def origin(self, site: str) -> str:
        """https://name, with the port where it is not the usual one."""
        return f"https://{self.hosts[site]}" + ("" if self.port == _HTTPS else f":{self.port}")

    @property
    def served(self) -> tuple[str, ...]:
        """The sites that this stack has."""
        return tuple(site for site in SITES if site in self.hosts)


def on_this_machine(port: int, *, phone: str = "") -> Sites:
    """The development names, which every browser takes for this machine."""
    return Sites(hosts={site: f"{site}.localhost" for site in SITES}, port=port, phone=phone)


def is_address(text: str) -> bool:
    """Whether it is an IPv4 address, as the networks of the containers have them."""
    try:
        return bool(IPv4Address(text))
    except ValueError:
        return False
