"""Whose request it is behind proxies; what a client says of itself counts for nothing."""

import ipaddress
import re

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.proxies import client_address, install_proxies, network_of
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
        ("", 1, PEER),
        (", ,", 1, PEER),
        ("198.51.100.1, 203.0.113.7, 10.0.0.8, 10.0.0.9", 3, "203.0.113.7"),
        ("203.0.113.7, 10.0.0.9", 3, PEER),
        ("unknown, 10.0.0.9", 2, PEER),
        ("203.0.113.7, unknown", 2, "203.0.113.7"),
        ("[::ffff:203.0.113.7]:80", 1, "203.0.113.7"),
        ("::ffff:cb00:7107", 1, "203.0.113.7"),
        ("fe80::1%eth0", 1, "fe80::1"),
        ("[fe80::1%25eth0]:80", 1, "fe80::1"),
        ('"203.0.113.7"', 1, "203.0.113.7"),
        ("\t203.0.113.7 ", 1, "203.0.113.7"),
        ("203.0.113.007", 1, PEER),
        ("0x7f.1", 1, PEER),
        ("3405803783", 1, PEER),
        ("203.0.113.0/24", 1, PEER),
        ("٢٠٣.0.113.7", 1, PEER),
        ("client.example", 1, PEER),
        ("198.51.100.1, " * 5000 + "203.0.113.7", 1, "203.0.113.7"),
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
        ("for=unknown", PEER),
        ('for=""', PEER),
        (" FOR = 203.0.113.7 ; Proto = https ", "203.0.113.7"),
        ('for="203.0.113.7:_port"', "203.0.113.7"),
        ('for="[::ffff:203.0.113.7]"', "203.0.113.7"),
        ("for=[2001:db8::7]", "2001:db8::7"),
        # A Host that a client chose and the proxy passes on: no comma or sign in it is the list's.
        ('for=203.0.113.7;host="a,for=198.51.100.1"', "203.0.113.7"),
        ('for=203.0.113.7;host="a;for=198.51.100.1"', "203.0.113.7"),
        ('host="a\\",for=198.51.100.1;";for=203.0.113.7', "203.0.113.7"),
        ('secret=";for=198.51.100.1";for=203.0.113.7', "203.0.113.7"),
        # Quotes that a client left open.
        ('for="198.51.100.1, for=203.0.113.7', "203.0.113.7"),
        ('for=198.51.100.1", for="[2001:db8::7]:80"', "2001:db8::7"),
        ('for="198.51.100.1\\", for=203.0.113.7;host="a"', "203.0.113.7"),
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
    host=st.text('ab,;="\\:[] ', max_size=12),
)
def test_whatever_a_client_claims_what_our_own_proxy_saw_is_taken(
    spoofed: list[str], seen: tuple[str, str], proxies: list[tuple[str, str]], rfc: bool, host: str
) -> None:
    written = [entry for entry, _ in [seen, *proxies]]
    if rfc:
        quoted = re.sub(r'(["\\])', r"\\\1", host)
        ours = [f'for="{entry}";host="{quoted}"' for entry in written]
        header = ", ".join([*(f'for="{claim}"' for claim in spoofed), *ours])
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


@pytest.mark.parametrize("hops", [0, 1])
@pytest.mark.parametrize(
    ("peer", "known"),
    [("::ffff:203.0.113.7", "203.0.113.7"), ("2001:DB8::7", "2001:db8::7"), ("", "None"), ("fe80::1%2", "fe80::1")],
)
def test_a_caller_is_the_same_on_every_kind_of_socket(hops: int, peer: str, known: str) -> None:
    app = Flask(__name__)
    app.add_url_rule("/", "where", lambda: f"{request.remote_addr or None}")
    install_proxies(app, GallerySettings(trusted_proxies=hops), https=False)
    assert app.test_client().get("/", environ_base={"REMOTE_ADDR": peer}).text == known


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_the_addresses_of_one_network_are_one_visitor(first: ipaddress.IPv6Address, other: int) -> None:
    second = ipaddress.IPv6Address(int(first) >> 64 << 64 | other)
    assert network_of(str(first)) == network_of(str(second))
    assert network_of("203.0.113.7") != network_of("203.0.113.8")
    assert network_of("") == ""
