"""Use cases of CVV requests: asking once, and what became of it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.ids import new_id
from chassis.sealing import LetterSealer, link_letter
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import CvvRequested, PaymentContext
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot, policy_snapshot
from services.crm.core.actor import Actor
from services.crm.paying.cvv_requests.models import CvvRequestRow
from services.crm.paying.cvv_requests.rules import OPEN, CvvRequestState, ask_refusal, expiry, is_open
from services.crm.paying.payments.service import HeldPayment, locked_own
from services.crm.trips.bookings.service import Bookings
from services.crm.trips.passenger_picker import address_today

__all__ = ["CvvRequest", "CvvRequests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CvvRequest:
    """A request as the payment area shows it."""

    id: str
    email: str
    state: CvvRequestState
    open: bool
    issued_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    supplied_at: datetime | None
    delivery_problem: str


class CvvRequests:
    """The room's use cases."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        directory: Directory,
        bookings: Bookings,
        letters: LetterSealer,
        portal_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._directory = directory
        self._letters = letters
        self._portal_url = portal_url

    def ask(self, actor: Actor, payment_id: str, *, request_key: str, cvv_gone: bool) -> CvvRequest:
        """Mails the client, at the address that they have today, a link for the CVV alone. A double click (same
        `request_key`) mails one.

        `cvv_gone`: the vault has said that it has no CVV, whatever the CRM believes. An earlier request that the
        client did not answer is replaced. Raises NotFound, PermissionDenied or InvalidArgument.
        """
        key = hashlib.sha256(f"{payment_id}\n{request_key}".encode()).hexdigest()
        try:
            with self._database.transaction() as session:
                payment = locked_own(session, actor, payment_id)
                if known := session.scalar(select(CvvRequestRow).where(CvvRequestRow.request_key == key)):
                    return self._view(known)
                return self._view(self._issue(session, payment, key, cvv_gone=cvv_gone))
        except IntegrityError:
            with self._database.read() as session:
                return self._view(session.scalars(select(CvvRequestRow).where(CvvRequestRow.request_key == key)).one())

    def _issue(self, session: Session, held: HeldPayment, key: str, *, cvv_gone: bool) -> CvvRequestRow:
        now, payment = self._clock.now(), held.now
        agency = self._directory.load_agency(session, payment.agency_id)
        kept = payment.cvv_held(now) and not cvv_gone
        hours = agency.data.cvv_retention_hours
        refusal = ask_refusal(payment.state, card_held=payment.card_held, cvv_held=kept, cvv_hours=hours)
        if refusal or payment.card_token is None:
            raise InvalidArgument(refusal)
        session.execute(
            update(CvvRequestRow)
            .where(CvvRequestRow.payment_id == payment.id, CvvRequestRow.state.in_(OPEN))
            .values(state=CvvRequestState.REPLACED)
        )
        address = address_today(self._bookings.load_by_id(session, payment.booking_id), payment.payer_client_id)
        if address:
            held.readdress(address)
        request_id, email = new_id("cvvlink"), address or payment.payer_email
        expires_at = expiry(now, payment.card_kept_until)
        letter = link_letter(
            self._letters,
            template="cvv_request",
            to=email,
            page=f"{self._portal_url}/cvv/{request_id}",
            issued_at=now,
            expires_at=expires_at,
        )
        request = CvvRequestRow(
            id=request_id,
            payment_id=payment.id,
            agency_id=payment.agency_id,
            card_token=payment.card_token,
            email=email,
            state=CvvRequestState.ISSUED,
            token_sha256=letter.token_sha256,
            request_key=key,
            issued_at=now,
            expires_at=expires_at,
            delivery_problem="",
        )
        session.add(request)
        session.flush()
        event = CvvRequested(
            link_id=request.id,
            context=self._context(session, held),
            card_token=request.card_token,
            brand=payment.card_brand,
            last4=payment.card_last4,
            token_sha256=request.token_sha256,
            expires_at=stamp(request.expires_at),
            sealed_mail=letter.sealed,
        )
        self._outbox.add(session, event, aggregate_id=request.id, agency_id=payment.agency_id)
        return request

    def _context(self, session: Session, held: HeldPayment) -> PaymentContext:
        """The payment's, with names and policies as they are today: the vault applies today's policy to the CVV."""
        context = held.context
        agency = self._directory.load_agency(session, held.now.agency_id)
        context.agency.CopyFrom(agency_snapshot(agency))
        context.agent.CopyFrom(agent_snapshot(self._directory.load_agent(session, held.now.agent_id)))
        context.policy.CopyFrom(policy_snapshot(agency))
        return context

    def of_payment(self, payment_id: str) -> CvvRequest | None:
        """The newest request of a payment that the caller has from a look-up of their own."""
        query = (
            select(CvvRequestRow)
            .where(CvvRequestRow.payment_id == payment_id)
            .order_by(CvvRequestRow.issued_at.desc(), CvvRequestRow.id.desc())
        )
        with self._database.read() as session:
            row = session.scalars(query.limit(1)).first()
            return self._view(row) if row is not None else None

    def _view(self, row: CvvRequestRow) -> CvvRequest:
        state = CvvRequestState(row.state)
        return CvvRequest(
            id=row.id,
            email=row.email,
            state=state,
            open=is_open(state, expires_at=row.expires_at, now=self._clock.now()),
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            sent_at=row.sent_at,
            supplied_at=row.supplied_at,
            delivery_problem=row.delivery_problem,
        )
