"""kill -9 of Kamailio, vault, CRM and notifier at every field of a call: said within 3 s, stored once, no digit left.

The whole stack, two telephones, the agent by HTTP. The masker's own death: test_kill.
"""

import json
import os
import re
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.phone.demo_call import DemoCall
from tests.support.canary import Canary, Scanner
from tests.support.people_by_http import Agent, Browser, PageFault
from tests.support.stack import Stack, running

# The stack itself takes minutes to start on a machine that is busy otherwise.
pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(900)]

CARD = Canary(number="4000056655665556", cvv="737")
# What was keyed of the number when the process was killed.
HALF = Canary(number=CARD.number[:8], cvv=CARD.cvv)
FIELDS = {"number": CARD.number, "expiry": "1134", "cvv": CARD.cvv}
HOLDER = {"name": "Ana Client", "line1": "1 Bridge Street", "city": "Arlington", "region": "VA", "country": "US"}
# What the panel is told of; the CRM's own death its page notices, and of the notifier nothing in the call depends.
TOLD = {"kamailio-sip": "The telephone exchange does not answer", "vault-serve": "The vault does not answer"}
SOON = 3.0


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running("embedded", crowd=0) as started, started.phones():
        yield started


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Browser:
    _give_time(_signed_in(stack, "Ada"))
    return _signed_in(stack, "Maya")


def _signed_in(stack: Stack, name: str) -> Browser:
    person = next(one for one in stack.people["agents"] if one["name"].startswith(name))
    named = {each: person[each] for each in ("email", "password", "totp_secret")}
    return Agent.signing_in(stack.origins.crm, **named).browser


def _give_time(admin: Browser) -> None:
    """A field waits longer than any process takes to come back."""
    path = "/phone/settings"
    script = _found(r'(?s)<textarea[^>]*name="script"[^>]*>(.*?)</textarea>', admin.get(path))
    times = {"field_seconds": "180", "idle_seconds": "900", "total_seconds": "3600"}
    admin.post(path, {"order": "number,expiry,cvv", "script": unescape(script), **times})


class Session:
    """A payment by phone, from its form to the tied call."""

    def __init__(self, stack: Stack, browser: Browser, undo: ExitStack) -> None:
        self.stack, self.browser = stack, browser
        self.call = DemoCall(stack.state, undo)
        self.payment = self._payment()
        opened = browser.send(f"/payments/{self.payment}/phone/start", body={"agreed": True})
        self.path, self.stream = f"/phone/{opened['call']}", opened["stream"]
        self.call.pin(opened["pin"])
        _until(lambda: self.progress()["state"] == "tied", "the call to be tied")

    def _payment(self) -> str:
        (booking,) = self.stack.query(
            "crm", "SELECT id FROM booking WHERE title = :title", title="Norwegian fjords for the Whitcombes"
        )
        path = f"/bookings/{booking[0]}/phone"
        page = self.browser.get(path)
        fields = {
            "request_key": _found(r'name="request_key"[^>]*value="([^"]+)"', page),
            "client_id": _found(r'<option[^>]*value="(cli[^"]+)"', page),
            "segment_id": _found(r'<option[^>]*value="(seg[^"]+)"', page),
            "type": "deposit",
            "amount": f"{10 + secrets.randbelow(90)}.{secrets.randbelow(100):02}",
            "purpose": "By phone",
        }
        return _found(r'data-payment="([^"]+)"', self.browser.post(path, fields))

    def progress(self) -> dict[str, Any]:
        """What the panel is told next."""
        with self.browser.stream(self.stream) as answer:
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith("data: ") and "fields" in line:
                    told: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    return told
        raise PageFault("the stream told no progress")

    def key(self, field: str, digits: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """The client keys a field; in the middle of it something happens."""
        self.browser.send(f"{self.path}/field", body={"field": field})
        half = len(digits) // 2
        self.call.client.key(digits[:half], by="both")
        self.call.client.keyed()
        _until(lambda: self.progress()["fields"][field]["digits"] == half, f"half of the {field} to be shown")
        meanwhile()
        self.call.key(digits[half:], by="both")
        _until(lambda: self.progress()["fields"][field]["taken"], f"the {field} to be taken")

    def finish(self) -> dict[str, Any]:
        return self.browser.send(f"{self.path}/finish", body=HOLDER)


def _found(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    assert found is not None, pattern
    return found[1]


def _until(condition: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
    ends = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (PageFault, OSError):
            pass
        assert time.monotonic() < ends, f"waited in vain for {what}"
        threading.Event().wait(0.05)


def _says_it_soon(session: Session, victim: str) -> None:
    """The agent reads of it while it lasts."""
    died = time.monotonic()
    if victim == "crm-web":
        with pytest.raises(requests.ConnectionError):
            session.progress()
    elif victim in TOLD:
        _until(lambda: TOLD[victim] in session.progress()["silent"], "the panel to say so")
    assert time.monotonic() - died < SOON


@pytest.mark.parametrize("victim", [*TOLD, "crm-web", "notifier-worker"])
def test_a_process_is_killed_while_each_field_is_keyed(stack: Stack, browser: Browser, victim: str) -> None:
    with ExitStack() as undo:
        session = Session(stack, browser, undo)

        def killed() -> None:
            with stack.without(victim, kill=True):
                _says_it_soon(session, victim)
                _no_digit_is_left(stack.state.root)
            _until(lambda: session.progress()["silent"] == "", "the panel to say no more of it")

        for field, digits in FIELDS.items():
            session.key(field, digits, killed)
        session.finish()
        session.call.hang_up()
    _stored_once(stack, session.payment)
    _no_digit_is_left(stack.state.root)


def test_a_vault_that_died_before_the_card_is_stored_is_said_and_can_be_asked_again(
    stack: Stack, browser: Browser
) -> None:
    with ExitStack() as undo:
        session = Session(stack, browser, undo)
        for field, digits in FIELDS.items():
            session.key(field, digits)
        with stack.without("vault-serve", kill=True):
            begun = time.monotonic()
            with pytest.raises(PageFault, match="503"):
                session.finish()
            assert time.monotonic() - begun < SOON
            assert not _cards_of(stack, session.payment)
        _until(lambda: bool(session.finish()), "the vault to take the card")
        session.call.hang_up()
    _stored_once(stack, session.payment)
    _no_digit_is_left(stack.state.root)


@contextmanager
def _dying_over_the_card(stack: Stack, session: Session) -> Iterator[None]:
    """*Store card* is pressed and the vault has the card, but the CRM can't write that down: its database is held."""
    vault = stack.processes["vault-serve"].popen
    assert vault is not None
    with ThreadPoolExecutor(1) as pool, stack.database("crm").connect() as held:
        os.killpg(vault.pid, signal.SIGSTOP)
        try:
            pressed = pool.submit(session.finish)
            _until(lambda: _call_of(stack, session)[1] is not None, "what is to be stored to be written down")
            held = held.execution_options(isolation_level="AUTOCOMMIT")
            held.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            os.killpg(vault.pid, signal.SIGCONT)
        _until(lambda: bool(_cards_of(stack, session.payment)), "the vault to have the card")
        yield
        held.exec_driver_sql("ROLLBACK")
        assert isinstance(pressed.exception(timeout=60), (requests.ConnectionError, PageFault))


def _call_of(stack: Stack, session: Session) -> tuple[str, object]:
    (row,) = stack.query("crm", "SELECT result, storing_at FROM phone_call WHERE payment_id = :id", id=session.payment)
    return row.result, row.storing_at


def _cards_of(stack: Stack, payment: str) -> list[str]:
    return [row[0] for row in stack.query("vault", "SELECT last4 FROM cards WHERE payment_id = :id", id=payment)]


@pytest.mark.parametrize("victims", [("crm-web",), ("crm-web", "vault-phone")], ids=["crm", "crm and masker"])
def test_a_card_is_not_lost_with_whoever_stored_it(stack: Stack, browser: Browser, victims: tuple[str, ...]) -> None:
    """Nobody presses *Store card* again: the worker finds the card, and its payment is pending."""
    with ExitStack() as undo:
        session = Session(stack, browser, undo)
        for field, digits in FIELDS.items():
            session.key(field, digits)
        with ExitStack() as dead:
            with _dying_over_the_card(stack, session):
                dead.enter_context(stack.without(*victims, kill=True))
            assert _call_of(stack, session)[0] == ""
        session.call.hang_up()
    _until(lambda: _call_of(stack, session) == ("stored", None), "the worker to settle the call")
    _stored_once(stack, session.payment)
    _no_digit_is_left(stack.state.root)


def _stored_once(stack: Stack, payment: str) -> None:
    assert _cards_of(stack, payment) == [CARD.number[-4:]]
    (state,) = stack.query("crm", "SELECT state FROM payment WHERE id = :id", id=payment)
    assert state[0].lower() == "authorized"


def _no_digit_is_left(root: Path) -> None:
    scanner = Scanner([CARD, HALF])
    planted = [root / "planted.txt", root / "half.txt"]
    for file, canary in zip(planted, (CARD, HALF), strict=True):
        file.write_text(f"found: {canary.number};", "utf-8")
    try:
        assert sorted(scanner.find_in_tree(root)) == sorted(map(str, planted))
    finally:
        for file in planted:
            file.unlink()
    assert not list(root.rglob("core*"))
    assert not list(Path.cwd().glob("core*"))
