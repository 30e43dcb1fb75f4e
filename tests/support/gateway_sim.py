"""A payment gateway that behaves as Stripe documents: PaymentIntents, refunds, hosted pages, idempotency keys, 3-D
Secure, the published decline cards, signed messages. Stateful, over HTTP; faults on demand.

    python -m tests.support.gateway_sim --port 9307 --journal FILE

With a journal its books survive a kill -9: what was answered is on disk before the answer leaves.

Cards: docs.stripe.com/testing. Tests read `book` to see what exists at the gateway, however its answers got lost.
"""

import argparse
import contextlib
import hashlib
import html
import itertools
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.gateway_money import Till
from tests.support.gateway_notices import Mailer, event

# docs.stripe.com/testing#declined-payments: number → (code, decline_code).
DECLINES = {
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4000000000009987": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "4000000000000069": ("expired_card", "expired_card"),
    "4000000000000127": ("incorrect_cvc", "incorrect_cvc"),
    "4000000000000119": ("processing_error", "processing_error"),
    "4000000000006975": ("card_declined", "card_velocity_exceeded"),
    "4100000000000019": ("card_declined", "fraudulent"),
}
# docs.stripe.com/testing#regulatory-cards. The second is asked for at each charge, whatever was agreed before.
ALWAYS_AUTHENTICATE = {"4000002760003184"}
NEED_AUTHENTICATION = {"4000002500003155", "4000002760003184", "4000000000003220"}
RAW_CARDS_WORDS = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. "
    "To continue processing use Stripe.js, the Stripe mobile bindings, or Stripe Elements."
)

Form = dict[str, str]
Answer = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class Fault:
    """What goes wrong with requests whose path holds `path`: `lost` answers, or `status` 500; before or after the work
    was done."""

    path: str
    after: bool
    status: int = 0
    times: int = 1


@dataclass(slots=True)
class _Numbers:
    """The book's own numbers, which begin anew when it takes up a journal."""

    book: "Book"

    def __iter__(self) -> "_Numbers":
        return self

    def __next__(self) -> int:
        return next(self.book.numbers)


@dataclass(slots=True)
class Book:
    """What exists at the gateway."""

    key: str = "sk_test_simulator0000"
    revoked: set[str] = field(default_factory=set)
    raw_cards: bool = True
    # What its settlement currency asks for, in the charge's minor units.
    least: int = 1
    # Refunds are accepted and settled later (`settle_refund`).
    slow_refunds: bool = False
    origin: str = ""
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    methods: dict[str, str] = field(default_factory=dict)
    # Cards that customers keep here: method → customer, and how an off-session charge of it ends; never a number.
    saved: dict[str, dict[str, Any]] = field(default_factory=dict)
    # (code, decline_code) with which the bank declines every off-session charge; None: as the card is.
    bank_declines: tuple[str, str] | None = None
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    # (kind, body) of every message, oldest first; `mailer` sends them to the endpoints.
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    mailer: Mailer | None = None
    journal: IO[str] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    money: Till = field(init=False)

    def __post_init__(self) -> None:
        self.money = Till(numbers=_Numbers(self), keep=self.keep)

    def paid(self) -> list[dict[str, Any]]:
        """The charges that took money, hosted pages' among them."""
        return [intent for intent in self.intents.values() if intent["status"] == "succeeded"]

    # ---- what outlives the process, and what is told

    def keep(self, what: str, key: str, value: Any) -> None:
        """Notes a change where it survives this process."""
        if self.journal is not None:
            self.journal.write(json.dumps([what, key, value]) + "\n")
            self.journal.flush()

    def resume(self, path: Path) -> None:
        """Takes up what an earlier process noted, and goes on noting."""
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        last = 0
        for line in lines:
            with contextlib.suppress(ValueError):  # a line that a kill cut off was never answered
                what, key, value = json.loads(line)
                last = max(last, int("".join(filter(str.isdigit, key.split("_")[-1])) or 0) if what != "answers" else 0)
                self._take_up(what, key, value)
        self.numbers = itertools.count(last + 1)
        self.journal = path.open("a", encoding="utf-8")

    def _take_up(self, what: str, key: str, value: Any) -> None:
        if what == "refunds":
            self.refunds = [one for one in self.refunds if one["id"] != key] + [value]
        elif what == "detached":
            self.saved.pop(key, None)
        elif what == "endpoints":
            self.endpoints.append(value)
        elif what in ("transactions", "payouts"):
            getattr(self.money, what)[key] = value
        elif what == "answers":
            self.answers[key] = value[0], (value[1][0], value[1][1])
        else:
            getattr(self, what)[key] = value

    def tell(self, kind: str, told: dict[str, Any]) -> None:
        body = event(kind, told, next(self.numbers))
        self.messages.append((kind, body))
        for endpoint in self.endpoints if self.mailer else ():
            self.mailer.send(endpoint["url"], endpoint["secret"], body)  # type: ignore[union-attr]

    # ---- intents

    def make_intent(self, form: Form) -> Answer:
        amount = int(form.get("amount", "0"))
        if amount <= 0:
            return _refusal("parameter_invalid_integer", "Invalid positive integer")
        if amount < self.least:
            return _refusal("amount_too_small", "The amount must convert to at least 50 cents.")
        reference = f"pi_{next(self.numbers):06d}"
        intent = {
            "id": reference,
            "object": "payment_intent",
            "amount": amount,
            "currency": form["currency"],
            "description": form.get("description"),
            "customer": form.get("customer"),
            "setup_future_usage": form.get("setup_future_usage"),
            "payment_method": None,
            "metadata": {"wayvault_charge": form.get("metadata[wayvault_charge]", "")},
            "status": "requires_payment_method",
            "last_payment_error": None,
            "next_action": None,
            "refunded": 0,
        }
        self.intents[reference] = intent
        self.keep("intents", reference, intent)
        return 200, intent

    def make_customer(self, form: Form) -> Answer:
        reference = f"cus_{next(self.numbers):06d}"
        return 200, {"id": reference, "object": "customer"}

    def make_method(self, form: Form) -> Answer:
        """docs.stripe.com/api/payment_methods/create. The number stays in this process: no journal has it."""
        if not self.raw_cards:
            return _refusal("", RAW_CARDS_WORDS)
        if "card[number]" not in form:
            return _refusal("parameter_missing", "Missing required param: card[number].")
        reference = f"pm_{next(self.numbers):06d}"
        self.methods[reference] = form["card[number]"]
        return 200, {"id": reference, "object": "payment_method", "type": "card"}

    def confirm(self, intent: dict[str, Any], form: Form) -> Answer:
        if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
            return _refusal("payment_intent_unexpected_state", "This PaymentIntent's status does not allow it.")
        method = form.get("payment_method", "")
        if method in self.saved:
            return self._confirm_saved(intent, method, off_session=form.get("off_session") == "true")
        number = self.methods.pop(method, None)  # without a customer it may be used once
        if number is None:
            return _refusal("resource_missing", "No such PaymentMethod")
        intent["payment_method"] = method
        if number in DECLINES:
            return self._declined(intent, *DECLINES[number])
        if intent["setup_future_usage"] and intent["customer"]:
            # Attached once the charge has succeeded; one that waits for its bank until then can't be charged.
            self.saved[method] = {"customer": intent["customer"], "asks_always": number in ALWAYS_AUTHENTICATE}
            self.keep("saved", method, self.saved[method])
        if number in NEED_AUTHENTICATION:
            url = f"{self.origin}/3ds/{intent['id']}"
            intent |= {
                "status": "requires_action",
                "return_url": form.get("return_url", ""),
                "next_action": {"type": "redirect_to_url", "redirect_to_url": {"url": url}},
            }
            self._moved(intent)
            return 200, intent
        intent["status"] = "succeeded"
        self._moved(intent)
        return 200, intent

    def _confirm_saved(self, intent: dict[str, Any], method: str, *, off_session: bool) -> Answer:
        """docs.stripe.com/payments/save-during-payment: who is away can't be asked, so that is a decline."""
        kept = self.saved[method]
        if kept["customer"] != intent["customer"]:
            return _refusal("payment_method_customer_decline", "The PaymentMethod belongs to another Customer.")
        if not off_session:
            return _refusal("parameter_missing", "This simulator charges saved cards off session only.")
        intent["payment_method"] = method
        if self.bank_declines:
            return self._declined(intent, *self.bank_declines)
        if kept["asks_always"]:
            return self._declined(intent, "authentication_required", "authentication_required")
        intent["status"] = "succeeded"
        self._moved(intent)
        return 200, intent

    def _declined(self, intent: dict[str, Any], code: str, decline_code: str) -> Answer:
        error = {
            "type": "card_error",
            "code": code,
            "decline_code": decline_code,
            "message": "Your card was declined.",
        }
        intent |= {"status": "requires_payment_method", "last_payment_error": error}
        self._moved(intent)
        return 402, {"error": error}

    def detach(self, method: str) -> Answer:
        """docs.stripe.com/api/payment_methods/detach."""
        if not self.saved.get(method, {}).get("customer"):
            return _refusal("", "The payment method you provided is not attached to a customer.")
        del self.saved[method]
        self.keep("detached", method, None)
        return 200, {"id": method, "object": "payment_method", "customer": None}

    def _moved(self, intent: dict[str, Any]) -> None:
        self.keep("intents", intent["id"], intent)
        if intent["status"] == "succeeded":
            self.money.charged(intent)
        kind = {"requires_payment_method": "payment_failed"}.get(intent["status"], intent["status"])
        self.tell(f"payment_intent.{kind}", intent)

    def cancel(self, intent: dict[str, Any], _: Form) -> Answer:
        if intent["status"] in ("succeeded", "canceled"):
            return _refusal("payment_intent_unexpected_state", "This PaymentIntent can't be canceled.")
        intent |= {"status": "canceled", "next_action": None}
        self._moved(intent)
        return 200, intent

    def authenticate(self, reference: str, *, good: bool) -> None:
        """What the client does at the bank's page."""
        with self.lock:
            intent = self.intents[reference]
            if intent["status"] == "requires_action":
                error = {"code": "payment_intent_authentication_failure", "decline_code": "authentication_required"}
                intent |= (
                    {"status": "succeeded", "next_action": None}
                    if good
                    else {"status": "requires_payment_method", "next_action": None, "last_payment_error": error}
                )
                self._moved(intent)

    # ---- refunds and hosted pages

    def refund(self, form: Form) -> Answer:
        intent = self.intents.get(form.get("payment_intent", ""))
        if intent is None or intent["status"] != "succeeded":
            return _refusal("charge_not_succeeded", "There is nothing to refund.")
        amount = int(form["amount"])
        if intent["refunded"] + amount > intent["amount"]:
            return _refusal("charge_already_refunded", "Refund amount is greater than what is left of the charge.")
        intent["refunded"] += amount
        refund = {
            "id": f"re_{next(self.numbers):06d}",
            "object": "refund",
            "amount": amount,
            "payment_intent": intent["id"],
            "status": "pending" if self.slow_refunds else "succeeded",
            "metadata": {"wayvault_refund": form.get("metadata[wayvault_refund]", "")},
        }
        self.refunds.append(refund)
        self.keep("intents", intent["id"], intent)
        self.keep("refunds", refund["id"], refund)
        self.money.refunded(refund, intent["currency"])
        self.tell("refund.created", refund)
        return 200, refund

    def settle_refund(self, refund: dict[str, Any], status: str, reason: str = "") -> None:
        """The client's bank takes a refund, or sends it back."""
        with self.lock:
            intent = self.intents[refund["payment_intent"]]
            intent["refunded"] -= refund["amount"] if status == "failed" else 0
            refund |= {"status": status} | ({"failure_reason": reason} if reason else {})
            self.keep("intents", intent["id"], intent)
            self.keep("refunds", refund["id"], refund)
            if status == "failed":
                self.money.came_back(refund, intent["currency"])
            self.tell("refund.failed" if status == "failed" else "refund.updated", refund)

    def make_endpoint(self, form: Form) -> Answer:
        """docs.stripe.com/api/webhook_endpoints/create: only here the secret is told."""
        reference = f"we_{next(self.numbers):06d}"
        made = {"id": reference, "object": "webhook_endpoint", "url": form["url"], "secret": f"whsec_{reference}sim"}
        self.endpoints.append(made)
        self.keep("endpoints", reference, made)
        return 200, made

    def make_session(self, form: Form) -> Answer:
        reference = f"cs_test_{next(self.numbers):06d}"
        session = {
            "id": reference,
            "object": "checkout.session",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "url": f"{self.origin}/pay/{reference}",
            "return_url": form.get("success_url", ""),
            "setup_future_usage": form.get("payment_intent_data[setup_future_usage]"),
            "charge": form.get("payment_intent_data[metadata][wayvault_charge]", ""),
        }
        self.sessions[reference] = session
        self.keep("sessions", reference, session)
        return 200, session

    def pay_page(self, reference: str) -> None:
        """What the client does on the hosted page."""
        with self.lock:
            session = self.sessions[reference]
            if session["status"] != "open":
                return
            told = {"metadata[wayvault_charge]": session["charge"], "currency": session["currency"]}
            _, intent = self.make_intent({"amount": str(session["amount_total"]), **told})
            intent["status"] = "succeeded"
            if session["setup_future_usage"]:
                method = f"pm_{next(self.numbers):06d}"
                kept = {"customer": f"cus_{next(self.numbers):06d}", "asks_always": False}
                intent |= {"customer": kept["customer"], "payment_method": method, "setup_future_usage": "off_session"}
                self.saved[method] = kept
                self.keep("saved", method, kept)
            session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent["id"]}
            self._moved(intent)
            self.keep("sessions", reference, session)
            self.tell("checkout.session.completed", session)

    def expire(self, session: dict[str, Any]) -> Answer:
        if session["status"] != "open":
            return _refusal("", "Only open sessions can be expired.")
        session["status"] = "expired"
        self.keep("sessions", session["id"], session)
        return 200, session

    # ---- one call

    def serve(self, method: str, path: str, form: Form) -> Answer:
        parts = path.strip("/").split("/")[1:]
        if method == "POST" and parts == ["payment_intents"]:
            return self.make_intent(form)
        if parts == ["payment_intents"]:
            return 200, {"object": "list", "data": list(self.intents.values())[: int(form.get("limit", "10"))]}
        if parts[0] == "payment_intents" and parts[1:2] and (intent := self.intents.get(parts[1])):
            acts: dict[str, Callable[[dict[str, Any], Form], Answer]] = {"confirm": self.confirm, "cancel": self.cancel}
            if method == "POST" and len(parts) == 3 and parts[2] in acts:  # an object's act
                return acts[parts[2]](intent, form)
            return 200, intent
        if method == "POST" and parts == ["payment_methods"]:
            return self.make_method(form)
        if method == "POST" and parts == ["customers"]:
            return self.make_customer(form)
        if method == "POST" and parts[0] == "payment_methods" and parts[2:] == ["detach"]:
            return self.detach(parts[1])
        if method == "POST" and parts == ["webhook_endpoints"]:
            return self.make_endpoint(form)
        if parts == ["balance_transactions"]:
            return 200, self.money.list_transactions(form)
        if parts == ["payouts"]:
            return 200, self.money.list_payouts(form)
        if method == "POST" and parts == ["refunds"]:
            return self.refund(form)
        if parts[0] == "refunds":
            return self.read_refunds(parts[1:], form)
        if method == "POST" and parts == ["checkout", "sessions"]:
            return self.make_session(form)
        if parts[:2] == ["checkout", "sessions"] and (session := self.sessions.get(parts[2])):
            return self.expire(session) if parts[-1] == "expire" else (200, session)
        return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such thing"}}

    def read_refunds(self, rest: list[str], form: Form) -> Answer:
        if not rest:
            found = [one for one in self.refunds if one["payment_intent"] == form.get("payment_intent")]
            return 200, {"object": "list", "data": found}
        found = [one for one in self.refunds if one["id"] == rest[0]]
        return (200, found[0]) if found else _refusal("resource_missing", "No such refund")

    def once(self, method: str, path: str, form: Form, key: str) -> Answer:
        """As `serve`, with the idempotency key: the same answer for the same body, a refusal for another."""
        digest = hashlib.sha256(json.dumps([path, sorted(form.items())]).encode()).hexdigest()
        with self.lock:
            if key and key in self.answers:
                body, answer = self.answers[key]
                if body == digest:
                    return answer
                message = "Keys for idempotent requests can only be used with the same parameters."
                return 400, {"error": {"type": "idempotency_error", "message": message}}
            answer = self.serve(method, path, form)
            answer = (answer[0], json.loads(json.dumps(answer[1])))
            if key:
                self.answers[key] = digest, answer
                self.keep("answers", key, [digest, answer])
            return answer

    def refusal_of(self, key: str, path: str) -> Answer | None:
        """What speaks against a key. Beside `key` there are others, which say by their names what they are:
        sk_live_simulator…, rk_test_simulator… (restricted: may charge, not read the account), rk_test_norights…"""
        if key in self.revoked or (key != self.key and not re.match(r"(sk|rk)_(test|live)_(simulator|norights)", key)):
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
        if "norights" in key or (key.startswith("rk_") and path == "/v1/account"):
            return 403, {"error": {"type": "invalid_request_error", "message": "The key has no such permission."}}
        return None

    def fault_for(self, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.path in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None


def account_of(key: str) -> dict[str, Any]:
    """Whose key it is: `…other…` is another agency's."""
    name = "Another Agency" if "other" in key else "Beacon Travel"
    shown = {"settings": {"dashboard": {"display_name": name}}, "business_profile": None}
    return {"object": "account", "id": "acct_another" if "other" in key else "acct_beacon", **shown}


def _refusal(code: str, message: str) -> Answer:
    return 400, {"error": {"type": "invalid_request_error", "code": code or None, "message": message}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    book: Book

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/healthz":
            self._send(200, b"ok", "text/plain")
            return
        if path.startswith(("/3ds/", "/pay/")):
            self._page(path)
            return
        self._api("GET", dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), 100_000)
        form = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
        path = urlsplit(self.path).path
        if path.startswith(("/3ds/", "/pay/")):
            self._done(path, good="refuse" not in form)
            return
        self._api("POST", form)

    def _api(self, method: str, form: Form) -> None:
        path, book = urlsplit(self.path).path, self.book
        with book.lock:
            book.requests.append((method, path, json.dumps(form)))
        key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if (refusal := book.refusal_of(key, path)) is not None:
            self._json(*refusal)
            return
        if path == "/v1/account":
            self._json(200, account_of(key))
            return
        fault = book.fault_for(path)
        if fault and not fault.after:
            self._fail(fault)
            return
        answer = book.once(method, path, form, self.headers.get("Idempotency-Key") or "")
        if fault:
            self._fail(fault)
            return
        self._json(*answer)

    def _fail(self, fault: Fault) -> None:
        if fault.status:
            self._json(fault.status, {"error": {"type": "api_error", "message": "Something is wrong."}})
            return
        # Lost: the connection ends without a word.
        self.close_connection = True

    def _page(self, path: str) -> None:
        what = "Your bank asks: is this charge yours?" if path.startswith("/3ds/") else "Pay on the gateway's page"
        body = (
            "<!doctype html><html lang=en><title>Simulated gateway</title><h1>Simulated gateway</h1>"
            f'<p>{what}</p><form method="post" action="{html.escape(path)}"><button>Yes, go on</button> '
            '<button name="refuse" value="1">No</button></form>'
        )
        self._send(200, body.encode(), "text/html; charset=utf-8")

    def _done(self, path: str, *, good: bool) -> None:
        kind, reference = path.strip("/").split("/")
        book = self.book.intents if kind == "3ds" else self.book.sessions
        if reference not in book:
            self._send(404, b"No such payment.", "text/plain")
            return
        if kind == "3ds":
            self.book.authenticate(reference, good=good)
        elif good:
            self.book.pay_page(reference)
        back = book[reference].get("return_url")
        if not back:
            self._send(200, b"Done. You may close this page.", "text/plain")
            return
        self.send_response(303)
        status = "succeeded" if good else "failed"
        self.send_header("Location", f"{back}?payment_intent={reference}&redirect_status={status}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a body may hold a card."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may be gone when the answer comes: killed, or out of patience."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def make_server(port: int, book: Book) -> ThreadingHTTPServer:
    """The simulator on a port of this machine (0: any), its origin written into the book."""
    handler = type("Handler", (_Handler,), {"book": book})
    server = _Server(("127.0.0.1", port), handler)
    book.origin = f"http://127.0.0.1:{server.server_address[1]}"
    return server


@contextmanager
def running(book: Book | None = None) -> Iterator[Book]:
    """The simulator for the length of a block."""
    book = book or Book()
    server = make_server(0, book)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield book
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default=Book().key)
    parser.add_argument("--journal", type=Path, help="where the books are kept")
    given = parser.parse_args()
    book = Book(key=given.key, mailer=Mailer())
    if given.journal:
        book.resume(given.journal)
    book.money.pays_out = True
    book.mailer.start()  # type: ignore[union-attr]
    make_server(given.port, book).serve_forever()


if __name__ == "__main__":
    main()
