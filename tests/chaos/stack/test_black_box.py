"""From outside, against all sites of the stack at once: who sends slowly, long or to another name; a held database."""

import http.client
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import World
from tests.e2e.page_maps import crm_map, portal_map
from tests.e2e.people import ELEANOR
from tests.e2e.portal_people import client_with_account
from tests.integration.access.entry import Door

# What slow strangers may add to what a page takes by itself, which depends on the machine.
LONGEST_SECONDS = 2.0
STREAMS = 200
SLOW = 50
# All pages take minutes; each has the same server before it.
EACH = 12


def ask(
    origin: str, path: str, *, body: bytes | None = None, host: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, str, float]:
    """Status, text and seconds of an answer."""
    parts, began = urlsplit(origin), time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)) as connection:
        sent = {"Host": host or parts.netloc, **(headers or {})}
        connection.request("POST" if body is not None else "GET", path, body=body, headers=sent)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace"), time.monotonic() - began


def cookies_of(page: Page, origin: str) -> dict[str, str]:
    kept = page.context.cookies(origin)
    return {"Cookie": "; ".join(f"{each.get('name')}={each.get('value')}" for each in kept)}


def _hold(held: ExitStack, origin: str, count: int, sent: str) -> list[socket.socket]:
    parts, made = urlsplit(origin), list[socket.socket]()
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", parts.port or 80), timeout=20)
        held.enter_context(closing(connection)).sendall(sent.replace("HOST", parts.netloc).encode())
        made.append(connection)
    return made


def test_every_site_answers_beside_slow_idle_and_listening_clients(world: World, tmp_path: Path) -> None:
    as_maya = cookies_of(world.agent().page, world.crm)
    as_eleanor = cookies_of(client_with_account(world, ELEANOR), world.portal)
    frame = world.stack.origins.frame
    doors = {Door.ANYBODY: {}, Door.CLIENTS: as_eleanor, Door.OWN_CLIENT: as_eleanor}
    pages = [(world.crm, seen.path, doors.get(seen.door, as_maya)) for seen in crm_map(world.stack, tmp_path).pages()]
    pages += [(world.portal, seen.path, doors.get(seen.door, {})) for seen in portal_map(world.stack, tmp_path).pages()]
    pages = [*pages[::EACH], *((frame, f"/{mode}?parent={world.portal}", {}) for mode in ("capture", "reveal", "cvv"))]
    alone = [ask(origin, path, headers=headers)[2] for origin, path, headers in pages]
    with ExitStack() as held:
        stream = f"GET /alerts/stream HTTP/1.1\r\nHost: HOST\r\nCookie: {as_maya['Cookie']}\r\n\r\n"
        # Each has begun, or was refused because one agent has several already.
        assert all(each.recv(1) for each in _hold(held, world.crm, STREAMS, stream))
        for origin in (world.crm, world.portal, frame):
            _hold(held, origin, SLOW, "GET / HTTP/1.1\r\nHost: HOST\r\nCookie: ")
            _hold(held, origin, SLOW, "POST /sign-in HTTP/1.1\r\nHost: HOST\r\nContent-Length: 100000\r\n\r\nhalf")
            _hold(held, origin, SLOW, "")
        for (origin, path, headers), before in zip(pages, alone, strict=True):
            status, _, seconds = ask(origin, path, headers=headers)
            assert status < 400, (origin, path, status)
            assert seconds < before + LONGEST_SECONDS, (origin, path, before)


def test_long_texts_are_answered_at_once_and_nobody_elses_name_or_metrics_by_any_site(world: World) -> None:
    origins = world.stack.origins
    for origin in (world.crm, world.portal, origins.frame, origins.mailbox):
        for text in ("4" * 8_000, "4%20" * 7_000, "a@" * 12_000, "(" * 20_000):
            for path in (f"/?q={text}", f"/{text}", f"/capture?parent={text}", f"/pay/{text}", f"/sign-in?next={text}"):
                _is_quick(origin, path)
        for field in ("username", "email", "password"):
            for text in ("4" * 80_000, "4+" * 40_000):
                _is_quick(origin, "/sign-in", body=f"{field}={text}".encode())
        for name in ("evil.example", "evil.example:80", "localhost.evil.example"):
            assert 400 <= ask(origin, "/", host=name)[0] < 500, (origin, name)
        assert "wayvault_" not in ask(origin, "/metrics")[1], origin


def _is_quick(origin: str, path: str, body: bytes | None = None) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    status, _, seconds = ask(origin, path, body=body, headers=kind)
    assert status < 500, (origin, path[:60])
    assert seconds < LONGEST_SECONDS, (origin, path[:60])


@contextmanager
def _held(world: World, service: str) -> Iterator[None]:
    """Somebody else has the service's database to themselves, as a backup by hand would."""
    if world.stack.engine != "embedded":
        pytest.skip("a file is held; PostgreSQL's own locks are tried where its services are")
    with closing(sqlite3.connect(str(world.stack.database(service).url.database), timeout=30)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.rollback()


def test_with_the_portals_database_held_what_a_client_typed_can_be_sent_again(world: World) -> None:
    client = client_with_account(world, ELEANOR)
    client.goto(f"{world.portal}/profile/edit")
    client.get_by_label("City").fill("Albuquerque")
    with _held(world, "portal"):
        client.get_by_role("button", name="Save details").press("Enter")
        expect(client.get_by_text("Nothing was saved")).to_be_visible(timeout=20_000)
    client.get_by_role("button", name="Send it again").press("Enter")
    expect(client.get_by_text("Albuquerque")).to_be_visible()


def test_with_the_portals_database_held_a_submitted_card_goes_through_afterwards(world: World) -> None:
    link, payment = world.given_link(world.agent())
    client = world.client()
    client.open(link)
    client.fill_all()
    with _held(world, "portal"):
        client.submit()
        expect(client.summary).to_be_visible(timeout=20_000)
    client.submit_until_accepted()
    world.until_authorized(world.agent(), payment)
