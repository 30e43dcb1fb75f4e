"""Signed messages of the simulated gateway (docs.stripe.com/webhooks): late, doubled and out of order, as promised."""

import contextlib
import hashlib
import hmac
import json
import queue
import random
import threading
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

_PATIENCE = 5.0
_TRIES = 4


def signed(body: bytes, secret: str, at: int) -> str:
    """The header that Stripe would send (docs.stripe.com/webhooks/signature)."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def event(kind: str, told: dict[str, Any], number: int) -> bytes:
    """A message about an object as it is now."""
    made = {"id": f"evt_{number:06d}", "object": "event", "type": kind, "data": {"object": told}}
    return json.dumps(made).encode()


class Mailer(threading.Thread):
    """Delivers messages to the endpoints: some twice, later ones before earlier ones, each again until it is taken."""

    def __init__(self, seed: int = 13) -> None:
        super().__init__(daemon=True)
        self._due: queue.PriorityQueue[tuple[float, int, str, str, bytes, int]] = queue.PriorityQueue()
        self._chance = random.Random(seed)
        self._numbers = iter(range(10**9))

    def send(self, url: str, secret: str, body: bytes) -> None:
        for _ in range(self._chance.choice((1, 1, 2))):
            self._put(self._chance.uniform(0.0, 2.0), url, secret, body, _TRIES)

    def run(self) -> None:
        while True:
            at, _, url, secret, body, tries = self._due.get()
            time.sleep(max(0.0, at - time.monotonic()))
            if not _taken(url, secret, body) and tries > 1:
                self._put(2.0, url, secret, body, tries - 1)

    def _put(self, after: float, url: str, secret: str, body: bytes, tries: int) -> None:
        self._due.put((time.monotonic() + after, next(self._numbers), url, secret, body, tries))


def _taken(url: str, secret: str, body: bytes) -> bool:
    headers = {"Content-Type": "application/json", "Stripe-Signature": signed(body, secret, int(time.time()))}
    parts = urlsplit(url)
    if str(parts.hostname).endswith(".localhost"):
        # This very machine (RFC 6761), which not every resolver knows.
        headers["Host"], url = parts.netloc, parts._replace(netloc=f"127.0.0.1:{parts.port or 80}").geturl()
    with contextlib.suppress(OSError):
        request = urllib.request.Request(url, body, headers)
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
            return bool(answer.status < 300)
    return False
