"""A payment as the rest of the CRM sees it: a value, read from its row."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.cards import brand_words
from chassis.errors import NotFound
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.core.for_admins import ForAdminsColumns
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import (
    CLOSED,
    METHOD_WORDS,
    PENDING,
    TYPE_WORDS,
    Fact,
    Method,
    PaymentState,
    PaymentType,
    after,
)

_AT_ONCE = 1_000
R = TypeVar("R", bound=ForAdminsColumns)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingAddress:
    """Where the card's bills go, as the client wrote it. `country` is ISO 3166-1 alpha-2."""

    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str

    def __bool__(self) -> bool:
        return bool(self.line1 or self.city or self.postal_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One person's payment. Of the card only what stays forever (M13) and the vault's token."""

    id: str
    agency_id: str
    agent_id: str
    booking_id: str
    booking_title: str
    segment_id: str
    supplier_name: str
    payer_client_id: str
    payer_name: str
    payer_email: str
    # What counts, and what was given back of what was paid.
    amount: Money
    refunded: Money
    # Of one that the agency's gateway charged: whether real money moved; None for any other.
    charged_live: bool | None
    type: PaymentType
    purpose: str
    due_on: date | None
    state: PaymentState
    standing_order_id: str
    replaces_payment_id: str | None
    self_service: bool
    by_phone: bool
    method: Method
    paid_on: date | None
    created_at: datetime
    opened_at: datetime | None
    authorized_at: datetime | None
    retrieved_at: datetime | None
    closed_at: datetime | None
    card_token: str | None
    card_brand: str
    card_last4: str
    cardholder_name: str
    billing: BillingAddress
    card_kept_until: datetime | None
    cvv_kept_until: datetime | None
    cvv_shown_at: datetime | None
    card_removed_at: datetime | None
    card_removal_reason: str
    confirmation_number: str
    close_note: str
    document_id: str

    @property
    def paid(self) -> Money:
        """What was asked for and paid, before anything was given back."""
        return self.amount if self.state is PaymentState.REVERSED else self.amount + self.refunded

    @property
    def type_words(self) -> str:
        return TYPE_WORDS[self.type]

    @property
    def is_recorded(self) -> bool:
        """Whether it was made otherwise than by a card through Wayvault, and written down here."""
        return self.method is not Method.CARD

    @property
    def method_words(self) -> str:
        return METHOD_WORDS[self.method]

    @property
    def can_be_reversed(self) -> bool:
        return after(self.state, Fact.REVERSED) is not None

    @property
    def card_words(self) -> str:
        """ "Visa ending in 1111", or nothing before a card was given."""
        if not self.card_last4:
            return ""
        return f"{brand_words(self.card_brand)} ending in {self.card_last4}"

    @property
    def brand_words(self) -> str:
        return brand_words(self.card_brand)

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING

    @property
    def is_closed(self) -> bool:
        return self.state in CLOSED

    @property
    def card_held(self) -> bool:
        """Whether the vault still has a card of this payment, as far as the CRM knows."""
        return self.card_token is not None and self.card_removed_at is None and self.state is not PaymentState.LAPSED

    def cvv_held(self, now: datetime) -> bool:
        """Whether the vault may still have the CVV: it has the last word."""
        return (
            self.card_held
            and self.cvv_shown_at is None
            and self.cvv_kept_until is not None
            and now < self.cvv_kept_until
            and not self.is_closed
        )


def payment_of(row: PaymentRow) -> Payment:
    """The value of a row."""
    return Payment(
        id=row.id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        booking_id=row.booking_id,
        booking_title=row.booking_title,
        segment_id=row.segment_id,
        supplier_name=row.supplier_name,
        payer_client_id=row.payer_client_id,
        payer_name=row.payer_name,
        payer_email=row.payer_email,
        amount=Money(minor=row.amount_minor, currency=row.currency),
        refunded=Money(minor=row.refunded_minor, currency=row.currency),
        charged_live=row.charged_live,
        type=PaymentType(row.type),
        purpose=row.purpose,
        due_on=row.due_on,
        state=PaymentState(row.state),
        standing_order_id=row.standing_order_id,
        replaces_payment_id=row.replaces_payment_id,
        self_service=row.self_service,
        by_phone=row.by_phone,
        method=Method(row.method),
        paid_on=row.paid_on,
        created_at=row.created_at,
        opened_at=row.opened_at,
        authorized_at=row.authorized_at,
        retrieved_at=row.retrieved_at,
        closed_at=row.closed_at,
        card_token=row.card_token,
        card_brand=row.card_brand,
        card_last4=row.card_last4,
        cardholder_name=row.cardholder_name,
        billing=BillingAddress(
            line1=row.billing_line1,
            line2=row.billing_line2,
            city=row.billing_city,
            region=row.billing_region,
            postal_code=row.billing_postal_code,
            country=row.billing_country,
        ),
        card_kept_until=row.card_kept_until,
        cvv_kept_until=row.cvv_kept_until,
        cvv_shown_at=row.cvv_shown_at,
        card_removed_at=row.card_removed_at,
        card_removal_reason=row.card_removal_reason,
        confirmation_number=row.confirmation_number,
        close_note=row.close_note,
        document_id=row.document_id,
    )


def payments_by_id(session: Session, payment_ids: Collection[str]) -> dict[str, Payment]:
    """These payments, to read only; what a caller may see of them is for the caller to ask."""
    if not payment_ids:
        return {}
    return {
        row.id: payment_of(row) for row in session.scalars(select(PaymentRow).where(PaymentRow.id.in_(payment_ids)))
    }


def asked_of_admins(
    session: Session, row: type[R], actor: Actor, *, limit: int, unknown: str
) -> list[tuple[R, Payment]]:
    """The agency's requests of one kind with their payments, newest first. Raises NotFound(`unknown`) for who is no
    admin."""
    if not actor.is_admin:
        raise NotFound(unknown)
    query = select(row).where(row.agency_id == actor.agency_id).order_by(row.requested_at.desc(), row.id).limit(limit)
    rows = session.scalars(query).all()
    payments = payments_by_id(session, {each.payment_id for each in rows})
    return [(each, payments[each.payment_id]) for each in rows]


def titles_of(session: Session, agency_id: str, payment_ids: Collection[str]) -> dict[str, str]:
    """Whose payments these are, by id: "Grace Hopper, Norwegian fjords"; only what is this agency's."""
    query = select(PaymentRow.id, PaymentRow.payer_name, PaymentRow.booking_title).where(
        PaymentRow.agency_id == agency_id, PaymentRow.id.in_(payment_ids)
    )
    return {row.id: f"{row.payer_name}, {row.booking_title}" for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class Payer:
    """Who is to pay, and the address the client was asked at."""

    client_id: str
    email: str


def payer_of(session: Session, agency_id: str, payment_id: str) -> Payer | None:
    """Whose payment of this agency it is; None where there is none."""
    row = session.get(PaymentRow, payment_id) if payment_id else None
    if row is None or row.agency_id != agency_id:
        return None
    return Payer(client_id=row.payer_client_id, email=row.payer_email)


def agent_of(session: Session, agency_id: str, payment_id: str) -> str:
    """The agent whose payment this is; empty when the agency has no such payment."""
    owner = select(PaymentRow.agent_id).where(PaymentRow.id == payment_id, PaymentRow.agency_id == agency_id)
    return session.scalar(owner) or ""
