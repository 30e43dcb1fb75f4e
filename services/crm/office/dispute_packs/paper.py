"""What a dispute pack says: what was charged, agreed to, arranged and mailed, and who handled the card. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.itinerary import KIND_WORDS
from chassis.money import Money
from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead
from chassis.paper.sheet import Block, Sheet
from chassis.web.formatting import country, day, day_range, plural, unbroken_amounts, when_utc
from services.crm.office.mail_outcomes.rules import MailFate
from services.crm.paying.links.service import Link
from services.crm.paying.links.terms import bare_purpose
from services.crm.paying.payments.service import Payment, PaymentState
from services.crm.paying.reveal.history import HistoryLine
from services.crm.trips.bookings.service import BookingDetail, SegmentDetail
from services.crm.trips.documents.service import Document
from services.crm.trips.itinerary.rules import Share

_STATE_WORDS: Final = {
    PaymentState.AUTHORIZED: "Authorized, not charged yet",
    PaymentState.RETRIEVED: "Card passed to the supplier, not closed yet",
    PaymentState.PROCESSED: "Charged",
    PaymentState.VOIDED: "Void: the card was not charged",
    PaymentState.LAPSED: "Lapsed: the card was never shown",
    PaymentState.REVERSED: "Taken back",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Annex:
    """A signed original that follows the pack's own pages, unchanged. `sha256` is of the original file, in hex."""

    title: str
    signer_name: str
    signed_at: datetime
    pages: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """A refund that was made."""

    amount: Money
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputePack:
    """Everything the pack says. `segment` is what was paid for; None for a fee, or where it was removed since."""

    head: Letterhead
    agency_name: str
    agent_name: str
    payment: Payment
    refunds: tuple[GivenBack, ...]
    link: Link | None
    booking: BookingDetail
    segment: SegmentDetail | None
    documents: tuple[Document, ...]
    shares: tuple[Share, ...]
    mails: tuple[MailFate, ...]
    history: tuple[HistoryLine, ...]
    annexes: tuple[Annex, ...]
    verify_url: str
    made_at: datetime


def sheet_of(pack: DisputePack) -> Sheet:
    """The pack's own pages, ready to be set."""
    payment = pack.payment
    return Sheet(
        head=pack.head,
        title="Documents for a card dispute",
        subject=f"Card payment of {payment.payer_name}",
        footer=f"Payment {payment.id.removeprefix('pay_')[:10].upper()} of {payment.payer_name}",
        made_at=pack.made_at,
        blocks=(
            sheet.headline(f"{payment.paid.format()} to {payment.supplier_name or pack.agency_name}"),
            sheet.rule(),
            *_payment(pack),
            *_agreed(pack),
            *_delivered(pack),
            *_mails(pack),
            *_history(pack),
        ),
    )


def _payment(pack: DisputePack) -> tuple[Block, ...]:
    payment = pack.payment
    return (
        sheet.heading("The payment"),
        *sheet.facts(
            ("Cardholder", payment.cardholder_name),
            ("Card", payment.card_words),
            ("Billing address", _address(payment)),
            ("Client", f"{payment.payer_name}, {payment.payer_email}"),
            ("Paid to", payment.supplier_name or pack.agency_name),
            ("For", f"{payment.type_words} for {bare_purpose(payment.purpose or pack.booking.title)}"),
            ("Authorized", when_utc(payment.authorized_at)),
            ("State", _STATE_WORDS.get(payment.state, "")),
            ("Closed", when_utc(payment.closed_at)),
            ("Confirmation number", payment.confirmation_number),
            ("Arranged by", f"{pack.agent_name}, {pack.agency_name}"),
        ),
        *(
            sheet.fact("Given back", f"{refund.amount.format()}, {when_utc(refund.at)}: {refund.reason}")
            for refund in pack.refunds
        ),
    )


def _address(payment: Payment) -> str:
    billing = payment.billing
    place = " ".join(part for part in (billing.city, billing.region, billing.postal_code) if part)
    lines = (billing.line1, billing.line2, place, country(billing.country) if billing.country else "")
    return ", ".join(line for line in lines if line)


def _agreed(pack: DisputePack) -> tuple[Block, ...]:
    """How the client was asked, and what they signed; the texts themselves are in the annexes, as they were shown."""
    link = pack.link
    asked = sheet.facts(
        ("Asked at", link.email if link else ""),
        ("Link sent", when_utc(link.sent_at) if link else ""),
        ("Link opened", when_utc(link.opened_at) if link else ""),
        ("Form sent in", when_utc(link.submitted_at) if link else ""),
        ("By telephone", "The client keyed the card on the telephone." if pack.payment.by_phone else ""),
    )
    signed = tuple(
        sheet.fact(
            f"Annex {number}",
            f"{annex.title}, signed by {annex.signer_name}, {when_utc(annex.signed_at)}; "
            f"{plural(annex.pages, 'page')}. SHA-256 of the original: {annex.sha256}",
        )
        for number, annex in enumerate(pack.annexes, start=1)
    )
    where = (
        "The annexes follow in this order, as they were signed: with the exact text that was shown, the cancellation "
        "and change terms in it, and a certificate of each step. "
        f"Anybody can check an original at {pack.verify_url}."
    )
    nothing = "Nothing was signed for this payment."
    return (
        sheet.heading("What the client agreed to"),
        *asked,
        *signed,
        sheet.say(where if signed else nothing),
    )


def _delivered(pack: DisputePack) -> tuple[Block, ...]:
    booking = pack.booking
    segments = (pack.segment,) if pack.segment else booking.segments
    shared = [
        sheet.fact(
            "Document",
            f"{document.title}, shared {when_utc(document.shared_at)}"
            + (f", taken back {when_utc(document.withdrawn_at)}" if document.withdrawn_at else ""),
        )
        for document in pack.documents
    ]
    itineraries = [
        sheet.fact("Itinerary", f"Sent to {share.to}, {share.email}, {when_utc(share.created_at)}")
        for share in pack.shares
        if share.email
    ]
    return (
        sheet.heading("What was arranged and delivered"),
        *sheet.facts(
            ("Trip", booking.title),
            ("Travelers", ", ".join(passenger.name for passenger in booking.passengers)),
        ),
        *(sheet.fact(KIND_WORDS[segment.data.kind], _segment(segment)) for segment in segments),
        *reversed(shared),
        *reversed(itineraries),
    )


def _segment(segment: SegmentDetail) -> str:
    data = segment.data
    parts = (
        data.supplier_name,
        data.description,
        day_range(data.begins_on, data.ends_on or data.begins_on) if data.begins_on else "",
        f"confirmation number {data.confirmation_number}" if data.confirmation_number else "",
        f"cancelled {day(segment.cancellation.at)}" if segment.cancellation else "",
    )
    return ", ".join(part for part in parts if part)


def _mails(pack: DisputePack) -> tuple[Block, ...]:
    if not pack.mails:
        return ()
    return (
        sheet.heading("E-mails to the client"),
        *(
            sheet.fact(
                when_utc(mail.at),
                f"{mail.words}, to {mail.address}: "
                + (f"not delivered. {mail.problem}" if mail.problem else "accepted by the recipient's mail server"),
            )
            for mail in pack.mails
        ),
    )


def _history(pack: DisputePack) -> tuple[Block, ...]:
    """The vault's trail, oldest first: a bank reads a story from its beginning."""
    if not pack.history:
        return ()
    return (
        sheet.heading("Who handled the card"),
        sheet.say("Every code, showing, refusal and removal, from the card vault's own audit trail."),
        *(
            sheet.fact(
                when_utc(line.at),
                ": ".join(part for part in (line.what, unbroken_amounts(line.why)) if part)
                + f". {', '.join(part for part in (line.who, line.where) if part)}.",
            )
            for line in reversed(pack.history)
        ),
    )
