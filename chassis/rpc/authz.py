"""Who may call what: one table per server, per method, by the client certificate's SAN; deny by default."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from cryptography.x509 import DNSName, ExtensionNotFound, SubjectAlternativeName, load_pem_x509_certificate

# Every caller whose certificate our authority signed and whose SAN names one of our identities.
ANYONE: Final = frozenset({"*"})
# A method that exists and that nobody may call.
NOBODY: Final[frozenset[str]] = frozenset()

_DOMAIN = ".wayvault.internal"


class AllowListError(ValueError):
    """The table and the services of the server do not match; the server must not start."""


class AllowList:
    """Method ("/package.Service/Method") → identities ("crm") that may call it."""

    def __init__(self, entries: Mapping[str, frozenset[str]]) -> None:
        self._entries = dict(entries)

    def check(self, methods: Iterable[str]) -> None:
        """Raises AllowListError when a served method has no entry, or an entry names no served method."""
        served, listed = set(methods), set(self._entries)
        if missing := sorted(served - listed):
            raise AllowListError(f"no entry in the allow-list for {', '.join(missing)}")
        if unknown := sorted(listed - served):
            raise AllowListError(f"the allow-list names methods that this server does not have: {', '.join(unknown)}")

    def allows(self, method: str, identity: str) -> bool:
        """Whether `identity` may call `method`. A method that is not listed is denied."""
        allowed = self._entries.get(method, NOBODY)
        return identity in allowed or (allowed is ANYONE and identity != "")


@lru_cache(maxsize=256)
def identity_of(certificate: bytes) -> str:
    """The identity that a certificate (PEM) names by its DNS SAN: "crm" for crm.wayvault.internal.

    Empty when there is none, or more than one: a certificate that could be two callers is nobody. SANs of other kinds
    (URI, e-mail, IP address) name nobody, whatever their text; gRPC hands them over without their kind, so they are
    read from the certificate itself.
    """
    try:
        extensions = load_pem_x509_certificate(certificate).extensions
        dns_names = extensions.get_extension_for_class(SubjectAlternativeName).value.get_values_for_type(DNSName)
    except (ValueError, ExtensionNotFound):
        return ""
    names = {name[: -len(_DOMAIN)] for name in dns_names if name.endswith(_DOMAIN)}
    return names.pop() if len(names) == 1 else ""
