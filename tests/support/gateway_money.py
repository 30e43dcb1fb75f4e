"""The simulated gateway's balance as Stripe documents it: a balance transaction for each movement, with its fee, and
payouts that say which of them they hold (docs.stripe.com/api/balance_transactions and /payouts/reconciliation).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
_PAGE = 10


def fee_of(amount: int) -> int:
    """2.9 % and 30 cents."""
    return round(amount * 0.029) + 30


@dataclass(slots=True)
class Till:
    """Movements and payouts, oldest first. `now` is in seconds since 1970; `pays_out`: whoever asks for payouts finds
    everything paid out that came before."""

    numbers: Iterator[int]
    keep: Callable[[str, str, Any], None]
    now: Callable[[], float] = time.time
    pays_out: bool = False
    transactions: dict[str, Object] = field(default_factory=dict)
    payouts: dict[str, Object] = field(default_factory=dict)

    def charged(self, intent: Object) -> None:
        source = {
            "id": f"ch_{next(self.numbers):06d}",
            "object": "charge",
            "payment_intent": intent["id"],
            "metadata": intent["metadata"],
        }
        self._move("charge", intent["amount"], intent["currency"], source, fee=fee_of(intent["amount"]))

    def refunded(self, refund: Object, currency: str) -> None:
        self._move("refund", -refund["amount"], currency, refund)

    def came_back(self, refund: Object, currency: str) -> None:
        self._move("refund_failure", refund["amount"], currency, refund)

    def other(self, kind: str, amount: int, currency: str) -> None:
        """What Wayvault has not asked for: a dispute, a fee, a charge of the gateway's own terminal."""
        self._move(kind, amount, currency, {"id": f"xx_{next(self.numbers):06d}", "object": kind})

    def pay_out(self, *, short_by: int = 0) -> Object | None:
        """Sends what is on the balance to the bank; None when nothing is."""
        open_ones = [one for one in self.transactions.values() if not one["payout"] and one["type"] != "payout"]
        if not open_ones:
            return None
        moment, currency = int(self.now()), str(open_ones[0]["currency"])
        amount = sum(one["net"] for one in open_ones if one["currency"] == currency) - short_by
        payout = {
            "id": f"po_{next(self.numbers):06d}",
            "object": "payout",
            "amount": amount,
            "currency": currency,
            "arrival_date": moment,
            "created": moment,
            "automatic": True,
            "status": "paid",
        }
        for one in open_ones:
            if one["currency"] == currency:
                one["payout"] = payout["id"]
                self.keep("transactions", one["id"], one)
        self._move("payout", -amount, currency, payout, payout=str(payout["id"]))
        self.payouts[str(payout["id"])] = payout
        self.keep("payouts", str(payout["id"]), payout)
        return payout

    def _move(self, kind: str, amount: int, currency: str, source: Object, *, fee: int = 0, payout: str = "") -> None:
        reference = f"txn_{next(self.numbers):06d}"
        made = {
            "id": reference,
            "object": "balance_transaction",
            "type": kind,
            "amount": amount,
            "fee": fee,
            "net": amount - fee,
            "currency": currency,
            "created": int(self.now()),
            "description": None,
            "source": source,
            # Stripe's own has no such field; it is what the filter `payout` reads.
            "payout": payout,
        }
        self.transactions[reference] = made
        self.keep("transactions", reference, made)

    # ---- lists

    def list_transactions(self, form: dict[str, str]) -> Object:
        found = [one for one in self.transactions.values() if _within(one["created"], form, "created")]
        if payout := form.get("payout"):
            found = [one for one in found if one["payout"] == payout]
        return _page(found, form, without=() if form.get("expand[0]") == "data.source" else ("source",))

    def list_payouts(self, form: dict[str, str]) -> Object:
        if self.pays_out:
            self.pay_out()
        return _page([one for one in self.payouts.values() if _within(one["arrival_date"], form, "arrival_date")], form)


def _within(moment: int, form: dict[str, str], name: str) -> bool:
    return int(form.get(f"{name}[gte]", "0")) <= moment < int(form.get(f"{name}[lt]", str(2**60)))


def _page(found: list[Object], form: dict[str, str], without: tuple[str, ...] = ()) -> Object:
    """Newest first, from behind `starting_after`; what is not expanded is an id."""
    newest = sorted(found, key=lambda one: (one["created"], one["id"]), reverse=True)
    if after := form.get("starting_after"):
        newest = newest[[one["id"] for one in newest].index(after) + 1 :]
    limit = min(int(form.get("limit", _PAGE)), 100)
    shown = [{name: value["id"] if name in without else value for name, value in one.items()} for one in newest[:limit]]
    return {"object": "list", "data": shown, "has_more": len(newest) > limit}
