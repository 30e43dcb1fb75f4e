"""The receipt of a payment that its supplier has taken (P8): page and PDF say the same."""

from dataclasses import dataclass
from datetime import datetime

from chassis.cards import brand_words
from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead
from chassis.paper.sheet import Sheet
from chassis.web.formatting import day, when
from services.portal.payments.rules import METHOD_WORDS
from services.portal.payments.service import PaymentStatus

RECEIPT_NAME = "receipt.pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Everything the receipt says, ready to print. It is proof of what the supplier charged, not an invoice."""

    head: Letterhead
    number: str
    amount: str
    facts: tuple[tuple[str, str], ...]
    card_facts: tuple[str, ...]
    made_at: datetime


def receipt_of(payment: PaymentStatus) -> Receipt:
    """The receipt of a processed payment. Times are those of the request's zone."""
    request, facts = payment.request, payment.facts
    taken_at = facts.processed_at
    if taken_at is None:
        raise ValueError("a receipt is for a payment that was taken")
    card = f"{brand_words(payment.brand)} ending in {payment.last4}" if payment.last4 else ""
    lines = (
        ("Test", "No money moved: the agency's payment gateway was in test mode" if facts.test_mode else ""),
        ("Received from", request.payer_name),
        ("Paid to", request.supplier_name or request.agency_name),
        ("On", day(facts.paid_on) if facts.paid_on else when(taken_at)),
        ("How", METHOD_WORDS.get(facts.method, "")),
        ("Given back", facts.refunded.format() if facts.refunded else ""),
        ("Reference" if facts.method else "Confirmation number", facts.confirmation_number),
        ("Payment", request.type_words),
        ("For", request.purpose),
        ("Trip", request.booking_title),
        ("Card", card),
        ("Cardholder", payment.cardholder_name),
        ("Authorized", when(facts.authorized_at)),
        ("Arranged by", f"{request.agent_name}, {request.agency_name}"),
    )
    return Receipt(
        head=request.letterhead,
        number=payment.payment_id.removeprefix("pay_")[:10].upper(),
        amount=request.amount.format(),
        facts=tuple((label, text) for label, text in lines if text),
        card_facts=_card_facts(payment),
        made_at=taken_at,
    )


def _card_facts(payment: PaymentStatus) -> tuple[str, ...]:
    """M12, in one sentence each."""
    facts, found = payment.facts, []
    if facts.retrieved_at is not None:
        by = facts.retrieved_by or payment.request.agent_name
        found.append(f"Your card was viewed once by {by} at {when(facts.retrieved_at)}.")
    if facts.card_removed_at is not None:
        found.append(f"Your card was deleted at {when(facts.card_removed_at)}.")
    return tuple(found)


def receipt_pdf(receipt: Receipt) -> bytes:
    """The receipt as PDF bytes."""
    about_card = [sheet.heading("Your card"), *map(sheet.say, receipt.card_facts)] if receipt.card_facts else []
    return sheet.pdf(
        Sheet(
            head=receipt.head,
            title="Receipt",
            footer=f"Receipt {receipt.number}",
            made_at=receipt.made_at,
            blocks=(
                sheet.headline(receipt.amount),
                sheet.rule(),
                *sheet.facts(("Receipt", receipt.number), *receipt.facts),
                *about_card,
            ),
        )
    )
