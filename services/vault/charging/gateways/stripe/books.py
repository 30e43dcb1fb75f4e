"""Stripe's books: balance transactions and payouts (docs.stripe.com/payouts/reconciliation)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from services.vault.charging.gateways.port import GatewayRefused, GatewayUnknown, Movement, MovementKind, Payout
from services.vault.charging.gateways.stripe.amounts import from_stripe
from services.vault.charging.gateways.stripe.calls import Calls

_PAGE: Final = 100
_MOST_PAGES: Final = 20
_PAYOUT_KINDS: Final = frozenset({"payout", "payout_failure", "payout_cancel"})
_KINDS: Final = {
    "charge": MovementKind.CHARGE,
    "payment": MovementKind.CHARGE,
    "refund": MovementKind.REFUND,
    "payment_refund": MovementKind.REFUND,
    "refund_failure": MovementKind.RETURNED,
    "payment_failure_refund": MovementKind.RETURNED,
}


class StripeBooks:
    """Implements `Books`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def movements(self, since: datetime, until: datetime) -> list[Movement]:
        return self._movements({"created": _span(since, until)})

    def payouts(self, since: datetime, until: datetime) -> list[Payout]:
        return [_payout(one) for one in self._listed("/v1/payouts", {"arrival_date": _span(since, until)})]

    def paid_out(self, payout: Payout) -> list[Movement]:
        return self._movements({"payout": payout.reference})

    def _movements(self, query: dict[str, Any]) -> list[Movement]:
        listed = self._listed("/v1/balance_transactions", {**query, "expand": ["data.source"]})
        return [_movement(one) for one in listed if one.get("type") not in _PAYOUT_KINDS]

    def _listed(self, path: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        after: dict[str, Any] = {}
        for _ in range(_MOST_PAGES):
            page = self._calls.get(path, {**query, **after, "limit": _PAGE})
            found = [one for one in page.get("data") or () if isinstance(one, dict)]
            yield from found
            if not page.get("has_more") or not found:
                return
            after = {"starting_after": str(found[-1].get("id"))}
        raise GatewayRefused("too_many")


def _span(since: datetime, until: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp())}


def _movement(told: dict[str, Any]) -> Movement:
    source = told.get("source")
    source = source if isinstance(source, dict) else {}
    metadata = source.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    kind = _KINDS.get(str(told.get("type")), MovementKind.OTHER)
    about = source.get("payment_intent") if kind is MovementKind.CHARGE else source.get("id")
    currency = str(told.get("currency") or "").upper()
    return Movement(
        reference=str(told.get("id") or ""),
        kind=kind,
        charge_id=str(metadata.get("wayvault_charge") or ""),
        refund_id=str(metadata.get("wayvault_refund") or ""),
        about=about if isinstance(about, str) else "",
        gross_minor=_minor(told, "amount", currency),
        fee_minor=_minor(told, "fee", currency),
        net_minor=_minor(told, "net", currency),
        currency=currency,
        at=_moment(told, "created"),
        words=str(told.get("description") or told.get("type") or "")[:200].replace("_", " "),
    )


def _payout(told: dict[str, Any]) -> Payout:
    currency = str(told.get("currency") or "").upper()
    return Payout(
        reference=str(told.get("id") or ""),
        amount_minor=_minor(told, "amount", currency),
        currency=currency,
        arrives_at=_moment(told, "arrival_date"),
        state=str(told.get("status") or "")[:40].replace("_", " "),
        # "payout: For automatic Stripe payouts only" (docs.stripe.com/api/balance_transactions/list).
        itemized=told.get("automatic") is True,
    )


def _minor(told: dict[str, Any], name: str, currency: str) -> int:
    value = told.get(name)
    if not isinstance(value, int) or len(currency) != _CODE:
        raise GatewayUnknown(f"a line of the books has no {name}")
    return from_stripe(value, currency)


def _moment(told: dict[str, Any], name: str) -> datetime:
    value = told.get(name)
    if not isinstance(value, int):
        raise GatewayUnknown(f"a line of the books has no {name}")
    return datetime.fromtimestamp(value, UTC)


_CODE: Final = 3
