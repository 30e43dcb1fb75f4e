"""A gateway that behaves as Authorize.Net documents: one address, JSON in the XML's order, answers with a byte order
mark, authorizations and captures, refunds of what has settled, duplicates refused. Faults on demand.

In its test mode a published card makes the amount's dollars the response reason code (developer.authorize.net, "Testing
Guide").
"""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.gateway_sim import Fault

ERROR_CARD = "4222222222222"
_SETTLES = {
    "capturedPendingSettlement": "settledSuccessfully",
    "refundPendingSettlement": "refundSettledSuccessfully",
}
_OK = {"resultCode": "Ok", "message": [{"code": "I00001", "text": "Successful."}]}
# The sequence of transactionRequestType in AnetApiSchema.xsd: the JSON form refuses another.
_ORDER = (
    "transactionType",
    "amount",
    "currencyCode",
    "payment",
    "refTransId",
    "order",
    "transactionSettings",
)

Fields = dict[str, Any]


@dataclass(slots=True)
class Ledger:
    """What exists at the gateway."""

    login: str = "simulated-login"
    key: str = "simulated-key"
    origin: str = ""
    transactions: dict[str, Fields] = field(default_factory=dict)
    settled: bool = False
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(60_000_000_001))

    def captured(self) -> list[Fields]:
        """What took money."""
        taken = ("capturedPendingSettlement", "settledSuccessfully")
        return [one for one in self.transactions.values() if one["transactionStatus"] in taken]

    def settle(self) -> None:
        """The day's batch is closed."""
        for one in self.transactions.values():
            one["transactionStatus"] = _SETTLES.get(one["transactionStatus"], one["transactionStatus"])

    # ---- requests

    def serve(self, name: str, fields: Fields) -> Fields:
        given = fields.pop("merchantAuthentication")
        if given != {"name": self.login, "transactionKey": self.key}:
            return {"messages": {"resultCode": "Error", "message": [{"code": "E00007", "text": "Invalid."}]}}
        if name == "authenticateTestRequest":
            return {"messages": _OK}
        if name == "getMerchantDetailsRequest":
            return {"merchantName": "Beacon Travel", "gatewayId": "565697", "messages": _OK}
        if name == "createTransactionRequest":
            return {"transactionResponse": self._transaction(fields["transactionRequest"]), "messages": _OK}
        if name == "getTransactionDetailsRequest":
            found = self.transactions.get(fields["transId"])
            return {"transaction": found, "messages": _OK} if found else _not_found()
        if name == "getSettledBatchListRequest":
            return {"batchList": [{"batchId": "1"}], "messages": _OK}
        settled = name == "getTransactionListRequest"
        listed = [one for one in self.transactions.values() if ("Successfully" in one["transactionStatus"]) is settled]
        return {"transactions": listed, "messages": _OK}

    def _transaction(self, request: Fields) -> Fields:
        names = list(request)
        assert names == [name for name in _ORDER if name in request], f"E00003: {names}"
        acts = {
            "authOnlyTransaction": self._authorize,
            "priorAuthCaptureTransaction": self._capture,
            "voidTransaction": self._void,
            "refundTransaction": self._refund,
        }
        return acts[request["transactionType"]](request)

    def _authorize(self, request: Fields) -> Fields:
        card = request["payment"]["creditCard"]
        if card["cardNumber"] == ERROR_CARD:
            return _refused(str(int(float(request["amount"]))))
        return self._made(request, "authorizedPendingCapture", card["cardNumber"])

    def _capture(self, request: Fields) -> Fields:
        return self._moved(request, "authorizedPendingCapture", "capturedPendingSettlement")

    def _void(self, request: Fields) -> Fields:
        old = self.transactions[request["refTransId"]]["transactionStatus"]
        if old not in ("authorizedPendingCapture", "capturedPendingSettlement"):
            return _refused("16")
        return self._moved(request, old, "voided")

    def _refund(self, request: Fields) -> Fields:
        charged = self.transactions[request["refTransId"]]
        if charged["transactionStatus"] != "settledSuccessfully":
            return _refused("54")
        earlier = [one for one in self.transactions.values() if one.get("refTransId") == request["refTransId"]]
        if request["order"]["invoiceNumber"] in [one["invoiceNumber"] for one in earlier]:
            return _refused("11")
        if sum(one["settleAmount"] for one in earlier) + float(request["amount"]) > charged["settleAmount"]:
            return _refused("55")
        return self._made(request, "refundPendingSettlement", request["payment"]["creditCard"]["cardNumber"])

    def _made(self, request: Fields, status: str, number: str) -> Fields:
        its_id = str(next(self.numbers))
        self.transactions[its_id] = {
            "transId": its_id,
            "transactionStatus": status,
            "invoiceNumber": request["order"]["invoiceNumber"],
            "settleAmount": float(request["amount"]),
            "payment": {"creditCard": {"cardNumber": f"XXXX{number[-4:]}", "expirationDate": "XXXX"}},
            "refTransId": request.get("refTransId", ""),
        }
        return {"responseCode": "1", "transId": its_id, "messages": [{"code": "1", "description": "Approved."}]}

    def _moved(self, request: Fields, old: str, new: str) -> Fields:
        one = self.transactions[request["refTransId"]]
        if one["transactionStatus"] != old:
            return _refused("16")
        one["transactionStatus"] = new
        return {"responseCode": "1", "transId": one["transId"], "messages": [{"code": "1", "description": "Done."}]}

    def fault_for(self, what: str) -> Fault | None:
        for fault in self.faults:
            if fault.path in what and fault.times > 0:
                fault.times -= 1
                return fault
        return None


def _refused(code: str) -> Fields:
    return {"responseCode": "3", "transId": "0", "errors": [{"errorCode": code, "errorText": "Refused."}]}


def _not_found() -> Fields:
    return {"messages": {"resultCode": "Error", "message": [{"code": "E00040", "text": "The record cannot be found."}]}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ledger: Ledger

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ((name, fields),) = body.items()
        kind = fields.get("transactionRequest", {}).get("transactionType", "")
        with self.ledger.lock:
            self.ledger.requests.append((kind or name, json.dumps(fields)))
            fault = self.ledger.fault_for(kind or name)
            answer = {} if fault and not fault.after else self.ledger.serve(name, fields)
        if fault and not fault.status:
            self.close_connection = True
            return
        sent = b"\xef\xbb\xbf" + json.dumps(answer).encode()
        self.send_response(fault.status if fault else 200)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Nothing: a body may hold a card."""


@contextmanager
def running() -> Iterator[Ledger]:
    """The simulator for the length of a block."""
    ledger = Ledger()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"ledger": ledger}))
    ledger.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield ledger
    finally:
        server.shutdown()
        server.server_close()
