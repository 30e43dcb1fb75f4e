"""Making links: what a payment's events say of booking, house and payer, and the letter with the link's token."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.ids import new_id
from chassis.sealing import LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import PaymentContext, PaymentLinkIssued
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot, policy_snapshot
from services.crm.core.asked import fresh_letter
from services.crm.core.together import PartOf
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.records import KIND, WIRE_TYPES, Link, LinkRequest, Share, link_of
from services.crm.paying.links.terms import render_terms, version_for
from services.crm.paying.payments.service import HeldPayment, NewPayment, PaymentState, PaymentType, payments_by_id
from services.crm.trips.bookings.service import BookingDetail, Passenger, passenger_snapshot, segment_snapshot
from services.crm.trips.passenger_picker import picked, picked_for_mail


class Issuing:
    """Writes links and their letters in the caller's transaction. `lifetime`: how long a link is good for."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        clock: Clock,
        directory: Directory,
        letters: LetterSealer,
        portal_url: str,
        lifetime: timedelta,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._directory = directory
        self._letters = letters
        self._portal_url = portal_url
        self._lifetime = lifetime

    def new_payment(
        self, session: Session, booking: BookingDetail, request: LinkRequest, share: Share, passenger: Passenger
    ) -> NewPayment:
        context = PaymentContext(
            booking_id=booking.id,
            booking_title=booking.title,
            payer=passenger_snapshot(passenger),
            amount=common_pb2.Money(minor=share.amount.minor, currency=share.amount.currency),
            type=WIRE_TYPES[request.type],
            purpose=request.purpose,
            due_on=request.due_on.isoformat() if request.due_on else "",
            plan=request.plan,
            notice_days=request.notice_days,
        )
        self.fill_house(session, context, booking)
        segment = booking.segment(request.segment_id)
        if segment is not None:
            context.segment.CopyFrom(segment_snapshot(segment))
        elif request.type is not PaymentType.SERVICE_FEE:
            raise InvalidArgument("Choose which part of the trip this payment is for.", field="segment_id")
        return NewPayment(context=context, payer_name=passenger.name, type=request.type, due_on=request.due_on)

    def fill_house(self, session: Session, context: PaymentContext, booking: BookingDetail) -> None:
        agency = self._directory.load_agency(session, booking.agency_id)
        context.agency.CopyFrom(agency_snapshot(agency))
        context.agent.CopyFrom(agent_snapshot(self._directory.load_agent(session, booking.agent_id)))
        context.policy.CopyFrom(policy_snapshot(agency))

    def add(self, session: Session, payment: HeldPayment, *, request_key: str) -> Link:
        row = self._row(payment, request_key)
        url = self.mail(session, row, payment)
        session.add(row)
        session.flush()
        return replace(link_of(row), fresh_url=url)

    def add_part(self, session: Session, payment: HeldPayment, part: PartOf) -> PaymentLinkIssued:
        """A link that the letter of a visit brings; what the visit tells of it."""
        row = self._row(payment, part.key)
        row.visit_id, row.expires_at = part.visit_id, part.expires_at
        session.add(row)
        session.flush()
        return self.asked(row, payment, "")

    def _row(self, payment: HeldPayment, request_key: str) -> PaymentLinkRow:
        asked = payment.now
        return PaymentLinkRow(
            id=new_id("link"),
            payment_id=asked.id,
            agency_id=asked.agency_id,
            agent_id=asked.agent_id,
            booking_id=asked.booking_id,
            client_id=asked.payer_client_id,
            email=asked.payer_email,
            request_key=request_key,
            terms_text=render_terms(payment.context, asked.type, asked.payer_name),
            terms_version=version_for(payment.context),
            **KIND.begun(self._clock.now(), self._lifetime),
        )

    def mail(self, session: Session, row: PaymentLinkRow, payment: HeldPayment) -> str:
        """Publishes the link with a fresh letter. Returns its address."""
        url, letter = fresh_letter(
            self._letters,
            row,
            template="payment_link",
            address=f"{self._portal_url}/pay/{row.id}",
            more=_void_notice(session, payment.now.replaces_payment_id),
        )
        event = self.asked(row, payment, letter)
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
        return url

    def asked(self, row: PaymentLinkRow, payment: HeldPayment, letter: str) -> PaymentLinkIssued:
        """What is told of a link; without a letter as part of a visit."""
        return PaymentLinkIssued(
            link_id=row.id,
            context=payment.context,
            token_sha256=row.token_sha256 if letter else "",
            issue=row.issue,
            expires_at=stamp(row.expires_at),
            terms_text=row.terms_text,
            terms_version=row.terms_version,
            sealed_mail=letter,
            replaces_payment_id=payment.now.replaces_payment_id or "",
        )


def payer_of(booking: BookingDetail, share: Share) -> Passenger:
    traveller_of(booking, share)
    return picked_for_mail(booking, share.client_id, otherwise="no link can be sent.")


def traveller_of(booking: BookingDetail, share: Share) -> Passenger:
    passenger = picked(booking, share.client_id)
    if share.amount.minor <= 0:
        raise InvalidArgument("The amount must be more than nothing.", field="amount")
    return passenger


def _void_notice(session: Session, replaced_id: str | None) -> dict[str, str]:
    """What the mail of a fresh link says about the voided payment that it replaces (M7)."""
    replaced = payments_by_id(session, [replaced_id]).get(replaced_id) if replaced_id else None
    if replaced is None or replaced.state is not PaymentState.VOIDED:
        return {}
    reason = replaced.close_note.strip()
    return {"void_reason": reason if reason.endswith((".", "!", "?")) else f"{reason}."}
