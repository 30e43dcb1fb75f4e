"""What the payments room does on the CRM's events: it keeps the facts. First word wins: a fact told twice, or told
again with another moment, changes nothing; facts of different kinds may come in any order."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import (
    PaymentCardRemoved,
    PaymentConfirmationWanted,
    PaymentLapsed,
    PaymentProcessed,
    PaymentRecorded,
    PaymentRefunded,
    PaymentReportDeclined,
    PaymentRetrieved,
    PaymentReversed,
    PaymentTakenByPhone,
    PaymentVoided,
)
from services.portal.payments.service import note_context, payment_row


def subscribe(handlers: EventHandlers) -> None:
    """Registers the room's handlers."""
    handlers.on(PaymentRetrieved, on_retrieved)
    handlers.on(PaymentProcessed, on_processed)
    handlers.on(PaymentConfirmationWanted, on_confirmation_wanted)
    handlers.on(PaymentVoided, on_voided)
    handlers.on(PaymentCardRemoved, on_card_removed)
    handlers.on(PaymentLapsed, on_lapsed)
    handlers.on(PaymentRecorded, on_recorded)
    handlers.on(PaymentReportDeclined, on_declined)
    handlers.on(PaymentReversed, on_reversed)
    handlers.on(PaymentRefunded, on_refunded)
    handlers.on(PaymentTakenByPhone, on_taken_by_phone)


def on_retrieved(session: Session, message: PaymentRetrieved, _: EventMeta) -> None:
    row = payment_row(session, message.payment_id)
    if row.retrieved_at is None:
        row.retrieved_at, row.retrieved_by = moment_of(message.at), message.agent_name[:200]


def on_processed(session: Session, message: PaymentProcessed, meta: EventMeta) -> None:
    row = payment_row(session, message.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    if row.processed_at is None:
        row.processed_at, row.confirmation_number = moment_of(message.at), message.confirmation_number[:200]


def on_confirmation_wanted(session: Session, message: PaymentConfirmationWanted, meta: EventMeta) -> None:
    """The client is on their way to the bank, and comes back to a page that says whether money moves."""
    note_context(session, payment_row(session, message.context.payment_id), message.context, meta.occurred_at)


def on_voided(session: Session, message: PaymentVoided, meta: EventMeta) -> None:
    row = payment_row(session, message.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    if row.voided_at is None:
        row.voided_at, row.void_reason = moment_of(message.at), message.reason[:1000]
        row.fresh_link_follows = message.fresh_link_follows


def on_card_removed(session: Session, message: PaymentCardRemoved, _: EventMeta) -> None:
    row = payment_row(session, message.payment_id)
    if row.card_removed_at is None:
        row.card_removed_at = moment_of(message.at)


def on_lapsed(session: Session, message: PaymentLapsed, meta: EventMeta) -> None:
    row = payment_row(session, message.context.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    if row.lapsed_at is None:
        row.lapsed_at = moment_of(message.at)


def on_recorded(session: Session, message: PaymentRecorded, meta: EventMeta) -> None:
    row = payment_row(session, message.context.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    if row.processed_at is None:
        row.processed_at, row.confirmation_number = moment_of(message.at), message.reference[:200]


def on_declined(session: Session, message: PaymentReportDeclined, meta: EventMeta) -> None:
    row = payment_row(session, message.context.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    if row.declined_at is None:
        row.declined_at, row.answer = moment_of(message.at), message.reason[:1000]


def on_reversed(session: Session, message: PaymentReversed, meta: EventMeta) -> None:
    row = payment_row(session, message.context.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    if row.reversed_at is None:
        row.reversed_at = moment_of(message.at)
        # Of one that was given back the refund has said why.
        row.answer = row.answer if row.refunded_at else message.reason[:1000]


def on_refunded(session: Session, message: PaymentRefunded, meta: EventMeta) -> None:
    """Money went back to the card; the message has all of it so far, so that the latest word stays."""
    row = payment_row(session, message.context.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    at = moment_of(message.at)
    if row.refunded_at is None or row.refunded_at <= at:
        row.refunded_minor, row.refunded_at, row.answer = message.refunded.minor, at, message.reason[:1000]
        if message.refunded.minor < row.amount_minor:
            row.reversed_at = None


def on_taken_by_phone(session: Session, message: PaymentTakenByPhone, meta: EventMeta) -> None:
    """The client keyed the card during a call: authorized as if by a form, with no document of ours."""
    row = payment_row(session, message.context.payment_id)
    note_context(session, row, message.context, meta.occurred_at)
    if row.authorized_at is None:
        row.brand, row.last4 = message.brand[:20], message.last4[-4:]
        row.cardholder_name = message.cardholder_name[:200]
        row.authorized_at = moment_of(message.authorized_at)
        row.card_kept_until = moment_of(message.card_kept_until)
        row.cvv_kept_until = moment_of(message.cvv_kept_until) if message.HasField("cvv_kept_until") else None
