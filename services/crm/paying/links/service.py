"""Use cases of payment authorization links: send, remind, withdraw, expire, ask again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, remembered
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import derived_id
from chassis.sealing import LetterSealer
from protos.wayvault.events.v1.events_pb2 import PaymentContext, PaymentLinkIssued, PaymentLinkRevoked
from services.crm.access.agency.service import Directory
from services.crm.access.enrolment.service import Enrolments
from services.crm.core.actor import Actor
from services.crm.core.asked import once
from services.crm.core.course import Fact as Step
from services.crm.core.together import PartAsking, PartOf
from services.crm.core.visibility import visible_to
from services.crm.paying.links.issuing import Issuing, payer_of, traveller_of
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.records import KIND, WIRE_TYPES, Link, LinkRequest, Share, link_of
from services.crm.paying.links.rules import DEFAULT_LIFETIME, LIVE, LinkState
from services.crm.paying.payments.service import (
    Fact,
    HeldPayment,
    NewPayment,
    locked,
    locked_own,
    open_payment,
    payments_by_id,
)
from services.crm.trips.bookings.service import (
    BookingDetail,
    Bookings,
    passenger_snapshot,
    segment_snapshot,
)
from services.crm.trips.passenger_picker import address_today

__all__ = ["WIRE_TYPES", "Link", "LinkRequest", "PaymentLinks", "Share", "link_of"]


class PaymentLinks(PartAsking[PaymentLinkRow, LinkState, Link]):
    """The links room's use cases."""

    kind = KIND

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        directory: Directory,
        enrolments: Enrolments,
        letters: LetterSealer,
        portal_url: str,
        lifetime: timedelta = DEFAULT_LIFETIME,
    ) -> None:
        super().__init__(database=database, outbox=outbox, clock=clock, lifetime=lifetime)
        self._bookings = bookings
        self._directory = directory
        self._enrolments = enrolments
        self._issuing = Issuing(
            outbox=outbox, clock=clock, directory=directory, letters=letters, portal_url=portal_url, lifetime=lifetime
        )

    def send(self, actor: Actor, booking_id: str, request: LinkRequest) -> list[Link]:
        """Opens a payment and a link for each share and hands their letters over, in one transaction.

        The same request again answers with what the first one made. Raises NotFound, PermissionDenied or
        InvalidArgument, also for an agent whom the vault does not know: they could not retrieve what is given.
        """
        self.require_enrolled(actor)

        def make(session: Session) -> list[Link]:
            booking = self._bookings.hold_own(session, actor, booking_id)
            return [self.open(session, booking, request, share) for share in request.shares]

        return once(
            self._database,
            lambda session: [link_of(row) for row in KIND.made_by(session, actor, [request.request_key])],
            make,
        )

    def remind(self, actor: Actor, link_id: str, *, issue: int) -> Link:
        """As `Asking.remind`, but for an agent whom the vault does not know: they could not retrieve what is given."""
        self.require_enrolled(actor)
        return super().remind(actor, link_id, issue=issue)

    def ask_again(self, session: Session, payment: HeldPayment) -> str:
        """A new payment and link in place of one that came to nothing, in the caller's transaction (M7, M9).

        Names, addresses and policies are today's as far as the booking still has them. Returns the new payment's id.
        """
        context, old = self.fresh_context(session, payment.context), payment.now
        new = NewPayment(
            context=context,
            payer_name=f"{context.payer.first_name} {context.payer.last_name}".strip(),
            type=old.type,
            due_on=old.due_on,
            replaces_payment_id=old.id,
        )
        replacement = open_payment(session, new, at=self._clock.now())
        self._issuing.add(session, replacement, request_key=f"again:{payment.id}")
        return replacement.id

    def fresh_context(self, session: Session, context: PaymentContext) -> PaymentContext:
        """What a payment's events say, with today's names, addresses and policies as far as the booking has them."""
        booking = self._bookings.load_by_id(session, context.booking_id)
        context.booking_title = booking.title
        self._issuing.fill_house(session, context, booking)
        passenger = booking.passenger(context.payer.id)
        if passenger is not None and passenger.email:
            context.payer.CopyFrom(passenger_snapshot(passenger))
        if segment := booking.segment(context.segment.id):
            context.segment.CopyFrom(segment_snapshot(segment))
        return context

    def open(self, session: Session, booking: BookingDetail, request: LinkRequest, share: Share) -> Link:
        """A payment and the link that asks for it, in the caller's transaction. Raises InvalidArgument."""
        new = self._issuing.new_payment(session, booking, request, share, payer_of(booking, share))
        payment = open_payment(session, new, at=self._clock.now())
        return self._issuing.add(session, payment, request_key=request.request_key)

    def require_enrolled(self, actor: Actor) -> None:
        """Raises InvalidArgument for an agent whom the vault does not know: they could not retrieve what is given."""
        self._enrolments.require(self._directory.agent(actor.agent_id))

    def open_part(
        self, session: Session, booking: BookingDetail, request: LinkRequest, share: Share, part: PartOf
    ) -> PaymentLinkIssued:
        """As `open`, asked for in a visit: what the visit tells of it. The caller has asked `require_enrolled`."""
        new = self._issuing.new_payment(session, booking, request, share, payer_of(booking, share))
        return self._issuing.add_part(session, open_payment(session, new, at=self._clock.now()), part)

    def issue(self, session: Session, payment: HeldPayment) -> Link:
        """A link for a payment that has none, in the caller's transaction."""
        return self._issuing.add(session, payment, request_key=f"card:{payment.id}")

    def take_back(self, session: Session, payment: HeldPayment) -> None:
        """The payment is asked for no more, in the caller's transaction; one that is past that is left as it is."""
        payment.happen(Fact.LINK_REVOKED, at=self._clock.now())
        self.close_link_of(session, payment.id)

    def open_without_link(self, actor: Actor, booking_id: str, request: LinkRequest) -> str:
        """A payment for the one share of the request, asked for without a link (T1). The same request again makes none.

        Returns the payment's id. Raises NotFound, PermissionDenied or InvalidArgument.
        """
        (share,) = request.shares
        payment_id = derived_id("pay", f"{actor.agent_id} {request.request_key}")
        with self._database.transaction() as session:
            booking = self._bookings.hold_own(session, actor, booking_id)
            if not payments_by_id(session, [payment_id]):
                passenger = traveller_of(booking, share)
                new = self._issuing.new_payment(session, booking, request, share, passenger)
                open_payment(session, replace(new, payment_id=payment_id), at=self._clock.now())
        return payment_id

    def send_for(self, actor: Actor, payment_id: str) -> str:
        """A link for a payment that has none that lives: the same amount and purpose (T9). Returns its address.

        Raises NotFound, PermissionDenied or InvalidArgument.
        """
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            row = session.scalar(select(PaymentLinkRow).where(PaymentLinkRow.payment_id == payment_id))
            if not payment.now.payer_email:
                raise InvalidArgument(f"{payment.now.payer_name} has no e-mail address, so no link can be sent.")
            if row is None:
                self._issuing.add(session, payment, request_key=f"instead:{payment_id}")
            elif LinkState(row.state) not in LIVE:
                raise InvalidArgument(f"The link of this payment was {row.state}. Send a new one from the booking.")
            return payment.now.payer_email

    def close_link_of(self, session: Session, payment_id: str) -> None:
        """The payment's link, if it has one that lives, stops working: the card came, or is to come, otherwise."""
        row = session.scalar(select(PaymentLinkRow).where(PaymentLinkRow.payment_id == payment_id).with_for_update())
        if row is not None:
            self._close(session, row)

    def of_booking(self, actor: Actor, booking_id: str) -> list[Link]:
        """A booking's links, newest first."""
        query = (
            select(PaymentLinkRow)
            .where(
                visible_to(actor, PaymentLinkRow.agency_id, PaymentLinkRow.agent_id),
                PaymentLinkRow.booking_id == booking_id,
            )
            .order_by(PaymentLinkRow.created_at.desc(), PaymentLinkRow.id)
        )
        with self._database.read() as session:
            rows = remembered(session, ("links of booking", actor, booking_id), lambda: session.scalars(query).all())
            return [link_of(row) for row in rows]

    def of_payment(self, payment_id: str) -> Link | None:
        """The link of a payment that the caller has from a look-up of their own."""
        with self._database.read() as session:
            row = session.scalar(select(PaymentLinkRow).where(PaymentLinkRow.payment_id == payment_id))
            return link_of(row) if row is not None else None

    def was_sent(self, request_key: str) -> bool:
        """Whether the form with this key was sent already."""
        query = select(PaymentLinkRow.id).where(PaymentLinkRow.request_key == request_key)
        with self._database.read() as session:
            return session.scalars(query).first() is not None

    def _happen(self, session: Session, row: PaymentLinkRow, fact: Step, at: datetime) -> bool:
        payment = locked(session, row.payment_id)
        return payment is not None and payment.happen(_OF_PAYMENT[fact], at=at)

    def _view(self, row: PaymentLinkRow) -> Link:
        return link_of(row)

    def _address_today(self, session: Session, row: PaymentLinkRow) -> str:
        return address_today(self._bookings.load_by_id(session, row.booking_id), row.client_id)

    def _mail(self, session: Session, row: PaymentLinkRow) -> Link:
        url = self._issuing.mail(session, row, self._payment_of(session, row))
        return replace(link_of(row), fresh_url=url)

    def _asked(self, session: Session, row: PaymentLinkRow, letter: str) -> PaymentLinkIssued:
        return self._issuing.asked(row, self._payment_of(session, row), letter)

    def _payment_of(self, session: Session, row: PaymentLinkRow) -> HeldPayment:
        """The link's payment, at the address of today."""
        payment = locked(session, row.payment_id)
        if payment is None:
            raise NotFound("There is no such payment.")
        if payment.now.payer_email != row.email:
            payment.readdress(row.email)
        return payment

    def _withdrawn(self, row: PaymentLinkRow) -> PaymentLinkRevoked:
        return PaymentLinkRevoked(link_id=row.id, payment_id=row.payment_id)

    def _why_not_remind(self, row: PaymentLinkRow) -> str:
        return f"This link was {row.state}, so it can't be sent again. Send a new one."

    def _why_not_withdraw(self, row: PaymentLinkRow) -> str:
        return (
            "The client has submitted the payment already, so the link can't be revoked. "
            "You can void the payment instead."
        )


# What the payment makes of what happens to its link.
_OF_PAYMENT: Final = {
    Step.REMINDED: Fact.LINK_RENEWED,
    Step.WITHDRAWN: Fact.LINK_REVOKED,
    Step.EXPIRED: Fact.LINK_EXPIRED,
}
