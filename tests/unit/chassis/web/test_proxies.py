"""Whose request it is behind proxies; what a client says of itself counts for nothing."""

import ipaddress

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.proxies import client_address, install_proxies
from tests.support.gallery import GallerySettings

PEER = "10.0.0.2"
WRITTEN = st.one_of(
    st.ip_addresses(v=4).map(lambda ip: (str(ip), str(ip))),
    st.ip_addresses(v=6).map(lambda ip: (str(ip), str(ip))),
    st.tuples(st.ip_addresses(v=4), st.integers(1, 65535)).map(lambda given: (f"{given[0]}:{given[1]}", str(given[0]))),
    st.tuples(st.ip_addresses(v=6), st.integers(1, 65535)).map(
        lambda given: (f"[{given[0]}]:{given[1]}", str(given[0]))
    ),
)


def address(forwarded_for: str = "", forwarded: str = "", hops: int = 1, header: str = "x-forwarded-for") -> str:
    return client_address(peer=PEER, forwarded_for=forwarded_for, forwarded=forwarded, hops=hops, header=header)


@pytest.mark.parametrize(
    ("forwarded_for", "hops", "client"),
    [
        ("203.0.113.7", 1, "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", 1, "203.0.113.7"),
        ("198.51.100.1,203.0.113.7 , 10.0.0.9", 2, "203.0.113.7"),
        ("203.0.113.7:51234", 1, "203.0.113.7"),
        ("[2001:db8::7]:443", 1, "2001:db8::7"),
        ("2001:DB8:0:0::7", 1, "2001:db8::7"),
        ("::ffff:203.0.113.7", 1, "203.0.113.7"),
        ("203.0.113.7", 2, PEER),
        ("203.0.113.7, unknown", 1, PEER),
        ("203.0.113.7, ", 1, PEER),
        ("<script>", 1, PEER),
    ],
)
def test_hops_are_counted_from_our_side_and_ports_and_ipv6_understood(
    forwarded_for: str, hops: int, client: str
) -> None:
    assert address(forwarded_for, hops=hops) == client


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ('For="[2001:db8::7]:4711";proto=https;by=10.0.0.1', "2001:db8::7"),
        ("for=198.51.100.1, for=203.0.113.7;host=crm.example", "203.0.113.7"),
        ('for="198.51.100.1, for=10.9.9.9";host="a,b", for=203.0.113.7', "203.0.113.7"),
        ("for=_hidden", PEER),
        ("proto=https", PEER),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(forwarded: str, client: str) -> None:
    assert address(forwarded=forwarded) == client
    assert address("198.51.100.99", forwarded, header="forwarded") == client


def test_beside_x_forwarded_for_nobody_is_believed_who_says_forwarded() -> None:
    assert address("203.0.113.7", "for=198.51.100.1") == "203.0.113.7"


@given(
    spoofed=st.lists(st.text(max_size=30), max_size=4),
    seen=WRITTEN,
    proxies=st.lists(WRITTEN, max_size=3),
    rfc=st.booleans(),
)
def test_whatever_a_client_claims_what_our_own_proxy_saw_is_taken(
    spoofed: list[str], seen: tuple[str, str], proxies: list[tuple[str, str]], rfc: bool
) -> None:
    written = [entry for entry, _ in [seen, *proxies]]
    if rfc:
        header = ", ".join([*(f'for="{claim}"' for claim in spoofed), *(f'for="{entry}"' for entry in written)])
        found = address(forwarded=header, hops=len(written), header="forwarded")
    else:
        found = address(", ".join([*spoofed, *written]), hops=len(written))
    assert ipaddress.ip_address(found) == (
        getattr(ipaddress.ip_address(seen[1]), "ipv4_mapped", None) or ipaddress.ip_address(seen[1])
    )


@pytest.mark.parametrize(("hops", "client"), [(0, "127.0.0.1"), (1, "203.0.113.7")])
def test_without_a_trusted_proxy_every_such_header_is_ignored(hops: int, client: str) -> None:
    app = Flask(__name__)
    app.add_url_rule("/", "where", lambda: f"{request.remote_addr} {request.scheme}")
    install_proxies(app, GallerySettings(trusted_proxies=hops), https=False)
    headers = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=198.51.100.1", "X-Forwarded-Proto": "https"}
    assert app.test_client().get("/", headers=headers).text == f"{client} http"
