"""The lists and sums that pages show of payments."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, exists, func, select, union_all
from sqlalchemy.orm import Session, aliased

from chassis.clock import Clock
from chassis.db import Database, remembered
from chassis.errors import NotFound
from services.crm.core.actor import Actor
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import is_visible, visible_to
from services.crm.paying.payments.held import NO_SUCH_PAYMENT
from services.crm.paying.payments.models import PaymentRow, SignedDocumentRow
from services.crm.paying.payments.pending import PendingFilter, pending_query
from services.crm.paying.payments.record import Payment, payment_of
from services.crm.paying.payments.rules import Counted, PaymentState, PaymentType

EXPORT_LIMIT = 10_000
_PENDING_ON_DESK = 5
_OPENED_ON_DESK = 5
_REPORTED_ON_DESK = 20
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A signed authorization, without its bytes."""

    id: str
    title: str
    signer_name: str
    signature_kind: str
    terms_version: str
    signed_at: datetime
    pdf_sha256: str


# As a SignedDocument has them.
_OF_DOCUMENTS = (
    SignedDocumentRow.id.label("document_id"),
    SignedDocumentRow.title,
    SignedDocumentRow.signer_name,
    SignedDocumentRow.signature_kind,
    SignedDocumentRow.terms_version,
    SignedDocumentRow.signed_at,
    SignedDocumentRow.pdf_sha256,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePayment:
    """A payment, the newest one that was asked for in its place, and its signed authorizations, newest first."""

    payment: Payment
    replacement_id: str | None
    documents: tuple[SignedDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsOnDesk:
    """What an agent is shown first. `pending` waits to be processed, the longest waiting first. Of `opened` the client
    has opened the link and not sent it in, the latest opened first. `reported` is what clients say that they paid
    otherwise, still to be confirmed, the longest waiting first."""

    pending: tuple[Payment, ...]
    opened: tuple[Payment, ...]
    reported: tuple[Payment, ...]


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

    def whole(self, actor: Actor, payment_id: str) -> WholePayment:
        """As get, with all that the room keeps of it, in one query, once for each snapshot."""
        newer = aliased(PaymentRow)
        replacement = (
            select(newer.id)
            .where(newer.replaces_payment_id == PaymentRow.id)
            .order_by(newer.created_at.desc(), newer.id)
            .limit(1)
        )
        query = (
            _visible(actor)
            .add_columns(replacement.scalar_subquery().label("replacement_id"), *_OF_DOCUMENTS)
            .outerjoin(SignedDocumentRow, SignedDocumentRow.payment_id == PaymentRow.id)
            .where(PaymentRow.id == payment_id)
            .order_by(SignedDocumentRow.signed_at.desc())
        )
        with self._database.read() as session:
            rows = remembered(session, ("payment", actor, payment_id), lambda: session.execute(query).all())
            if not rows:
                raise NotFound(NO_SUCH_PAYMENT)
            signed = [tuple(row[2:]) for row in rows if row.document_id is not None]
            return WholePayment(
                payment=payment_of(rows[0].PaymentRow),
                replacement_id=rows[0].replacement_id,
                documents=tuple(SignedDocument(*each) for each in signed),
            )

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
        # By the clients alone: SQLite would rather walk through all that the actor sees.
        payers = select(PaymentRow).where(PaymentRow.payer_client_id.in_(client_ids))
        found = self._payments(confirmed.limit(limit)) if numbers else []
        if client_ids:
            latest = self._payments(payers.order_by(PaymentRow.created_at.desc(), PaymentRow.id).limit(limit))
            found += [each for each in latest if is_visible(actor, each.agency_id, each.agent_id)]
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

    def on_desk(self, actor: Actor) -> PaymentsOnDesk:
        """The first few of the actor's own payments that want something, all in one query, once for each snapshot."""
        with self._database.read() as session:
            return remembered(session, ("payments on the desk", actor), lambda: _on_desk(session, actor))

    def of_booking(self, actor: Actor, booking_id: str) -> list[Payment]:
        """A booking's payments that the actor may see, newest first."""
        return [each for each in self._all_of(booking_id) if is_visible(actor, each.agency_id, each.agent_id)]

    def of_client(self, actor: Actor, client_id: str, limit: int = 50) -> list[Payment]:
        """A client's last payments, newest first."""
        query = _visible(actor).where(PaymentRow.payer_client_id == client_id)
        return self._payments(query.order_by(PaymentRow.created_at.desc(), PaymentRow.id).limit(limit))

    def is_authorized(self, booking_id: str) -> bool:
        """Whether anybody signed a card authorization for this booking."""
        return any(payment.document_id for payment in self._all_of(booking_id))

    def has_authorized(self, actor: Actor) -> bool:
        """Whether any client of the actor's agency ever gave a card."""
        given = exists().where(PaymentRow.agency_id == actor.agency_id, PaymentRow.authorized_at.is_not(None))
        with self._database.read() as session:
            return bool(session.scalar(select(given)))

    def counted_by_segment(self, booking_id: str) -> dict[str, list[Counted]]:
        """A booking's payments by segment, as its balances see them."""
        return _by_segment(self._all_of(booking_id))

    def counted_by_booking(self, booking_ids: Collection[str]) -> dict[str, dict[str, list[Counted]]]:
        """The same of several bookings at once."""
        found: dict[str, list[Payment]] = {booking_id: [] for booking_id in booking_ids}
        for payment in self._payments(select(PaymentRow).where(PaymentRow.booking_id.in_(booking_ids))):
            found[payment.booking_id].append(payment)
        return {booking_id: _by_segment(payments) for booking_id, payments in found.items()}

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

    def documents(self, payment_ids: Iterable[str]) -> list[SignedDocument]:
        """Signed authorizations of these payments, newest first."""
        query = (
            select(*_OF_DOCUMENTS)
            .where(SignedDocumentRow.payment_id.in_(list(payment_ids)))
            .order_by(SignedDocumentRow.signed_at.desc())
        )
        with self._database.read() as session:
            return [SignedDocument(*row) for row in session.execute(query)]

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

    def _all_of(self, booking_id: str) -> Sequence[Payment]:
        """Read once for all that a page shows of them."""
        query = select(PaymentRow).where(PaymentRow.booking_id == booking_id)
        newest = query.order_by(PaymentRow.created_at.desc(), PaymentRow.id)
        with self._database.read() as session:
            return remembered(session, ("payments of booking", booking_id), lambda: self._payments(newest))

    def _payments(self, query: Select[PaymentRow]) -> list[Payment]:
        with self._database.read() as session:
            return [payment_of(row) for row in session.scalars(query)]


def _by_segment(payments: Iterable[Payment]) -> dict[str, list[Counted]]:
    found: dict[str, list[Counted]] = {}
    for payment in payments:
        counted = Counted(state=payment.state, type=payment.type, amount=payment.amount)
        found.setdefault(payment.segment_id, []).append(counted)
    return found


def _on_desk(session: Session, actor: Actor) -> PaymentsOnDesk:
    mine = select(PaymentRow).where(PaymentRow.agent_id == actor.agent_id)
    opened = mine.where(PaymentRow.state == PaymentState.OPENED).order_by(PaymentRow.opened_at.desc(), PaymentRow.id)
    reported = mine.where(PaymentRow.state == PaymentState.REPORTED).order_by(PaymentRow.created_at, PaymentRow.id)
    parts = (
        pending_query(actor, PendingFilter()).limit(_PENDING_ON_DESK),
        opened.limit(_OPENED_ON_DESK),
        reported.limit(_REPORTED_ON_DESK),
    )
    shown = union_all(*(select(part.with_only_columns(PaymentRow.id).subquery().c.id) for part in parts))
    found = [payment_of(row) for row in session.scalars(select(PaymentRow).where(PaymentRow.id.in_(shown)))]
    return PaymentsOnDesk(
        pending=_by(lambda each: each.authorized_at, [each for each in found if each.is_pending]),
        opened=_by(lambda each: each.opened_at, [each for each in found if each.state is PaymentState.OPENED])[::-1],
        reported=_by(lambda each: each.created_at, [each for each in found if each.state is PaymentState.REPORTED]),
    )


def _by(moment: Callable[[Payment], datetime | None], payments: Iterable[Payment]) -> tuple[Payment, ...]:
    return tuple(sorted(payments, key=lambda each: (moment(each) or _NEVER, each.id)))


def _visible(actor: Actor) -> Select[PaymentRow]:
    return select(PaymentRow).where(visible_to(actor, PaymentRow.agency_id, PaymentRow.agent_id))
