"""The use case of the dispute pack: gathers what there is about a card payment, and makes one PDF of it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import pikepdf

from chassis.clock import Clock
from chassis.errors import NotFound
from chassis.paper import sheet
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.ports.charging import RefundState
from services.crm.office.dispute_packs.paper import Annex, DisputePack, GivenBack, sheet_of
from services.crm.office.mail_outcomes.service import MailOutcomes
from services.crm.paying.parts import Paying
from services.crm.paying.payments.service import Payment
from services.crm.paying.reveal.history import HistoryLine, Names, history_lines
from services.crm.signing.parts import Signing
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.parts import Trips

NO_CARD = "A dispute pack is for a payment by card."


@dataclass(frozen=True, slots=True)
class _Original:
    annex: Annex
    pdf: bytes


class DisputePacks:
    """Makes packs; nothing of them is kept."""

    def __init__(
        self,
        *,
        clock: Clock,
        directory: Directory,
        trips: Trips,
        paying: Paying,
        signing: Signing,
        mails: MailOutcomes,
        portal_url: str,
    ) -> None:
        self._clock = clock
        self._directory = directory
        self._trips = trips
        self._paying = paying
        self._signing = signing
        self._mails = mails
        self._portal_url = portal_url

    def make(self, actor: Actor, payment_id: str) -> bytes:
        """The pack as PDF bytes, with what was signed behind it.

        Raises NotFound for what the actor may not see and for a payment without a card, and WayvaultError while the
        vault can't tell who handled the card: a pack without that would look whole.
        """
        payment = self._paying.book.get(actor, payment_id)
        if not payment.card_last4:
            raise NotFound(NO_CARD)
        history = self._history(actor, payment)
        booking = self._trips.bookings.get(actor, payment.booking_id)
        originals = [*self._authorizations(actor, payment), *self._signed(actor, payment, booking)]
        agency = self._directory.agency(payment.agency_id)
        pack = DisputePack(
            head=agency.letterhead,
            agency_name=agency.name,
            agent_name=booking.agent_name,
            payment=payment,
            refunds=tuple(self._given_back(payment)),
            link=self._paying.links.of_payment(payment.id),
            booking=booking,
            segment=booking.segment(payment.segment_id),
            documents=tuple(
                each
                for each in self._trips.documents.of_booking(actor, booking.id)
                if each.for_everyone or payment.payer_client_id in each.reader_ids
            ),
            shares=tuple(self._trips.shares.of_booking(actor, booking)),
            mails=tuple(self._mails.fates(payment)),
            history=tuple(history),
            annexes=tuple(original.annex for original in originals),
            verify_url=f"{self._portal_url}/verify",
            made_at=self._clock.now(),
        )
        return _joined(sheet.pdf(sheet_of(pack)), originals)

    def _history(self, actor: Actor, payment: Payment) -> list[HistoryLine]:
        people = Names(
            names=self._directory.names_in(actor),
            client=payment.payer_name,
            by_phone=payment.by_phone,
            reasons=self._paying.reason_words.of_codes,
        )
        return history_lines(self._paying.reveals.access_entries(payment), people)

    def _given_back(self, payment: Payment) -> list[GivenBack]:
        return [
            GivenBack(amount=refund.amount, at=refund.settled_at, reason=refund.reason)
            for refund in self._paying.refunds.of_payment(payment)
            if refund.state is RefundState.SUCCEEDED and refund.settled_at is not None
        ]

    def _authorizations(self, actor: Actor, payment: Payment) -> list[_Original]:
        found = []
        for document in self._paying.book.documents([payment.id]):
            pdf = self._paying.book.document_pdf(actor, payment.id, document.id)
            annex = Annex(
                title=document.title,
                signer_name=document.signer_name,
                signed_at=document.signed_at,
                pages=_pages(pdf),
                sha256=document.pdf_sha256,
            )
            found.append(_Original(annex, pdf))
        return found

    def _signed(self, actor: Actor, payment: Payment, booking: BookingDetail) -> list[_Original]:
        """What the payer signed beside the authorization: terms, fee agreement, the answer about insurance."""
        found = []
        for request in self._signing.book.of_booking(booking):
            if request.client_id == payment.payer_client_id and request.signed_at is not None:
                pdf = self._signing.book.pdf(actor, request.id)
                found.append(_original(request.title, request.signer_name, request.signed_at, pdf))
        for offer in self._signing.insurance.of_booking(booking):
            if offer.client_id == payment.payer_client_id and offer.is_answered and offer.decided_at is not None:
                pdf = self._signing.insurance.pdf(actor, offer.id)
                title = f"Travel insurance {offer.state.value}"
                found.append(_original(title, offer.passenger_name, offer.decided_at, pdf))
        return sorted(found, key=lambda original: original.annex.signed_at)


def _original(title: str, signer_name: str, signed_at: datetime, pdf: bytes) -> _Original:
    annex = Annex(
        title=title,
        signer_name=signer_name,
        signed_at=signed_at,
        pages=_pages(pdf),
        sha256=sha256(pdf).hexdigest(),
    )
    return _Original(annex, pdf)


def _pages(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def _joined(first: bytes, originals: Sequence[_Original]) -> bytes:
    """One file: the pack's own pages, then the originals, with a bookmark at each. Equal inputs give equal bytes."""
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(first)) as pack:
        with pack.open_outline() as outline:
            for number, original in enumerate(originals, start=1):
                outline.root.append(pikepdf.OutlineItem(f"Annex {number}: {original.annex.title}", len(pack.pages)))
                with pikepdf.open(io.BytesIO(original.pdf)) as pdf:
                    pack.pages.extend(pdf.pages)
        pack.save(made, deterministic_id=True)
    return made.getvalue()
