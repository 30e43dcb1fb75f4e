"""Payments that a client starts themselves in the portal (P3): the CRM hears of them when card and signature are in."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventMeta
from chassis.errors import NotFound
from chassis.timestamps import moment_of
from chassis.typed.days import day_from
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, PaymentContext
from protos.wayvault.events.v1.events_pb2 import PaymentType as WireType
from services.crm.paying.payments.held import HeldPayment, NewPayment, open_payment
from services.crm.paying.payments.rules import PaymentType
from services.crm.sales.clients.service import Clients, current_client_id
from services.crm.trips.bookings.service import Bookings

_TYPES = {
    WireType.PAYMENT_TYPE_DEPOSIT: PaymentType.DEPOSIT,
    WireType.PAYMENT_TYPE_FINAL: PaymentType.FINAL,
    WireType.PAYMENT_TYPE_SERVICE_FEE: PaymentType.SERVICE_FEE,
}


class StrangePayment(Exception):
    """The portal tells of a payment that this agency's books have no place for: a dead letter for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfService:
    """Opens the payment that such an authorization is for, in the caller's transaction."""

    bookings: Bookings
    clients: Clients

    def open(self, session: Session, message: PaymentAuthorized, meta: EventMeta) -> HeldPayment:
        """A payment with the id under which the vault keeps the card.

        What the client saw accepted reaches their agent: that the trip changed meanwhile, that they are
        no longer on it or was merged with another profile, refuses nothing. Raises StrangePayment where booking, agent
        or client are not this agency's: the card is bound to the agent named, so they must be the booking's own.
        """
        context, kind = self.read(session, message.context, meta)
        new = NewPayment(
            payment_id=context.payment_id,
            self_service=True,
            context=context,
            payer_name=f"{context.payer.first_name} {context.payer.last_name}".strip(),
            type=kind,
            due_on=day_from(context.due_on),
        )
        return open_payment(session, new, at=moment_of(message.authorized_at))

    def read(self, session: Session, told: PaymentContext, meta: EventMeta) -> tuple[PaymentContext, PaymentType]:
        """What the portal tells of a payment that a client started or reported, the client being today's (C4).

        Raises StrangePayment where booking, agent or client are not this agency's.
        """
        context = PaymentContext()
        context.CopyFrom(told)
        try:
            booking = self.bookings.load_by_id(session, context.booking_id)
        except NotFound:
            raise StrangePayment("the portal names a booking that the CRM does not have") from None
        context.payer.id = current_client_id(session, context.payer.id)
        payer = self.clients.load_many(session, meta.agency_id, [context.payer.id]).get(context.payer.id)
        if booking.agency_id != meta.agency_id or context.agent.id != booking.agent_id or payer is None:
            raise StrangePayment("the portal names booking, agent and client that don't belong together")
        if not (context.payer.first_name or context.payer.last_name):
            context.payer.first_name, context.payer.last_name = payer.data.first_name, payer.data.last_name
        context.agency.id, context.purpose = booking.agency_id, context.purpose[:200]
        return context, _TYPES.get(context.type, PaymentType.REGULAR)
