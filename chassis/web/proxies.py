"""The client's address behind reverse proxies, understood once for all sites (X-Forwarded-For, RFC 7239 Forwarded).

Each trusted proxy adds the address it was called from at the right end; so with n of them the nth entry from the right
was written by a machine of ours, and everything left of it by whoever likes.
"""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from flask import Flask

_Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]  # Any: WSGI's environment and start_response
# A chain beyond this was not written by proxies.
_LONGEST = 4000


class ProxySettings(Protocol):
    """What is read of a site's settings."""

    @property
    def trusted_proxies(self) -> int: ...

    @property
    def proxy_header(self) -> str: ...


def install_proxies(app: Flask, settings: ProxySettings, *, https: bool) -> None:
    """Lets the app see the client's address as REMOTE_ADDR, and the scheme that browsers use."""
    inner: _Wsgi = app.wsgi_app

    def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if settings.trusted_proxies:
            environ["REMOTE_ADDR"] = client_address(
                peer=str(environ.get("REMOTE_ADDR", "")),
                forwarded_for=str(environ.get("HTTP_X_FORWARDED_FOR", "")),
                forwarded=str(environ.get("HTTP_FORWARDED", "")),
                hops=settings.trusted_proxies,
                header=settings.proxy_header,
            )
            environ["wsgi.url_scheme"] = "https" if https else "http"
        return inner(environ, start_response)

    app.wsgi_app = run  # type: ignore[method-assign]  # as Flask's own documentation wraps it


def client_address(*, peer: str, forwarded_for: str, forwarded: str, hops: int, header: str) -> str:
    """The client's IP address, or the peer's where the proxies' header does not say one.

    With `header` "x-forwarded-for", Forwarded is read only when the first is absent: a proxy that writes
    X-Forwarded-For passes on whatever its client said in the other.
    """
    if header == "forwarded" or not forwarded_for:
        entries = [_node(element) for element in _elements(forwarded)]
    else:
        entries = forwarded_for[-_LONGEST:].split(",")
    if len(entries) < hops:
        return peer
    return _address(entries[-hops]) or peer


def _elements(forwarded: str) -> list[str]:
    """What our proxies wrote has no comma within quotes; a quote that a client opened must not swallow it."""
    return forwarded[-_LONGEST:].split(",") if forwarded else []


def _node(element: str) -> str:
    """The value of `for` in one element: `for="[2001:db8::1]:4711";proto=https`."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""


def _address(node: str) -> str:
    """The IP address of `203.0.113.7`, `203.0.113.7:80`, `[2001:db8::1]:80` or `2001:db8::1`; "" of anything else."""
    text = node.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
