"""Agents and clients as their browsers speak HTTP, without the cost of a browser; the frame's sealing in Python.

For what a test or a measurement needs to have happened, not for what it is about.
"""

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pyotp
import requests

from tests.support.vault_kit import Frame

_TIMEOUT = 30.0
# The stream asks browsers for it ("retry: 1000").
_RECONNECT_SECONDS = 1.0
_BOOKING = re.compile(r'href="/bookings/([a-z]+_[a-z2-7]+)"')
_LINK = re.compile(r"https?://\S+/pay/(\S+)#(\S+)")


def ask(url: str, **options: Any) -> requests.Response:  # Any: requests' own options
    """GETs a page of *.localhost, which browsers take for this machine and resolvers often don't know."""
    at, host = _loopback(url)
    answer = requests.get(at, headers={"Host": host}, timeout=_TIMEOUT, **options)
    answer.raise_for_status()
    return answer


def _loopback(url: str) -> tuple[str, str]:
    """The URL by address, and the host that it names."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl(), parts.netloc


class PageFault(RuntimeError):
    """A page is not what was expected; the text says which."""


class Browser:
    """Cookies and the form token of the page it saw last."""

    def __init__(self, origin: str, cookies: Mapping[str, str] | None = None) -> None:
        self.origin = origin
        self._session = requests.Session()
        self._at, self._session.headers["Host"] = _loopback(origin)
        self._session.cookies.update(cookies or {})
        self._token = ""

    def another_window(self) -> "Browser":
        """One more window of the same browser: what it does at the same time is its own, the sign-in is shared."""
        made = Browser(self.origin, dict(self._session.cookies))
        made._token = self._token
        return made

    @property
    def cookies(self) -> dict[str, str]:
        """What it would show to another server of the same site."""
        return self._session.cookies.get_dict()

    def get(self, path: str) -> str:
        """The page at a path of this origin. Raises PageFault unless it answers well."""
        return self._seen(self._session.get(self._at + path, timeout=_TIMEOUT))

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Sends a form, and gives the page to which it leads."""
        body = {"csrf_token": self._token, **fields}
        return self._seen(self._session.post(self._at + path, data=body, timeout=_TIMEOUT))

    def send(
        self, path: str, fields: dict[str, str] | None = None, *, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Sends a form, or `body` as JSON, as a page's script does; gives the JSON answer."""
        headers = {"Accept": "application/json", "X-CSRFToken": self._token}
        answer = self._session.post(self._at + path, data=fields, json=body, headers=headers, timeout=_TIMEOUT)
        if not answer.ok:
            raise PageFault(f"{urlsplit(answer.url).path}: {answer.status_code} {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found

    def stream(self, path: str) -> requests.Response:
        """Server-sent events."""
        answer = self._session.get(self._at + path, timeout=_TIMEOUT, stream=True)
        if not answer.ok:
            raise PageFault(f"{path}: {answer.status_code}")
        return answer

    def _seen(self, answer: requests.Response) -> str:
        if not answer.ok:
            words = re.sub(r"<[^>]+>|\s+", " ", answer.text)
            raise PageFault(f"{urlsplit(answer.url).path}: {answer.status_code} {words[:600]}")
        if found := re.search(r'name="csrf-token" content="([^"]+)"', answer.text):
            self._token = found[1]
        return answer.text


class Agent:
    """Sends links, listens to the alert."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @property
    def browser(self) -> Browser:
        """Their browser, for what has no method here."""
        return self._browser

    @classmethod
    def signing_in(cls, crm: str, *, email: str, password: str, totp_secret: str) -> "Agent":
        """Raises PageFault."""
        browser = Browser(crm)
        browser.get("/sign-in")
        browser.post("/sign-in", {"email": email, "password": password})
        browser.post("/sign-in/code", {"code": pyotp.TOTP(totp_secret).now()})
        return cls(browser)

    def send_links(self, at_least: int) -> None:
        """Sends links to all passengers of a booking, until there are that many. Raises PageFault."""
        booking, sent = self.first_booking(), 0
        while sent < at_least:
            sent += self.send_link(booking, amount="10.00", purpose="Bench", people=None)

    def send_link(
        self, booking_id: str, *, amount: str, purpose: str, people: int | None = 1, fee: bool = False
    ) -> int:
        """Asks that many first passengers of a booking, or all, for an amount each; gives how many they are. `fee`: it
        is the agency's own.

        Raises PageFault.
        """
        form = self.link_form(booking_id, amount=amount, purpose=purpose, people=people)
        if fee:
            form.fields |= {"segment_id": "none", "type": "service_fee"}
        form.send()
        return form.people

    def link_form(self, booking_id: str, *, amount: str, purpose: str, people: int | None = 1) -> "LinkForm":
        """The form of `send_link`, filled in and not sent yet. Raises PageFault."""
        path = f"/links/new/{booking_id}"
        page = self._browser.get(path)
        picks = sorted(set(re.findall(r'name="pick_(\d+)"', page)))[:people]
        key = re.search(r'name="request_key"[^>]*value="([^"]+)"', page)
        segment = re.search(r'<option[^>]*value="(seg[^"]+)"', page)
        if not picks or key is None or segment is None:
            raise PageFault(f"{path}: the form is not as expected")
        fields = {"request_key": key[1], "segment_id": segment[1], "type": "deposit", "purpose": purpose}
        shares = {name: value for index in picks for name, value in _share(index, amount).items()}
        return LinkForm(self._browser, path, {**fields, **shares, "overpay_ok": "y"}, people=len(picks))

    def first_booking(self) -> str:
        """Raises PageFault when there is none."""
        bookings = _BOOKING.findall(self._browser.get("/bookings"))
        if not bookings:
            raise PageFault("/bookings: there is no booking")
        return str(bookings[0])

    def listen(self) -> "AlertListener":
        """Opens the stream that the red alert lives on."""
        return AlertListener(self._browser)


def _share(index: str, amount: str) -> dict[str, str]:
    return {f"pick_{index}": "y", f"amount_{index}": amount}


class LinkForm:
    """A form that asks passengers to pay; sent again after a fault, it asks nobody twice."""

    def __init__(self, browser: Browser, path: str, fields: dict[str, str], *, people: int) -> None:
        self._browser, self._path, self.fields = browser, path, fields
        self.people = people

    def send(self) -> None:
        """Raises PageFault."""
        self._browser.post(self._path, self.fields)


class AlertListener:
    """Knows when the agent's count of pending payments first reached each number."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._changed = threading.Condition()
        self._reached: dict[int, float] = {}
        self._latest = 0
        self._over = threading.Event()
        threading.Thread(target=self._listen, name="alert-listener", daemon=True).start()

    def wait(self, count: int, seconds: float) -> float:
        """When (monotonic) the stream first told that number or a higher one. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._latest >= count, seconds):
                raise TimeoutError(f"the alert did not reach {count} within {seconds:g} s")
            return min(at for number, at in self._reached.items() if number >= count)

    def first(self, seconds: float) -> int:
        """The number that the stream told first. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._reached, seconds):
                raise TimeoutError(f"the alert tells nothing within {seconds:g} s")
            return next(iter(self._reached))

    def close(self) -> None:
        self._over.set()

    def _listen(self) -> None:
        """The server ends a stream after a minute; the next one is opened at once, or in a second when it broke off."""
        while not self._over.is_set():
            try:
                self._listen_once()
            except (requests.RequestException, PageFault):
                self._over.wait(_RECONNECT_SECONDS)

    def _listen_once(self) -> None:
        with self._browser.stream("/alerts/stream") as answer:
            # One byte at a time: no event may wait for the next one in a buffer.
            kind = b""
            for line in answer.iter_lines(chunk_size=1):
                if line.startswith(b"event: "):
                    kind = line[7:]
                elif line.startswith(b"data: ") and kind == b"count":
                    self._tell(int(line[6:]))
                if self._over.is_set():
                    return

    def _tell(self, count: int) -> None:
        with self._changed:
            self._reached.setdefault(count, time.monotonic())
            self._latest = max(self._latest, count)
            self._changed.notify_all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What the client's mail holds."""

    link_id: str
    token: str


def links_in(mails: list[dict[str, Any]]) -> list[Link]:
    """The payment links in messages of the mailbox."""
    found = [match for mail in mails for match in _LINK.findall(mail["text"])]
    return [Link(link_id=link_id, token=token) for link_id, token in found]


class Client:
    """One client with their link: opens the page, then submits."""

    def __init__(self, portal: str, frame: str, link: Link, **card: str) -> None:
        """`card`: what is other than on the usual test card. Raises PageFault."""
        self._browser = Browser(portal)
        self._path = f"/pay/{link.link_id}"
        self._browser.get(self._path)
        page = self._browser.post(f"{self._path}/open", {"token": link.token})
        intake = _attribute(page, r'data-intake="([^"]+)"')
        self.fields = {
            "intake_id": intake,
            "offer_digest": _attribute(page, r'name="offer_digest"[^>]*value="([^"]+)"'),
            "sealed_card": frame_of(frame, portal).card(intake, **card),
            "line1": "12 Harbour Street",
            "city": "Portland",
            "postal_code": "04101",
            "region": "Maine",
            "country": "US",
            "consent": "y",
            "signature_kind": "typed",
            "signature_text": "Eleanor Whitcombe",
        }

    def look(self) -> None:
        """Opens the page of a payment that they have authorized. Raises PageFault."""
        if "Nobody has seen your card" not in self._browser.get(f"{self._path}/status"):
            raise PageFault(f"{self._path}/status: not the page that was expected")

    def submit(self) -> tuple[float, float]:
        """Gives when (monotonic) the request left and when its answer was there. Raises PageFault."""
        began = time.monotonic()
        answer = self._browser.send(f"{self._path}/authorize", self.fields)
        ended = time.monotonic()
        if "/status" not in str(answer.get("next", "")):
            raise PageFault(f"the submission was answered with {json.dumps(answer)[:300]}")
        return began, ended


def frame_of(frame: str, parent: str) -> Frame:
    """The secure frame in a page of that origin. Raises PageFault."""
    page = ask(f"{frame}/capture", params={"kind": "card", "parent": parent}).text
    return Frame(sealing_jwk=_attribute(page, r"""wv-sealing-key" content=["'](.+?)["']>"""))


def _attribute(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    if found is None:
        raise PageFault(f"the page has no {pattern}")
    return unescape(found[1])
