"""A payment inside the transaction that changes it: opening one, holding its row, what may happen to it.

Every room of the street changes payments by what is here, so a payment's state goes through its table (`rules.py`) and
two that want it at once wait for each other: the row is held (`SELECT … FOR UPDATE`; SQLite holds the whole file) until
the caller's transaction ends.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis.errors import NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, PaymentContext
from services.crm.core.actor import Actor
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.record import Payment, payment_of
from services.crm.paying.payments.rules import (
    STARTS,
    Fact,
    Method,
    PaymentState,
    PaymentType,
    after,
    lapse_warning_due,
)

_log = structlog.get_logger(__name__)
NO_SUCH_PAYMENT = "There is no such payment among yours."

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


class HeldPayment:
    """One payment, held until the caller's transaction ends. It is read as `now`, and changed by its methods only."""

    __slots__ = ("_row",)

    def __init__(self, row: PaymentRow) -> None:
        self._row = row

    @property
    def id(self) -> str:
        return self._row.id

    @property
    def now(self) -> Payment:
        """As it stands at this moment, the transaction's own changes included."""
        return payment_of(self._row)

    @property
    def context(self) -> PaymentContext:
        """What events about this payment carry; a copy. Of one that was charged it says whether money moved."""
        context = PaymentContext.FromString(self._row.context)
        context.test_mode = self._row.charged_live is False
        return context

    def happen(self, fact: Fact, *, at: datetime) -> bool:
        """Lets `fact` happen to the payment, when its state allows it. Returns whether it did."""
        state = after(PaymentState(self._row.state), fact)
        if state is None:
            return False
        self._row.state = state
        if moment := _MOMENTS.get(fact):
            setattr(self._row, moment, at)
        return True

    def note(self, *, confirmation: str | None = None, words: str | None = None) -> None:
        """Writes down the number by which it is known elsewhere, and what was said when it was closed or reported."""
        if confirmation is not None:
            self._row.confirmation_number = confirmation[:60]
        if words is not None:
            self._row.close_note = words[:500]

    def readdress(self, email: str) -> None:
        """The payer is reached at this address from now on, by whatever is mailed about the payment."""
        context = PaymentContext.FromString(self._row.context)
        context.payer.email = email
        self._row.context, self._row.payer_email = context.SerializeToString(deterministic=True), email

    def made_on(self, at: datetime) -> None:
        """Records when a payment made elsewhere was made: it counts from then on, not from when it was noted."""
        self._row.closed_at = at

    def give_back(self, refunded_minor: int) -> None:
        """So much of the payment was given back in all: what is left counts on, in every balance and report that adds
        up amounts. One that was given back in full is for the caller to reverse."""
        paid = self.context.amount.minor
        self._row.refunded_minor = refunded_minor
        self._row.amount_minor = paid - refunded_minor if refunded_minor < paid else paid

    def charged(self, *, live: bool | None) -> None:
        """Says whether the gateway that charges it moves real money, as events about it do from here on; None: its
        charge came to nothing."""
        self._row.charged_live = live

    def card_gone(self, *, at: datetime, reason: str) -> None:
        """The vault has no card of this payment any more."""
        self._row.card_removed_at, self._row.card_removal_reason = at, reason

    def cvv_shown(self, at: datetime) -> None:
        """The CVV was shown, and is destroyed. The first showing is the one that is kept."""
        self._row.cvv_shown_at = self._row.cvv_shown_at or at

    def is_of_order(self, order_id: str) -> None:
        """Says that it is a charge of a standing order."""
        self._row.standing_order_id = order_id

    def paid_by(self, *, brand: str, last4: str) -> None:
        """Says which card pays, where no card was given for this payment itself."""
        self._row.card_brand, self._row.card_last4 = brand, last4

    def cvv_given_again(self, *, kept_until: datetime) -> None:
        """The client gave the CVV once more (M10)."""
        self._row.cvv_kept_until, self._row.cvv_shown_at = kept_until, None

    def warn_of_lapse(self, now: datetime) -> bool:
        """Notes that the agent is warned of the card's lapse; False where no warning is due, or one was given."""
        row = self._row
        due = lapse_warning_due(
            state=PaymentState(row.state),
            card_kept_until=row.card_kept_until,
            warned_at=row.lapse_warned_at,
            now=now,
        )
        if due:
            row.lapse_warned_at = now
        return due

    def authorize(self, message: PaymentAuthorized, *, by_phone: bool = False) -> bool:
        """Takes the authorized card over. False where the payment is past it: that card must then be destroyed."""
        row = self._row
        known = row.card_token == message.card_token
        if not self.happen(Fact.AUTHORIZED, at=moment_of(message.authorized_at)):
            if not known:
                _log.warning("payment.authorized_too_late", payment_id=row.id, state=row.state)
            return known
        row.by_phone = row.by_phone or by_phone
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


def open_payment(session: Session, new: NewPayment, *, at: datetime) -> HeldPayment:
    """A payment as it comes into being, written in the caller's transaction."""
    if new.state not in STARTS:
        raise ValueError(f"no payment begins as {new.state}")
    context = PaymentContext()
    context.CopyFrom(new.context)
    context.test_mode = False  # what is known of a payment in whose place this one comes
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
    return HeldPayment(row)


def locked(session: Session, payment_id: str) -> HeldPayment | None:
    """The payment, held until the transaction ends."""
    return _held(session.get(PaymentRow, payment_id, with_for_update=True))


def locked_by_card(session: Session, card_token: str) -> HeldPayment | None:
    """The payment that a card belongs to, held until the transaction ends."""
    return _held(session.scalar(select(PaymentRow).where(PaymentRow.card_token == card_token).with_for_update()))


def locked_own(session: Session, actor: Actor, payment_id: str) -> HeldPayment:
    """The actor's own, held. Raises NotFound for what they may not see, PermissionDenied for what isn't theirs."""
    return HeldPayment(_own(session.get(PaymentRow, payment_id, with_for_update=True), actor))


def own(session: Session, actor: Actor, payment_id: str) -> Payment:
    """As locked_own, to read only."""
    return payment_of(_own(session.get(PaymentRow, payment_id), actor))


def _held(row: PaymentRow | None) -> HeldPayment | None:
    return HeldPayment(row) if row is not None else None


def _own(row: PaymentRow | None, actor: Actor) -> PaymentRow:
    if row is None or row.agency_id != actor.agency_id or not (actor.is_admin or actor.owns(row.agent_id)):
        raise NotFound(NO_SUCH_PAYMENT)
    if not actor.owns(row.agent_id):
        raise PermissionDenied("Only the agent who owns this payment can act on it.")
    return row


def context_of(session: Session, payment_id: str) -> PaymentContext:
    """What events about a payment carry, to read only. Raises NoResultFound for one that isn't there."""
    return PaymentContext.FromString(session.get_one(PaymentRow, payment_id).context)


def lock_of_clients(session: Session, client_ids: Collection[str]) -> None:
    """Holds every payment that these clients were asked for until the transaction ends (a merge, C4)."""
    rows = select(PaymentRow.id).where(PaymentRow.payer_client_id.in_(client_ids)).order_by(PaymentRow.id)
    session.scalars(rows.with_for_update()).all()


def payments_on_segment(session: Session, booking_id: str, segment_id: str) -> bool:
    """Whether anything was ever asked for on this segment."""
    asked = exists().where(PaymentRow.booking_id == booking_id, PaymentRow.segment_id == segment_id)
    return bool(session.scalar(select(asked)))


def replaced_by(session: Session, payment_id: str) -> str | None:
    """The newest payment that was asked for in place of this one."""
    query = (
        select(PaymentRow.id)
        .where(PaymentRow.replaces_payment_id == payment_id)
        .order_by(PaymentRow.created_at.desc(), PaymentRow.id)
    )
    return session.scalars(query).first()
