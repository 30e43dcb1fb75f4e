"""Clients who pay and an agent who retrieves, whatever happens; what they are told stands in the ledger."""

import json
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import requests

from tests.bench.submit import links_that_arrived
from tests.chaos.cluster.ledger import Chain, Ledger
from tests.support.people_by_http import Agent, Browser, Client, Link, PageFault, ask, frame_of
from tests.support.stack import Stack
from tests.support.vault_kit import Frame

_MAYA: Final = "maya@harbour.example"
_AGAIN_SECONDS: Final = 0.3
# Longer than any fault here; who is not served by then counts as lost.
_PATIENCE_SECONDS: Final = 240.0
_CLIENTS: Final = 2
# So that a fault meets payments at every step of their way, and none waits long behind others.
_UNDER_WAY: Final = 4
_NOT_ANSWERED: Final = (requests.RequestException, PageFault)
_CODE: Final = re.compile(r"^\s+(\d{8})\s*$", re.MULTILINE)
# Words of the vault's refusals.
_SHOWN_ALREADY: Final = "ALREADY_REVEALED"
_NO_GOOD_ANY_MORE: Final = ("CODE_WRONG", "CODE_EXPIRED", "CODE_LOCKED")
# More are not sent for one card within an hour.
_MOST_CODES: Final = 3
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment that a client was told is authorized."""

    payment_id: str
    began: float
    authorized: float


class People:
    """Threads that pay and retrieve until `rest`."""

    def __init__(self, stack: Stack, ledger: Ledger) -> None:
        self._stack, self.ledger = stack, ledger
        people = stack.people
        maya = next(agent for agent in people["agents"] if agent["email"] == _MAYA)
        self._agent = Agent.signing_in(
            stack.origins.crm, email=_MAYA, password=people["password"], totp_secret=maya["totp_secret"]
        )
        self._links: deque[tuple[Link, str]] = deque()
        self._used: list[Link] = []
        self._paid: deque[Paid] = deque()
        self._working = threading.Semaphore(_UNDER_WAY)
        self._over = threading.Event()
        self._number = 0
        self._codes: set[str] = set()
        self._threads: list[threading.Thread] = []

    def ask_to_pay(self, wanted: int) -> None:
        """Sends links until so many are left. In quiet times only. Raises TimeoutError."""
        missing = wanted - len(self._links)
        if missing <= 0:
            return
        found = links_that_arrived(self._stack.origins.mailbox, self._agent, missing, used=self._used)
        self._used += found
        rows = self._stack.query("crm", "SELECT id, payment_id FROM payment_link")
        payments = {row.id: row.payment_id for row in rows}
        self._links.extend((link, payments[link.link_id]) for link in found)

    def work(self) -> None:
        """Begins."""
        self._over.clear()
        jobs: list[Callable[[], None]] = [*[self._pay] * _CLIENTS, self._retrieve]
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def rest(self) -> None:
        """Lets everybody finish what they are at. Raises TimeoutError."""
        self._over.set()
        for thread in self._threads:
            thread.join(3 * _PATIENCE_SECONDS)
            if thread.is_alive():
                raise TimeoutError("somebody still waits for an answer")

    def _pay(self) -> None:
        while not self._over.is_set():
            if not self._working.acquire(timeout=0.2):
                continue
            try:
                link, payment_id = self._links.popleft()
            except IndexError:
                self._working.release()
                self._over.wait(0.5)
                continue
            self._pay_one(link, payment_id)

    def _pay_one(self, link: Link, payment_id: str) -> None:
        origins, name = self._stack.origins, self._name()
        began = time.monotonic()
        try:
            client = self._answered(lambda: Client(origins.portal, origins.frame, link, name=name))
            self._answered(client.submit)
        except TimeoutError as fault:
            self.ledger.note_fault(f"{payment_id} could not be authorized: {fault}")
            self._working.release()
            return
        self.ledger.note_authorized(payment_id, name)
        self._paid.append(Paid(payment_id=payment_id, began=began, authorized=time.monotonic()))

    def _name(self) -> str:
        """No two cards bear the same."""
        self._number += 1
        letters = "".join(chr(ord("A") + int(digit)) for digit in f"{self._number:04}")
        return f"Grace {letters}"

    def _retrieve(self) -> None:
        window = self._agent.browser.another_window()
        while not (self._over.is_set() and not self._paid):
            try:
                paid = self._paid.popleft()
            except IndexError:
                self._over.wait(0.1)
                continue
            try:
                self._retrieve_one(window, paid)
            except (TimeoutError, PageFault) as fault:
                self.ledger.note_fault(f"{paid.payment_id} could not be retrieved: {fault}")
            finally:
                self._working.release()

    def _retrieve_one(self, window: Browser, paid: Paid) -> None:
        page, origins = f"/payments/{paid.payment_id}", self._stack.origins
        self._answered(lambda: self._demand_authorized(window, page))
        alerted = time.monotonic()
        self._answered(lambda: window.get(page))
        frames = [self._answered(lambda: frame_of(origins.frame, origins.crm)) for _ in range(2)]
        for _ in range(_MOST_CODES):
            challenge, code = self._code(window, page)
            if self._show(window, paid, frames, [each.reveal(challenge, code) for each in frames]):
                break
        else:
            self.ledger.note_fault(f"{paid.payment_id}: burned, no window was shown its card")
            return
        self.ledger.note_chain(
            Chain(began=paid.began, authorized=paid.authorized, alerted=alerted, shown=time.monotonic())
        )

    def _code(self, window: Browser, page: str) -> tuple[str, str]:
        """A challenge and the code that was mailed for it. Asked again with one key, it is one code."""
        body = {"request_key": str(uuid.uuid4()), "supplier_ready": True}
        sent = self._answered(lambda: window.send(f"{page}/code", body=body))
        return sent["challenge_id"], self._answered(self._newest_code)

    def _show(self, window: Browser, paid: Paid, frames: list[Frame], sealed: list[str]) -> bool:
        """Two windows know the code. The first asks; when it was not answered, the other, and so on in turns, as a
        person might who opens the page once more. Whoever is shown it is noted; then the other one asks until they are
        refused. Gives whether one was shown it; false when the code is used up or has ended."""
        ends, open_ones = time.monotonic() + _PATIENCE_SECONDS, deque(range(len(frames)))
        while open_ones and time.monotonic() < ends:
            who = open_ones[0]
            try:
                answer = window.send(f"/payments/{paid.payment_id}/reveal", body={"jwe": sealed[who]})
            except _NOT_ANSWERED as fault:
                said = str(fault)
                if _SHOWN_ALREADY in said:
                    open_ones.remove(who)
                elif any(code in said for code in _NO_GOOD_ANY_MORE):
                    break
                else:
                    open_ones.rotate(1)
                time.sleep(_AGAIN_SECONDS)
            else:
                self._note_shown(paid.payment_id, frames[who], answer)
                open_ones.remove(who)
        return bool(self.ledger.shown.get(paid.payment_id))

    def _note_shown(self, payment_id: str, frame: Frame, answer: dict[str, Any]) -> None:
        name = frame.opened(answer["jwe"], "wv-card+jwe")["name"]
        self.ledger.note_shown(payment_id, id(frame), name)

    @staticmethod
    def _demand_authorized(window: Browser, page: str) -> None:
        """What the red alert counts. Raises PageFault while the CRM does not know of it."""
        state = json.loads(window.get(f"{page}/state"))["state"]
        if state != "authorized":
            raise PageFault(f"{page}: {state}")

    def _newest_code(self) -> str:
        """One that was not tried yet; there is one payment at a time. Raises PageFault while none has come."""
        mails = ask(f"{self._stack.origins.mailbox}/messages.json", params={"to": _MAYA}).json()
        for mail in mails:
            if mail["id"] not in self._codes and (found := _CODE.search(mail["text"])):
                self._codes.add(mail["id"])
                return found[1]
        raise PageFault("no code yet")

    def _answered(self, make: Callable[[], Made]) -> Made:
        """What is made, tried again until it is answered. Raises TimeoutError."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return make()
            except _NOT_ANSWERED as fault:
                if time.monotonic() > ends:
                    raise TimeoutError(str(fault)[:300]) from fault
                time.sleep(_AGAIN_SECONDS)
