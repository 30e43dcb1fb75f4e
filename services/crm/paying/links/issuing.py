"""Making links: what a payment's events say of booking, house and payer, and the letter with the link's token."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.ids import new_id, new_link_token, token_sha256
from chassis.sealing import Letter, LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import PaymentContext, PaymentLinkIssued
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot, policy_snapshot
from services.crm.core.mail import require_mailable
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.records import WIRE_TYPES, Link, LinkRequest, Share, link_of
from services.crm.paying.links.rules import LinkState
from services.crm.paying.links.terms import TERMS_VERSION, render_terms
from services.crm.paying.payments.service import HeldPayment, NewPayment, PaymentState, PaymentType, payments_by_id
from services.crm.trips.bookings.service import BookingDetail, Passenger, passenger_snapshot, segment_snapshot


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
        now, asked = self._clock.now(), payment.now
        row = PaymentLinkRow(
            id=new_id("link"),
            payment_id=asked.id,
            agency_id=asked.agency_id,
            agent_id=asked.agent_id,
            booking_id=asked.booking_id,
            client_id=asked.payer_client_id,
            email=asked.payer_email,
            state=LinkState.ISSUED,
            request_key=request_key,
            issue=1,
            terms_text=render_terms(payment.context, asked.type, asked.payer_name),
            terms_version=TERMS_VERSION,
            delivery_problem="",
            created_at=now,
            issued_at=now,
            expires_at=now + self._lifetime,
        )
        url = self.mail(session, row, payment)
        session.add(row)
        session.flush()
        return replace(link_of(row), fresh_url=url)

    def mail(self, session: Session, row: PaymentLinkRow, payment: HeldPayment) -> str:
        """Makes the link's newest token, seals it into a letter and publishes both unopened. Returns the link."""
        token = new_link_token()
        row.token_sha256 = token_sha256(token)
        url = f"{self._portal_url}/pay/{row.id}#{token}"
        letter = Letter(
            letter_id=new_id("letter"),
            template="payment_link",
            to=row.email,
            data={"url": url} | _void_notice(session, payment.now.replaces_payment_id),
            issued_at=row.issued_at,
            expires_at=row.expires_at,
        )
        event = PaymentLinkIssued(
            link_id=row.id,
            context=payment.context,
            token_sha256=row.token_sha256,
            issue=row.issue,
            expires_at=stamp(row.expires_at),
            terms_text=row.terms_text,
            terms_version=row.terms_version,
            sealed_mail=self._letters.seal(letter),
            replaces_payment_id=payment.now.replaces_payment_id or "",
        )
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
        return url


def payer_of(booking: BookingDetail, share: Share) -> Passenger:
    passenger = traveller_of(booking, share)
    if not passenger.email:
        raise InvalidArgument(f"{passenger.name} has no e-mail address, so no link can be sent.", field="passengers")
    require_mailable(passenger.email, field="passengers", whose=passenger.name)
    return passenger


def traveller_of(booking: BookingDetail, share: Share) -> Passenger:
    passenger = booking.passenger(share.client_id)
    if passenger is None:
        raise InvalidArgument("Tick passengers of this booking only.", field="passengers")
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
