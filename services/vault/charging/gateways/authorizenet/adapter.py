"""Charges by Authorize.Net's transactions.

It has no idempotency keys and nothing that can be announced, so a charge is two calls: the card is authorized, which
takes no money, and what was authorized is captured by its id. A lost answer to the first leaves at most an
authorization that nobody captures; one to the second is cleared up by reading the transaction. What is found authorized
and not captured is voided before it counts as not charged, so a capture still under way changes nothing.

Transactions are found again by their invoice number, which is made from our own id.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from babel.numbers import get_currency_precision

from services.vault.charging.gateways.authorizenet.calls import Calls
from services.vault.charging.gateways.authorizenet.codes import decline_code, refund_word
from services.vault.charging.gateways.port import (
    AccountTold,
    AmountRefused,
    Card,
    GatewayRefused,
    GatewayUnknown,
    Mode,
    NoticeRefused,
    Order,
    Outcome,
    RefundOutcome,
)
from services.vault.charging.reasons import refund_code
from services.vault.charging.rules import ChargeState, RefundState

# "currencyCode" of createTransactionRequest.
_CURRENCIES: Final = frozenset({"AUD", "CAD", "CHF", "DKK", "EUR", "GBP", "NOK", "NZD", "PLN", "SEK", "USD", "ZAR"})
_APPROVED: Final = "1"
_CAPTURED: Final = frozenset({"capturedPendingSettlement", "settledSuccessfully"})
_REFUNDED: Final = frozenset({"refundPendingSettlement", "refundSettledSuccessfully"})
_HELD: Final = frozenset({"authorizedPendingCapture", "authorizedPendingRelease", "FDSPendingReview"})
# The longest there is: the same refund again is refused as a duplicate, not made twice.
_DUPLICATES: Final = {"transactionSettings": {"setting": [{"settingName": "duplicateWindow", "settingValue": "28800"}]}}
# The most that one list of batches covers.
_BATCHES_OF: Final = timedelta(days=31)
_LINES_MOST: Final = 999_999_999_999


class AuthorizeNetGateway:
    """One agency's account."""

    name = "authorizenet"

    def __init__(self, mode: Mode, calls: Calls) -> None:
        self.mode = mode
        # Its interface tells neither fees nor payouts.
        self.books = None
        self._calls = calls

    def prove(self) -> AccountTold:
        self._calls.call("authenticateTestRequest", {})
        try:
            told = self._calls.call("getMerchantDetailsRequest", {})
        except (GatewayRefused, GatewayUnknown):
            return AccountTold()
        name = str(told.get("merchantName") or "")[:120]
        return AccountTold(reference=str(told.get("gatewayId") or "")[:64], name=name)

    def check_amount(self, amount_minor: int, currency: str) -> None:
        if currency not in _CURRENCIES:
            raise AmountRefused(f"The gateway does not charge in {currency}.")
        if amount_minor > _LINES_MOST:
            raise AmountRefused("That is more than the gateway charges at once. Split it into several payments.")

    def prepare(self, order: Order) -> str:
        # Nothing can be announced; but a key that it doesn't know is told before a card leaves.
        self._calls.call("authenticateTestRequest", {})
        return _invoice(order.id)

    def charge(self, order: Order, reference: str, card: Card) -> Outcome:
        details = {
            "cardNumber": card.pan.reveal(),
            "expirationDate": f"{card.exp_year:04d}-{card.exp_month:02d}",
        }
        if card.cvv is not None:
            details["cardCode"] = card.cvv.reveal()
        answer = self._transaction(
            {
                "transactionType": "authOnlyTransaction",
                "amount": _decimal(order.amount_minor, order.currency),
                "currencyCode": order.currency,
                "payment": {"creditCard": details},
                "order": {"invoiceNumber": reference, "description": order.description[:255]},
            }
        )
        transaction = str(answer.get("transId") or "")
        if str(answer.get("responseCode")) != _APPROVED:
            if transaction not in ("", "0"):
                self._void(transaction)
            code = "fraudulent" if str(answer.get("responseCode")) == "4" else decline_code(_reason(answer))
            return Outcome(state=ChargeState.DECLINED, reference=reference, code=code)
        captured = self._transaction({"transactionType": "priorAuthCaptureTransaction", "refTransId": transaction})
        if str(captured.get("responseCode")) != _APPROVED:
            return self._read(transaction)
        return Outcome(state=ChargeState.SUCCEEDED, reference=transaction)

    def charge_mandate(self, order: Order, reference: str) -> Outcome:
        raise GatewayRefused("mandates_not_offered")

    def end_mandate(self, mandate: str) -> None:
        raise GatewayRefused("mandates_not_offered")

    def hosted_page(self, order: Order, reference: str) -> Outcome:
        # It takes card numbers; its hosted page is no link that could be mailed.
        raise GatewayRefused("raw_cards_refused")

    def find_out(self, order: Order, reference: str, *, waits_for_client: bool) -> Outcome:
        if not reference.startswith(_MARK):
            return self._read(reference)
        found = self._by_invoice(reference)
        if not found:
            return Outcome(state=ChargeState.FAILED, reference=reference, code="never_arrived")
        return self._read(str(found[0]["transId"]))

    def void(self, order: Order, reference: str) -> Outcome:
        return self.find_out(order, reference, waits_for_client=False)

    def refund(self, order: Order, reference: str, refund_id: str, amount_minor: int) -> RefundOutcome:
        told = self._details(reference)
        if told.get("transactionStatus") == "capturedPendingSettlement" and amount_minor == order.amount_minor:
            # Nothing has left the client's account yet: the whole of it is voided, a part must wait.
            self._void(reference)
            if self._details(reference).get("transactionStatus") != "voided":
                raise GatewayUnknown("what should be void is not")
            return RefundOutcome(state=RefundState.SUCCEEDED, reference=reference)
        card = (told.get("payment") or {}).get("creditCard") or {}
        answer = self._transaction(
            {
                "transactionType": "refundTransaction",
                "amount": _decimal(amount_minor, order.currency),
                "payment": {
                    "creditCard": {"cardNumber": str(card.get("cardNumber", ""))[-4:], "expirationDate": "XXXX"}
                },
                "refTransId": reference,
                "order": {"invoiceNumber": _invoice(refund_id)},
                **_DUPLICATES,
            }
        )
        if str(answer.get("responseCode")) == _APPROVED:
            return RefundOutcome(state=RefundState.PENDING, reference=str(answer["transId"]))
        if _reason(answer) == "11":
            raise GatewayUnknown("the same refund is under way already")
        return RefundOutcome(state=RefundState.FAILED, reference="", code=refund_code(refund_word(_reason(answer))))

    def find_refund(self, order: Order, reference: str, refund_id: str, refund_reference: str) -> RefundOutcome | None:
        if not refund_reference:
            found = self._by_invoice(_invoice(refund_id))
            if not found and self._details(reference).get("transactionStatus") == "voided":
                return RefundOutcome(state=RefundState.SUCCEEDED, reference=reference)
            if not found:
                return None
            refund_reference = str(found[0]["transId"])
        status = str(self._details(refund_reference).get("transactionStatus"))
        if status == "refundSettledSuccessfully" or (status == "voided" and refund_reference == reference):
            return RefundOutcome(state=RefundState.SUCCEEDED, reference=refund_reference)
        if status in _REFUNDED:
            return RefundOutcome(state=RefundState.PENDING, reference=refund_reference)
        return RefundOutcome(state=RefundState.FAILED, reference=refund_reference, code=refund_code("refused"))

    def read_notice(self, body: bytes, signature: str, secret: str, now: datetime) -> frozenset[str]:
        # Its messages carry no time of signing, so an old one can't be told from a new one: the poller asks instead.
        raise NoticeRefused("this gateway's messages are not taken")

    # ---- pieces

    def _transaction(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._calls.call("createTransactionRequest", {"transactionRequest": request})
        told = answer.get("transactionResponse")
        if not isinstance(told, dict):
            raise GatewayRefused("gateway_refused")
        return told

    def _details(self, transaction: str) -> dict[str, Any]:
        answer = self._calls.call("getTransactionDetailsRequest", {"transId": transaction})
        told = answer.get("transaction")
        if not isinstance(told, dict):
            raise GatewayRefused("gateway_refused")
        return told

    def _read(self, transaction: str) -> Outcome:
        """How a transaction stands; one that waits for its capture is made impossible first."""
        status = self._details(transaction).get("transactionStatus")
        if status in _HELD:
            self._void(transaction)
            status = self._details(transaction).get("transactionStatus")
        if status in _CAPTURED:
            return Outcome(state=ChargeState.SUCCEEDED, reference=transaction)
        if status == "declined":
            return Outcome(state=ChargeState.DECLINED, reference=transaction, code="generic_decline")
        if status in ("voided", "expired", "generalError", "communicationError", "failedReview"):
            return Outcome(state=ChargeState.FAILED, reference=transaction, code="never_arrived")
        raise GatewayUnknown("a transaction in a state that says nothing")

    def _void(self, transaction: str) -> None:
        self._transaction({"transactionType": "voidTransaction", "refTransId": transaction})

    def _by_invoice(self, invoice: str) -> list[dict[str, Any]]:
        return [one for one in self._listed() if one.get("invoiceNumber") == invoice]

    def _listed(self) -> Iterator[dict[str, Any]]:
        """Every transaction of the last month: first what is not settled, then batch by batch."""
        newest = {"sorting": {"orderBy": "submitTimeUTC", "orderDescending": True}}
        yield from self._paged("getUnsettledTransactionListRequest", newest)
        now = datetime.now(UTC)
        span = {
            "firstSettlementDate": f"{now - _BATCHES_OF:%Y-%m-%dT%H:%M:%SZ}",
            "lastSettlementDate": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        }
        batches = self._calls.call("getSettledBatchListRequest", span).get("batchList") or ()
        for batch in batches:
            yield from self._paged("getTransactionListRequest", {"batchId": str(batch["batchId"])} | newest)

    def _paged(self, name: str, fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            paging = {"paging": {"limit": str(_PAGE), "offset": str(page)}}
            found = self._calls.call(name, fields | paging).get("transactions") or ()
            yield from found
            if len(found) < _PAGE:
                return
            page += 1


_PAGE: Final = 1000
_MARK: Final = "WV"


def _invoice(our_id: str) -> str:
    """Twenty characters are all that an invoice number may have."""
    return _MARK + hashlib.sha256(our_id.encode()).hexdigest()[:18].upper()


def _decimal(amount_minor: int, currency: str) -> str:
    digits = int(get_currency_precision(currency))
    text = str(amount_minor).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def _reason(answer: dict[str, Any]) -> str:
    errors = answer.get("errors") or answer.get("messages") or ()
    first = errors[0] if isinstance(errors, list) and errors else {}
    return str(first.get("errorCode") or first.get("code") or "")
