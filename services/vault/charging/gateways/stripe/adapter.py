"""Charges by Stripe's PaymentIntents.

An intent is made without a card and confirmed with it in a second call. So a lost answer to either can be cleared up by
reading the intent: not confirmed means not charged, and cancelling it makes sure that a call which is still under way
changes nothing (docs.stripe.com/payments/paymentintents/lifecycle).

A card that Stripe is to keep is confirmed with `setup_future_usage` for a customer of its own, to whom Stripe attaches
it (docs.stripe.com/payments/save-during-payment); the mandate names both. It is charged by `off_session` confirmations.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import stripe

from services.vault.charging.gateways.port import (
    HOSTED_PAGE,
    AccountTold,
    Card,
    GatewayRefused,
    GatewayUnknown,
    Mode,
    Order,
    Outcome,
    RawCardsRefused,
    RefundOutcome,
)
from services.vault.charging.gateways.stripe.amounts import to_stripe
from services.vault.charging.gateways.stripe.books import StripeBooks
from services.vault.charging.gateways.stripe.calls import Calls
from services.vault.charging.gateways.stripe.notices import references_of
from services.vault.charging.reasons import refund_code
from services.vault.charging.rules import ChargeState, RefundState

_HOSTED: Final = "cs_"
# docs.stripe.com/error-codes: below or above what this account's settlement currency or the card's network allows.
_AMOUNT_CODES: Final = frozenset({"amount_too_large", "amount_too_small"})
_REFUND_STATES: Final = {
    "succeeded": RefundState.SUCCEEDED,
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}


class StripeGateway:
    """One agency's account. `return_url`, with the payment's id after it, is where the client comes back to from the
    bank's or Stripe's page."""

    name = "stripe"

    def __init__(self, key: str, calls: Calls, *, return_url: str) -> None:
        self.mode = Mode.LIVE if "_live_" in key else Mode.TEST
        self._calls = calls
        self._return_url = return_url
        self.books = StripeBooks(calls)

    def prove(self) -> AccountTold:
        # What a charge needs; a restricted key may lack the right, and then it can't charge either.
        self._calls.get("/v1/payment_intents", {"limit": 1})
        try:
            told = self._calls.get("/v1/account")
        except (GatewayRefused, GatewayUnknown):
            # A restricted key needs no right to read the account.
            return AccountTold()
        shown = _at(_at(told, "settings"), "dashboard").get("display_name")
        name = shown or _at(told, "business_profile").get("name")
        return AccountTold(reference=str(told.get("id") or "")[:64], name=str(name or "")[:120])

    def check_amount(self, amount_minor: int, currency: str) -> None:
        to_stripe(amount_minor, currency)

    def prepare(self, order: Order) -> str:
        fields: dict[str, Any] = {  # Any: nested form fields
            "amount": to_stripe(order.amount_minor, order.currency),
            "currency": order.currency.lower(),
            "description": order.description,
            "payment_method_types": ["card"],
            "metadata": {"wayvault_charge": order.id},
        }
        if order.keeps_card:
            holder = {"metadata": {"wayvault_charge": order.id}}
            customer = _text(self._accepted("/v1/customers", holder, key=f"{order.id}-customer"), "id")
            fields |= {"customer": customer, "setup_future_usage": "off_session"}
        elif order.mandate:
            fields["customer"] = order.mandate.partition(_AND)[0]
        return _text(self._accepted("/v1/payment_intents", fields, key=f"{order.id}-prepare"), "id")

    def charge(self, order: Order, reference: str, card: Card) -> Outcome:
        details: dict[str, Any] = {  # Any: nested form fields
            "number": card.pan.reveal(),
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
        }
        if card.cvv is not None:
            details["cvc"] = card.cvv.reveal()
        try:
            # Two calls: a confirmation itself takes no card numbers (docs.stripe.com/api/payment_intents/confirm).
            method = self._calls.post(
                "/v1/payment_methods",
                {"type": "card", "card": details, "billing_details": {"name": card.name}},
                key=f"{order.id}-method",
            )
            fields = {"payment_method": _text(method, "id"), "return_url": self._return_url + order.payment_id}
            intent = self._confirm(order, reference, fields)
        except stripe.CardError as error:
            return Outcome(state=ChargeState.DECLINED, reference=reference, code=_decline_code(error.json_body))
        except stripe.InvalidRequestError as error:
            if _raw_cards_refused(error):
                raise RawCardsRefused from None
            # The intent may have been confirmed or cancelled meanwhile: reading it tells.
            return self.find_out(order, reference, waits_for_client=False)
        return _of_intent(intent)

    def charge_mandate(self, order: Order, reference: str) -> Outcome:
        fields = {"payment_method": order.mandate.partition(_AND)[2], "off_session": "true"}
        try:
            return _of_intent(self._confirm(order, reference, fields))
        except stripe.CardError as error:
            return Outcome(state=ChargeState.DECLINED, reference=reference, code=_decline_code(error.json_body))
        except stripe.InvalidRequestError:
            outcome = self.find_out(order, reference, waits_for_client=False)
            if outcome.state is not ChargeState.FAILED:
                return outcome
            # It was refused before any bank was asked: the card was taken out at Stripe.
            return replace(outcome, state=ChargeState.DECLINED, code="mandate_gone")

    def end_mandate(self, mandate: str) -> None:
        try:
            self._calls.post(f"/v1/payment_methods/{mandate.partition(_AND)[2]}/detach", {}, key="")
        except stripe.InvalidRequestError as error:
            if error.http_status not in (_BAD_REQUEST, _NOT_FOUND):  # these: it is not attached any more
                raise GatewayRefused("gateway_refused") from None

    def hosted_page(self, order: Order, reference: str) -> Outcome:
        self._cancel(reference)
        # What the page makes is known by our id in the gateway's books too.
        made: dict[str, Any] = {"metadata": {"wayvault_charge": order.id}}  # Any: nested form fields
        kept: dict[str, Any] = {
            "customer_creation": "always",
            "payment_intent_data": {"setup_future_usage": "off_session", **made},
        }
        session = self._accepted(
            "/v1/checkout/sessions",
            {
                "mode": "payment",
                "client_reference_id": order.id,
                "success_url": self._return_url + order.payment_id,
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": order.currency.lower(),
                            "unit_amount": to_stripe(order.amount_minor, order.currency),
                            "product_data": {"name": order.description or "Payment"},
                        },
                    }
                ],
                "metadata": {"wayvault_charge": order.id},
                **(kept if order.keeps_card else {"payment_intent_data": made}),
            },
            key=f"{order.id}-page",
        )
        return _of_session(session)

    def find_out(self, order: Order, reference: str, *, waits_for_client: bool) -> Outcome:
        if reference.startswith(_HOSTED):
            outcome = _of_session(self._calls.get(f"/v1/checkout/sessions/{reference}"))
            if outcome.state is ChargeState.SUCCEEDED and order.keeps_card:
                paid = self._calls.get(f"/v1/payment_intents/{self._paid_intent(reference)}")
                return replace(outcome, mandate=_mandate_of(paid))
            return outcome
        intent = self._calls.get(f"/v1/payment_intents/{reference}")
        outcome = _of_intent(intent)
        if outcome.state is ChargeState.ASKING and intent.get("status") != "processing":
            return self._cancelled(reference)
        if outcome.state is ChargeState.NEEDS_CLIENT and not waits_for_client and not outcome.client_url:
            return self._cancelled(reference)
        return outcome

    def void(self, order: Order, reference: str) -> Outcome:
        if reference.startswith(_HOSTED):
            try:
                return _of_session(self._calls.post(f"/v1/checkout/sessions/{reference}/expire", {}, key=""))
            except stripe.InvalidRequestError:
                return self.find_out(order, reference, waits_for_client=True)
        return self._cancelled(reference)

    def refund(self, order: Order, reference: str, refund_id: str, amount_minor: int) -> RefundOutcome:
        intent = self._paid_intent(reference)
        try:
            refund = self._calls.post(
                "/v1/refunds",
                {
                    "payment_intent": intent,
                    "amount": to_stripe_part(amount_minor, order.currency),
                    "metadata": {"wayvault_refund": refund_id},
                },
                key=f"{refund_id}-refund",
            )
        except stripe.StripeError as error:
            return RefundOutcome(state=RefundState.FAILED, reference="", code=refund_code(_code(error.json_body)))
        return _of_refund(refund)

    def find_refund(self, order: Order, reference: str, refund_id: str, refund_reference: str) -> RefundOutcome | None:
        # Not by repeating the request: Stripe answers a known key with what it said at first, and forgets keys after a
        # day (docs.stripe.com/api/idempotent_requests).
        if refund_reference:
            return _of_refund(self._calls.get(f"/v1/refunds/{refund_reference}"))
        listed = self._calls.get("/v1/refunds", {"payment_intent": self._paid_intent(reference), "limit": 100})
        for refund in listed.get("data") or ():
            if (refund.get("metadata") or {}).get("wayvault_refund") == refund_id:
                return _of_refund(refund)
        return None

    def read_notice(self, body: bytes, signature: str, secret: str, now: datetime) -> frozenset[str]:
        return references_of(body, signature, secret, now)

    # ---- pieces

    def _confirm(self, order: Order, reference: str, fields: dict[str, Any]) -> dict[str, Any]:
        return self._calls.post(f"/v1/payment_intents/{reference}/confirm", fields, key=f"{order.id}-confirm")

    def _accepted(self, path: str, fields: dict[str, Any], *, key: str) -> dict[str, Any]:
        """A call that Stripe does or refuses; no bank is asked in it."""
        try:
            return self._calls.post(path, fields, key=key)
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            refused = "amount_refused" if _code(error.json_body) in _AMOUNT_CODES else "gateway_refused"
            raise GatewayRefused(refused) from None

    def _paid_intent(self, reference: str) -> str:
        if not reference.startswith(_HOSTED):
            return reference
        return _text(self._calls.get(f"/v1/checkout/sessions/{reference}"), "payment_intent")

    def _cancelled(self, reference: str) -> Outcome:
        self._cancel(reference)
        outcome = _of_intent(self._calls.get(f"/v1/payment_intents/{reference}"))
        if outcome.state is ChargeState.ASKING:
            raise GatewayUnknown("a cancelled intent is neither cancelled nor paid")
        return outcome

    def _cancel(self, reference: str) -> None:
        """Cancels an intent; one that is past it stays as it is, which reading it tells."""
        try:
            self._calls.post(f"/v1/payment_intents/{reference}/cancel", {}, key="")
        except stripe.InvalidRequestError as error:
            if error.http_status != _BAD_REQUEST:
                raise GatewayRefused("gateway_refused") from None


_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
# Between a mandate's customer and its payment method.
_AND: Final = " "


def to_stripe_part(amount_minor: int, currency: str) -> int:
    """A part of a charge: the minimum holds for charges only."""
    return to_stripe(amount_minor, currency, least=1)


def _of_intent(intent: dict[str, Any]) -> Outcome:
    reference, status = _text(intent, "id"), intent.get("status")
    if status == "succeeded":
        return Outcome(state=ChargeState.SUCCEEDED, reference=reference, mandate=_mandate_of(intent))
    if status == "canceled":
        # Cancelled after a decline: the decline is what the person wants to know.
        if error := intent.get("last_payment_error"):
            return Outcome(state=ChargeState.DECLINED, reference=reference, code=_decline_code({"error": error}))
        return Outcome(state=ChargeState.FAILED, reference=reference, code="never_arrived")
    if status == "requires_action":
        url = ((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("url") or ""
        return Outcome(state=ChargeState.NEEDS_CLIENT, reference=reference, client_url=_https_only(url))
    if status == "requires_payment_method" and (error := intent.get("last_payment_error")):
        return Outcome(state=ChargeState.DECLINED, reference=reference, code=_decline_code({"error": error}))
    # requires_confirmation, requires_payment_method without a try, processing.
    return Outcome(state=ChargeState.ASKING, reference=reference)


def _mandate_of(intent: dict[str, Any]) -> str:
    """Whose card Stripe keeps since this charge, and which; empty when it was not to keep it."""
    customer, method = intent.get("customer"), intent.get("payment_method")
    if intent.get("setup_future_usage") != "off_session" or not isinstance(customer, str):
        return ""
    return f"{customer}{_AND}{method}" if isinstance(method, str) else ""


def _of_session(session: dict[str, Any]) -> Outcome:
    reference = _text(session, "id")
    if session.get("payment_status") == "paid":
        return Outcome(state=ChargeState.SUCCEEDED, reference=reference)
    if session.get("status") == "expired":
        return Outcome(state=ChargeState.FAILED, reference=reference, code="page_expired")
    url = _https_only(str(session.get("url") or ""))
    return Outcome(state=ChargeState.NEEDS_CLIENT, reference=reference, code=HOSTED_PAGE, client_url=url)


def _of_refund(refund: dict[str, Any]) -> RefundOutcome:
    state = _REFUND_STATES.get(str(refund.get("status")), RefundState.PENDING)
    code = refund_code(str(refund.get("failure_reason"))) if state is RefundState.FAILED else ""
    return RefundOutcome(state=state, reference=_text(refund, "id"), code=code)


def _https_only(url: str) -> str:
    """A page that a client may be sent to; on this machine (development) without TLS too."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost") or str(parts.hostname).endswith(".localhost")
    return url if parts.scheme == "https" or (parts.scheme == "http" and local) else ""


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise GatewayUnknown(f"the answer has no {name}")
    return value


def _code(body: object) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return str(code or "")[:64]


def _decline_code(body: object) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "card_declined"
    return str(error.get("decline_code") or error.get("code") or "card_declined")[:64]


def _raw_cards_refused(error: stripe.InvalidRequestError) -> bool:
    # Stripe gives it no code of its own, only these words (support.stripe.com, "Enabling access to raw card data").
    return "credit card numbers directly" in str(error.user_message or error)


def _at(told: dict[str, Any], name: str) -> dict[str, Any]:
    """An object within an answer; Stripe says null for one that was never filled in."""
    return told.get(name) or {}
