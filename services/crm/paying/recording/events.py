"""What the recording room does on the portal's events: a client reports a payment that was made otherwise."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from chassis.typed.days import day_from
from protos.wayvault.events.v1.events_pb2 import PaymentContext, PaymentReported
from services.crm.paying.payments.service import (
    Method,
    NewPayment,
    PaymentState,
    PaymentType,
    locked,
    open_payment,
)
from services.crm.paying.recording.rules import Act
from services.crm.paying.recording.service import note_act


class StrangeReport(Exception):
    """The portal tells of a payment that was made in no known way: a dead letter for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEvents:
    """Takes a client's report over. It is safe to run again."""

    # What is told of whom, for which part of which trip; refuses what is not this agency's.
    read: Callable[[Session, PaymentContext, EventMeta], tuple[PaymentContext, PaymentType]]

    def register(self, handlers: EventHandlers) -> None:
        """Adds this room's handlers."""
        handlers.on(PaymentReported, self.reported)

    def reported(self, session: Session, message: PaymentReported, meta: EventMeta) -> None:
        """A payment that waits for the agent's word."""
        if locked(session, message.context.payment_id) is not None:
            return
        at = moment_of(message.at)
        context, kind = self.read(session, message.context, meta)
        new = NewPayment(
            payment_id=context.payment_id,
            self_service=True,
            context=context,
            payer_name=f"{context.payer.first_name} {context.payer.last_name}".strip(),
            type=kind,
            due_on=None,
            state=PaymentState.REPORTED,
            method=_method(context),
            paid_on=day_from(context.paid_on),
        )
        payment = open_payment(session, new, at=at)
        payment.note(confirmation=message.reference, words=message.note)
        note_act(session, payment.now, Act.REPORTED, at=at, actor=None, ip="", why=message.note)


def _method(context: PaymentContext) -> Method:
    """Raises StrangeReport for a way of paying that nobody can report."""
    try:
        method = Method(context.method)
    except ValueError:
        raise StrangeReport("payment.reported names no way of paying") from None
    if method is Method.CARD:
        raise StrangeReport("payment.reported names a card payment through Wayvault")
    return method
