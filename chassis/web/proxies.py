"""The client's address behind reverse proxies, understood once for all sites (X-Forwarded-For, RFC 7239 Forwarded).

Each trusted proxy adds the address it was called from at the right end; so with n of them the nth entry from the right
was written by a machine of ours, and everything left of it by whoever likes.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from flask import Flask

_Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]  # Any: WSGI's environment and start_response
# A chain beyond this was not written by proxies.
_LONGEST = 4000
_MOST_ESCAPES = 32
# A parameter of RFC 7239, and its value, quoted or not.
_PAIR = re.compile(r'(?:^|;)[ \t]*([^\s=;"]++)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*+"|[^;]*+)')
_IPV6_SITE = 64


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
        peer = _peer(str(environ.get("REMOTE_ADDR", "")))
        environ["REMOTE_ADDR"] = peer
        if settings.trusted_proxies:
            environ["REMOTE_ADDR"] = client_address(
                peer=peer,
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
        entries = [_node(element) for element in _last_elements(forwarded[-_LONGEST:], hops)]
    else:
        entries = forwarded_for[-_LONGEST:].split(",")
    if len(entries) < hops:
        return peer
    return _address(entries[-hops]) or peer


def network_of(address: str) -> str:
    """The address, or of IPv6 the network: whoever has one address there has all of them. Anything else as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, _IPV6_SITE), strict=False))
    return str(parsed)


def _peer(peer: str) -> str:
    """An IPv4 caller as itself also where the site listens on IPv6 (RFC 4291 §2.5.5.2)."""
    return _address(peer) or peer


def _last_elements(forwarded: str, most: int) -> list[str]:
    """The last elements of the list, parted by its commas but not by those within quotes (a proxy may pass on a Host
    with one). Read from the right, so that a quote which a client left open swallows nothing that our proxies wrote."""
    found: list[str] = []
    end, quoted = len(forwarded), False
    for at in range(len(forwarded) - 1, -1, -1):
        if len(found) == most:
            break
        if forwarded[at] == '"' and not _is_escaped(forwarded, at):
            quoted = not quoted
        elif forwarded[at] == "," and not quoted:
            found.append(forwarded[at + 1 : end])
            end = at
    if len(found) < most and forwarded:
        found.append(forwarded[:end])
    return found[::-1]


def _is_escaped(text: str, at: int) -> bool:
    before = text[max(0, at - _MOST_ESCAPES) : at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _node(element: str) -> str:
    """The value of `for` in one element: `for="[2001:db8::1]:4711";proto=https`."""
    for name, value in _PAIR.findall(element):
        if name.lower() == "for":
            return str(value).strip()
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
