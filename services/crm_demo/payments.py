"""Payments of the past, as they ended: processed, the card destroyed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, Client, PaymentContext, Segment
from protos.wayvault.events.v1.events_pb2 import PaymentType as WireType
from services.crm.core.ports.vault import Removal
from services.crm.paying.payments.rules import PaymentState, PaymentType

_WIRE = {
    PaymentType.DEPOSIT: WireType.PAYMENT_TYPE_DEPOSIT,
    PaymentType.REGULAR: WireType.PAYMENT_TYPE_REGULAR,
    PaymentType.FINAL: WireType.PAYMENT_TYPE_FINAL,
}
_CARDS = (("visa", "1111"), ("mastercard", "4444"), ("amex", "0005"))
_EMPTY: dict[str, Any] = {  # Any: columns of several types
    "replaces_payment_id": None,
    "card_token": None,
    "billing_line2": "",
    "card_kept_until": None,
    "cvv_kept_until": None,
    "cvv_shown_at": None,
    "lapse_warned_at": None,
    "document_id": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What was paid of one segment: by whom, how much, when it was due, and in how many parts besides the first."""

    agency: Agency
    agent: Agent
    payer: Client
    booking_id: str
    booking_title: str
    segment: Segment
    total_minor: int
    currency: str
    first_due: date
    parts: int


def past_payments(paid: Paid, ids: Iterator[str], chance: random.Random, now: datetime) -> Iterator[dict[str, Any]]:
    """The rows of a segment's payments: a deposit, regular payments, a final one, each some weeks after the other."""
    share, rest = divmod(paid.total_minor, paid.parts)
    for number in range(paid.parts):
        kind = (
            PaymentType.DEPOSIT
            if number == 0
            else (PaymentType.FINAL if number == paid.parts - 1 else PaymentType.REGULAR)
        )
        due = paid.first_due + timedelta(days=14 * number)
        asked = datetime.combine(due - timedelta(days=chance.randint(3, 12)), time(14, 30), UTC)
        asked = min(asked, now - timedelta(days=2))
        amount = share + (rest if number == 0 else 0)
        yield _row(paid, next(ids), kind, amount, due, asked, chance)


def still_pending(row: dict[str, Any], now: datetime, chance: random.Random) -> dict[str, Any]:
    """A payment's row as it was before its agent came to it: authorized, the card in the vault."""
    authorized = now - timedelta(hours=chance.randint(1, 600))
    return row | {
        "former_state": PaymentState.AUTHORIZED.value,
        "created_at": authorized - timedelta(hours=5),
        "opened_at": authorized - timedelta(minutes=4),
        "authorized_at": authorized,
        "retrieved_at": None,
        "closed_at": None,
        "card_token": f"card_{row['id'].partition('_')[2]}",
        "card_kept_until": authorized + timedelta(days=30),
        "card_removed_at": None,
        "card_removal_reason": "",
        "confirmation_number": "",
    }


def _row(  # noqa: PLR0917 - one row's own values
    paid: Paid, payment_id: str, kind: PaymentType, amount: int, due: date, asked: datetime, chance: random.Random
) -> dict[str, Any]:
    brand, last4 = chance.choice(_CARDS)
    name = f"{paid.payer.first_name} {paid.payer.last_name}"
    closed = asked + timedelta(hours=chance.randint(3, 40))
    context = PaymentContext(
        payment_id=payment_id,
        booking_id=paid.booking_id,
        booking_title=paid.booking_title,
        agency=paid.agency,
        agent=paid.agent,
        payer=paid.payer,
        segment=paid.segment,
        amount=common_pb2.Money(minor=amount, currency=paid.currency),
        type=_WIRE[kind],
        purpose=f"{kind.value.capitalize()} for {paid.segment.supplier_name}",
        due_on=due.isoformat(),
    )
    return _EMPTY | {
        "id": payment_id,
        "agency_id": paid.agency.id,
        "agent_id": paid.agent.id,
        "booking_id": paid.booking_id,
        "segment_id": paid.segment.id,
        "payer_client_id": paid.payer.id,
        "payer_name": name,
        "payer_email": paid.payer.email,
        "booking_title": paid.booking_title,
        "supplier_name": paid.segment.supplier_name,
        "amount_minor": amount,
        "currency": paid.currency,
        "type": kind.value,
        "purpose": context.purpose,
        "due_on": due,
        "former_state": PaymentState.PROCESSED.value,
        "context": context.SerializeToString(),
        "created_at": asked,
        "opened_at": asked + timedelta(hours=1),
        "authorized_at": asked + timedelta(hours=1, minutes=4),
        "retrieved_at": closed - timedelta(minutes=6),
        "closed_at": closed,
        "card_brand": brand,
        "card_last4": last4,
        "cardholder_name": name,
        "billing_line1": "1 Harbor Street",
        "billing_city": "Boston",
        "billing_region": "Massachusetts",
        "billing_postal_code": "02108",
        "billing_country": "US",
        "card_removed_at": closed + timedelta(seconds=2),
        "card_removal_reason": Removal.PROCESSED.value,
        "confirmation_number": f"P{chance.randint(100000, 999999)}",
        "close_note": "",
    }
