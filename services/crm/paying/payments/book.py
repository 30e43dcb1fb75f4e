"""The lists and sums that pages show of payments."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, func, select

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import NotFound
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.paying.payments.held import NO_SUCH_PAYMENT, replaced_by
from services.crm.paying.payments.models import PaymentRow, SignedDocumentRow
from services.crm.paying.payments.pending import PendingFilter, pending_query
from services.crm.paying.payments.record import Payment, payment_of
from services.crm.paying.payments.rules import Counted, PaymentState, PaymentType

EXPORT_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """A signed authorization, without its bytes."""

    id: str
    title: str
    signer_name: str
    signature_kind: str
    terms_version: str
    signed_at: datetime
    pdf_sha256: str


class PaymentBook:
    """What the pages read about payments."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, actor: Actor, payment_id: str) -> Payment:
        """Raises NotFound for a payment that the actor may not see."""
        with self._database.read() as session:
            row = session.scalar(_visible(actor).where(PaymentRow.id == payment_id))
            if row is None:
                raise NotFound(NO_SUCH_PAYMENT)
            return payment_of(row)

    def pending(self, actor: Actor, limit: int = 200) -> list[Payment]:
        """The actor's own payments that wait to be processed, the longest waiting first."""
        return self._payments(pending_query(actor, PendingFilter()).limit(limit))

    def pending_page(self, actor: Actor, wanted: PendingFilter, number: int) -> Page[Payment]:
        """A page of the payment report (M4)."""
        query = pending_query(actor, wanted)
        with self._database.read() as session:
            total = bounded_count(session, query.with_only_columns(PaymentRow.id).order_by(None))
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number)))
            return Page(items=[payment_of(row) for row in rows], total=total, number=number)

    def export_pending(self, actor: Actor, wanted: PendingFilter) -> list[Payment]:
        """Everything that the payment report shows, for CSV (at most EXPORT_LIMIT)."""
        return self._payments(pending_query(actor, wanted).limit(EXPORT_LIMIT))

    def search(self, actor: Actor, text: str, client_ids: Sequence[str], limit: int) -> list[Payment]:
        """The payment that a supplier confirmed by this very number, then the latest ones of these clients."""
        numbers = {text, text.upper()} - {""}
        confirmed = _visible(actor).where(
            PaymentRow.agency_id == actor.agency_id, PaymentRow.confirmation_number.in_(numbers)
        )
        payers = _visible(actor).where(PaymentRow.payer_client_id.in_(client_ids))
        found = self._payments(confirmed.limit(limit)) if numbers else []
        if client_ids:
            found += self._payments(payers.order_by(PaymentRow.created_at.desc(), PaymentRow.id).limit(limit))
        return list({payment.id: payment for payment in found}.values())[:limit]

    def last_brands(self, client_ids: Sequence[str]) -> dict[str, str]:
        """The network of the card that each of these clients gave last; who gave none is left out."""
        query = select(PaymentRow.card_brand).where(PaymentRow.card_brand != "").order_by(PaymentRow.created_at.desc())
        with self._database.read() as session:
            found = {
                client_id: session.scalar(query.where(PaymentRow.payer_client_id == client_id).limit(1))
                for client_id in client_ids
            }
        return {client_id: brand for client_id, brand in found.items() if brand}

    def opened(self, actor: Actor, limit: int = 5) -> list[Payment]:
        """The actor's own payments whose link was opened and not yet sent in, the latest opened first."""
        query = (
            select(PaymentRow)
            .where(PaymentRow.agent_id == actor.agent_id, PaymentRow.state == PaymentState.OPENED)
            .order_by(PaymentRow.opened_at.desc(), PaymentRow.id)
            .limit(limit)
        )
        return self._payments(query)

    def reported(self, actor: Actor, limit: int = 20) -> list[Payment]:
        """What the actor's clients say that they paid otherwise, still to be confirmed; the longest waiting first."""
        query = (
            select(PaymentRow)
            .where(PaymentRow.agent_id == actor.agent_id, PaymentRow.state == PaymentState.REPORTED)
            .order_by(PaymentRow.created_at, PaymentRow.id)
            .limit(limit)
        )
        return self._payments(query)

    def of_booking(self, actor: Actor, booking_id: str) -> list[Payment]:
        """A booking's payments, newest first."""
        query = _visible(actor).where(PaymentRow.booking_id == booking_id)
        return self._payments(query.order_by(PaymentRow.created_at.desc(), PaymentRow.id))

    def of_client(self, actor: Actor, client_id: str, limit: int = 50) -> list[Payment]:
        """A client's last payments, newest first."""
        query = _visible(actor).where(PaymentRow.payer_client_id == client_id)
        return self._payments(query.order_by(PaymentRow.created_at.desc(), PaymentRow.id).limit(limit))

    def is_authorized(self, booking_id: str) -> bool:
        """Whether anybody signed a card authorization for this booking."""
        signed = exists().where(PaymentRow.booking_id == booking_id, PaymentRow.document_id != "")
        with self._database.read() as session:
            return bool(session.scalar(select(signed)))

    def has_authorized(self, actor: Actor) -> bool:
        """Whether any client of the actor's agency ever gave a card."""
        given = exists().where(PaymentRow.agency_id == actor.agency_id, PaymentRow.authorized_at.is_not(None))
        with self._database.read() as session:
            return bool(session.scalar(select(given)))

    def counted_by_segment(self, booking_id: str) -> dict[str, list[Counted]]:
        """A booking's payments by segment, as its balances see them."""
        query = select(
            PaymentRow.segment_id, PaymentRow.state, PaymentRow.type, PaymentRow.amount_minor, PaymentRow.currency
        ).where(PaymentRow.booking_id == booking_id)
        found: dict[str, list[Counted]] = {}
        with self._database.read() as session:
            for row in session.execute(query):
                amount = Money(minor=row.amount_minor, currency=row.currency)
                counted = Counted(state=PaymentState(row.state), type=PaymentType(row.type), amount=amount)
                found.setdefault(row.segment_id, []).append(counted)
        return found

    def processed_by_segment(self, segment_ids: Collection[str]) -> dict[str, int]:
        """How much was processed for each segment, in minor units; service fees don't count."""
        query = (
            select(PaymentRow.segment_id, func.sum(PaymentRow.amount_minor))
            .where(
                PaymentRow.segment_id.in_(segment_ids),
                PaymentRow.state == PaymentState.PROCESSED,
                PaymentRow.type != PaymentType.SERVICE_FEE,
            )
            .group_by(PaymentRow.segment_id)
        )
        with self._database.read() as session:
            return {segment_id: int(total) for segment_id, total in session.execute(query)}

    def replacement_of(self, payment_id: str) -> str | None:
        """The newest payment that was asked for in place of this one."""
        with self._database.read() as session:
            return replaced_by(session, payment_id)

    def documents(self, payment_ids: Iterable[str]) -> list[SignedDocument]:
        """Signed authorizations of these payments, newest first."""
        columns = (
            SignedDocumentRow.id,
            SignedDocumentRow.title,
            SignedDocumentRow.signer_name,
            SignedDocumentRow.signature_kind,
            SignedDocumentRow.terms_version,
            SignedDocumentRow.signed_at,
            SignedDocumentRow.pdf_sha256,
        )
        query = (
            select(*columns)
            .where(SignedDocumentRow.payment_id.in_(list(payment_ids)))
            .order_by(SignedDocumentRow.signed_at.desc())
        )
        with self._database.read() as session:
            return [SignedDocument(**row) for row in session.execute(query).mappings()]

    def document_pdf(self, actor: Actor, payment_id: str, document_id: str) -> bytes:
        """The PDF of a payment's signed authorization. Raises NotFound."""
        self.get(actor, payment_id)
        query = select(SignedDocumentRow.pdf).where(
            SignedDocumentRow.id == document_id,
            SignedDocumentRow.payment_id == payment_id,
            SignedDocumentRow.agency_id == actor.agency_id,
        )
        with self._database.read() as session:
            pdf = session.scalar(query)
        if pdf is None:
            raise NotFound("There is no such document.")
        return pdf

    def _payments(self, query: Select[PaymentRow]) -> list[Payment]:
        with self._database.read() as session:
            return [payment_of(row) for row in session.scalars(query)]


def _visible(actor: Actor) -> Select[PaymentRow]:
    return select(PaymentRow).where(visible_to(actor, PaymentRow.agency_id, PaymentRow.agent_id))
