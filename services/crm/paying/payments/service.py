"""The book of payments: opening one, what happens to it, and the lists that show it.

Other rooms change a payment inside their own transaction, through `locked` and `happen`; nobody writes its
state otherwise.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.money import Money
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, PaymentContext
from services.crm.core.actor import Actor
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.paying.payments.models import PaymentRow, SignedDocumentRow
from services.crm.paying.payments.pending import PendingFilter, PendingSort, pending_query
from services.crm.paying.payments.record import BillingAddress, Payment, agent_of, payment_of, titles_of
from services.crm.paying.payments.rules import (
    LAPSE_WARNING,
    METHOD_WORDS,
    PENDING,
    RECORDED_METHODS,
    STARTS,
    TYPE_WORDS,
    Allowed,
    Balance,
    Counted,
    Decision,
    Fact,
    Method,
    PaymentState,
    PaymentType,
    Refused,
    after,
    balance,
    fee_balance,
    lapse_warning_due,
    overpaid_by,
)

# What other rooms use of this one.
__all__ = [
    "LAPSE_WARNING",
    "METHOD_WORDS",
    "PENDING",
    "RECORDED_METHODS",
    "TYPE_WORDS",
    "Allowed",
    "Balance",
    "BillingAddress",
    "Counted",
    "Decision",
    "Fact",
    "Method",
    "NewPayment",
    "Payment",
    "PaymentBook",
    "PaymentRow",
    "PaymentState",
    "PaymentType",
    "PendingFilter",
    "PendingSort",
    "Refused",
    "SignedDocument",
    "after",
    "agent_of",
    "balance",
    "context_of",
    "count_pending",
    "count_pending_by_agent",
    "fee_balance",
    "give_back",
    "happen",
    "lapse_warning_due",
    "lock_of_clients",
    "locked",
    "locked_by_card",
    "locked_own",
    "open_payment",
    "overpaid_by",
    "own",
    "payment_of",
    "payments_on_segment",
    "record_authorization",
    "replaced_by",
    "titles_of",
]

_log = structlog.get_logger(__name__)
EXPORT_LIMIT = 10_000
_NOT_FOUND = "There is no such payment among yours."

# Which column keeps the moment of a fact.
_MOMENTS = {
    Fact.OPENED: "opened_at",
    Fact.AUTHORIZED: "authorized_at",
    Fact.RETRIEVED: "retrieved_at",
    Fact.PROCESSED: "closed_at",
    Fact.CHARGED: "closed_at",
    Fact.VOIDED: "closed_at",
    Fact.CONFIRMED: "closed_at",
    Fact.DECLINED: "closed_at",
    # Of a reversal the moment stands beside the payment, with its reason: when it was processed stays.
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """What a person is to be asked for. `context` has everything that readers of events show; its id is set here.
    `payment_id` is given where the payment has an id already (P3). One that was made otherwise begins as reported or
    processed; its `method` and day stand in the context too."""

    context: PaymentContext
    payer_name: str
    type: PaymentType
    due_on: date | None
    replaces_payment_id: str | None = None
    payment_id: str = ""
    self_service: bool = False
    state: PaymentState = PaymentState.REQUESTED
    method: Method = Method.CARD
    paid_on: date | None = None


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


def open_payment(session: Session, new: NewPayment, *, at: datetime) -> PaymentRow:
    """A payment as it comes into being, written in the caller's transaction."""
    if new.state not in STARTS:
        raise ValueError(f"no payment begins as {new.state}")
    context = PaymentContext()
    context.CopyFrom(new.context)
    context.payment_id = new.payment_id or new_id("pay")
    row = PaymentRow(
        id=context.payment_id,
        agency_id=context.agency.id,
        agent_id=context.agent.id,
        booking_id=context.booking_id,
        segment_id=context.segment.id,
        payer_client_id=context.payer.id,
        payer_name=new.payer_name,
        payer_email=context.payer.email,
        booking_title=context.booking_title,
        supplier_name=context.segment.supplier_name,
        amount_minor=context.amount.minor,
        currency=context.amount.currency,
        type=new.type,
        purpose=context.purpose,
        due_on=new.due_on,
        state=new.state,
        context=context.SerializeToString(),
        replaces_payment_id=new.replaces_payment_id,
        self_service=new.self_service,
        method=new.method,
        paid_on=new.paid_on,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def context_of(row: PaymentRow) -> PaymentContext:
    """What events about this payment carry."""
    return PaymentContext.FromString(row.context)


def give_back(row: PaymentRow, refunded_minor: int) -> None:
    """So much of the payment was given back in all: what is left counts on, in every balance and report that adds up
    amounts. One that was given back in full is for the caller to reverse."""
    paid = context_of(row).amount.minor
    row.refunded_minor = refunded_minor
    row.amount_minor = paid - refunded_minor if refunded_minor < paid else paid


def locked(session: Session, payment_id: str) -> PaymentRow | None:
    """The row, held until the transaction ends (SQLite holds the whole file already)."""
    return session.get(PaymentRow, payment_id, with_for_update=True)


def lock_of_clients(session: Session, client_ids: Collection[str]) -> None:
    """Holds every payment that these clients were asked for until the transaction ends (a merge, C4)."""
    rows = select(PaymentRow.id).where(PaymentRow.payer_client_id.in_(client_ids)).order_by(PaymentRow.id)
    session.scalars(rows.with_for_update()).all()


def payments_on_segment(session: Session, booking_id: str, segment_id: str) -> bool:
    """Whether anything was ever asked for on this segment."""
    asked = exists().where(PaymentRow.booking_id == booking_id, PaymentRow.segment_id == segment_id)
    return bool(session.scalar(select(asked)))


def locked_by_card(session: Session, card_token: str) -> PaymentRow | None:
    """The row of the payment that a card belongs to, held until the transaction ends."""
    return session.scalar(select(PaymentRow).where(PaymentRow.card_token == card_token).with_for_update())


def locked_own(session: Session, actor: Actor, payment_id: str) -> PaymentRow:
    """The actor's own row, held. Raises NotFound for what they may not see, PermissionDenied for what isn't theirs."""
    return _own(locked(session, payment_id), actor)


def own(session: Session, actor: Actor, payment_id: str) -> PaymentRow:
    """As locked_own, to read only."""
    return _own(session.get(PaymentRow, payment_id), actor)


def _own(row: PaymentRow | None, actor: Actor) -> PaymentRow:
    if row is None or row.agency_id != actor.agency_id or not (actor.is_admin or actor.owns(row.agent_id)):
        raise NotFound(_NOT_FOUND)
    if not actor.owns(row.agent_id):
        raise PermissionDenied("Only the agent who owns this payment can act on it.")
    return row


def happen(row: PaymentRow, fact: Fact, *, at: datetime) -> bool:
    """Lets `fact` happen to the payment, when its state allows it. Says whether it did."""
    state = after(PaymentState(row.state), fact)
    if state is None:
        return False
    row.state = state
    if moment := _MOMENTS.get(fact):
        setattr(row, moment, at)
    return True


def replaced_by(session: Session, payment_id: str) -> str | None:
    """The newest payment that was asked for in place of this one."""
    query = (
        select(PaymentRow.id)
        .where(PaymentRow.replaces_payment_id == payment_id)
        .order_by(PaymentRow.created_at.desc(), PaymentRow.id)
    )
    return session.scalars(query).first()


def record_authorization(row: PaymentRow, message: PaymentAuthorized) -> bool:
    """Takes the authorized card over. Says no where the payment is past it: that card must then be destroyed."""
    known = row.card_token == message.card_token
    if not happen(row, Fact.AUTHORIZED, at=moment_of(message.authorized_at)):
        if not known:
            _log.warning("payment.authorized_too_late", payment_id=row.id, state=row.state)
        return known
    row.card_token = message.card_token
    row.card_brand = message.brand[:20]
    row.card_last4 = message.last4[-4:]
    row.cardholder_name = message.cardholder_name[:100]
    row.billing_line1 = message.billing_address.line1[:200]
    row.billing_line2 = message.billing_address.line2[:200]
    row.billing_city = message.billing_address.city[:100]
    row.billing_region = message.billing_address.region[:100]
    row.billing_postal_code = message.billing_address.postal_code[:20]
    row.billing_country = message.billing_address.country[:2]
    row.card_kept_until = moment_of(message.card_kept_until)
    row.cvv_kept_until = moment_of(message.cvv_kept_until) if message.HasField("cvv_kept_until") else None
    row.document_id = message.document_id[:64]
    return True


def count_pending(agent_id: str) -> Select[int]:
    """How many payments of an agent wait, to be read with what else a reader wants."""
    return select(func.count()).where(PaymentRow.agent_id == agent_id, PaymentRow.state.in_(PENDING))


def count_pending_by_agent() -> Select[str, int]:
    """The same for every agent who has any."""
    return select(PaymentRow.agent_id, func.count()).where(PaymentRow.state.in_(PENDING)).group_by(PaymentRow.agent_id)


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
                raise NotFound(_NOT_FOUND)
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

    def pending_count(self, agent_id: str) -> int:
        """How many payments the red alert counts (M3)."""
        with self._database.read() as session:
            return session.scalar(count_pending(agent_id)) or 0

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
