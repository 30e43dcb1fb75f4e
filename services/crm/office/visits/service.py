"""Use cases of visits: ask for everything at once, remind, withdraw, expire, look. The parts are made, renewed and
closed by their own rooms; one event tells of the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.message import Message
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.ids import new_id
from chassis.sealing import LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    EsignRequested,
    InsuranceOffered,
    PaymentLinkIssued,
    VisitAsked,
    VisitPart,
    VisitWithdrawn,
)
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.asked import form_key, fresh_letter, once
from services.crm.core.asking import Asking
from services.crm.core.course import Fact
from services.crm.core.mails import MailOutcome
from services.crm.core.together import PartOf
from services.crm.core.visibility import visible_to
from services.crm.office.visits.models import VisitRow
from services.crm.office.visits.records import (
    KIND,
    Visit,
    document_part,
    insurance_part,
    payment_part,
    view,
)
from services.crm.office.visits.records import VisitPart as Part
from services.crm.office.visits.rules import LIFETIME, MOST_DOCUMENTS, VisitState
from services.crm.paying.links.service import LinkRequest, PaymentLinks
from services.crm.paying.payments.service import payments_by_id
from services.crm.signing.esign.service import SendRequest, SignRequests
from services.crm.signing.insurance.service import InsuranceOffers, OfferRequest
from services.crm.trips.bookings.service import BookingDetail, Bookings
from services.crm.trips.passenger_picker import address_today, asked_snapshot, picked_for_mail

__all__ = ["Visit", "VisitRequest", "Visits"]

_LISTED: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRequest:
    """One sending to one passenger. `offer` and `payment` name that passenger too, and go under the same key, which is
    made with the form, so that the form sent twice asks once. `restricted_ok`: the agent has read the warning about the
    client's state."""

    request_key: str
    client_id: str
    document_ids: Sequence[str] = ()
    offer: OfferRequest | None = None
    payment: LinkRequest | None = None
    restricted_ok: bool = False


class Visits(Asking[VisitRow, VisitState, Visit]):
    """The visits room."""

    kind = KIND

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        directory: Directory,
        links: PaymentLinks,
        requests: SignRequests,
        offers: InsuranceOffers,
        letters: LetterSealer,
        portal_url: str,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        super().__init__(database=database, outbox=outbox, clock=clock, lifetime=lifetime)
        self._bookings = bookings
        self._directory = directory
        self._links = links
        self._requests = requests
        self._offers = offers
        self._letters = letters
        self._portal_url = portal_url

    @property
    def _rooms(self) -> tuple[InsuranceOffers, SignRequests, PaymentLinks]:
        """Whose requests can be parts, in the order in which they are best answered."""
        return self._offers, self._requests, self._links

    def send(self, actor: Actor, booking_id: str, wanted: VisitRequest) -> Visit:
        """Asks the passenger for all of it, in one transaction. The same form again answers with what the first one
        made. Raises NotFound, PermissionDenied, FeeRestricted or InvalidArgument."""
        self._check(actor, wanted)
        self._bookings.get_own(actor, booking_id)
        key = form_key(wanted.request_key, wanted.client_id)
        text = self._offers.text_for(actor, booking_id, wanted.client_id, wanted.offer) if wanted.offer else ("", "")

        def make(session: Session) -> list[Visit]:
            booking = self._bookings.hold_own(session, actor, booking_id)
            return [self._open(session, actor, booking, wanted, key=key, text=text)]

        return once(self._database, lambda session: [view(row) for row in KIND.made_by(session, actor, [key])], make)[0]

    def _check(self, actor: Actor, wanted: VisitRequest) -> None:
        if not (wanted.document_ids or wanted.offer or wanted.payment):
            raise InvalidArgument("Choose what you ask for: a payment, documents or an insurance answer.")
        if len(wanted.document_ids) > MOST_DOCUMENTS:
            raise InvalidArgument(f"Choose up to {MOST_DOCUMENTS} documents for one visit.", field="document_ids")
        if wanted.payment is not None:
            self._links.require_enrolled(actor)

    def _open(
        self,
        session: Session,
        actor: Actor,
        booking: BookingDetail,
        wanted: VisitRequest,
        *,
        key: str,
        text: tuple[str, str],
    ) -> Visit:
        passenger = picked_for_mail(booking, wanted.client_id, otherwise="nothing can be sent.")
        row = VisitRow(
            id=new_id("visit"),
            agency_id=booking.agency_id,
            agent_id=booking.agent_id,
            booking_id=booking.id,
            booking_title=booking.title,
            client_id=passenger.client_id,
            passenger_name=passenger.name,
            email=passenger.email,
            request_key=key,
            **KIND.begun(self._clock.now(), self._lifetime),
        )
        session.add(row)
        session.flush()
        told: list[Message] = []
        if wanted.offer is not None:
            told.append(self._offers.open_part(session, booking, wanted.offer, text, _part(row, "offer")))
        for document_id in dict.fromkeys(wanted.document_ids):
            asked = SendRequest(
                request_key=key,
                template_id=document_id,
                client_ids=[wanted.client_id],
                restricted_ok=wanted.restricted_ok,
            )
            told.append(self._requests.open_part(session, actor, booking, asked, _part(row, document_id)))
        if wanted.payment is not None:
            (share,) = wanted.payment.shares
            told.append(self._links.open_part(session, booking, wanted.payment, share, _part(row, "payment")))
        return self._tell(session, row, told)

    def was_sent(self, wanted: VisitRequest) -> bool:
        """Whether the form with this key was sent already."""
        key = form_key(wanted.request_key, wanted.client_id)
        with self._database.read() as session:
            return session.scalar(select(VisitRow.id).where(VisitRow.request_key == key)) is not None

    def of_booking(self, actor: Actor, booking: BookingDetail) -> list[Visit]:
        """The visits of a booking that the caller has from a look-up of their own, newest first."""
        query = select(VisitRow).where(VisitRow.booking_id == booking.id)
        return self._list(actor, query.order_by(VisitRow.created_at.desc(), VisitRow.id))

    def newest(self, actor: Actor) -> list[Visit]:
        """The newest visits that the actor may see."""
        return self._list(actor, select(VisitRow).order_by(VisitRow.created_at.desc(), VisitRow.id).limit(_LISTED))

    def get(self, actor: Actor, visit_id: str) -> Visit:
        """Raises NotFound."""
        with self._database.read() as session:
            row = self.kind.visible(session, actor, visit_id)
            return view(row, self._parts(session, [row.id]).get(row.id, ()))

    def note_mail(self, session: Session, mail: MailOutcome) -> bool:
        """Keeps with a visit what the notifier says about its letter, which was its parts' too."""
        if not KIND.note_mail(session, mail):
            return False
        if mail.sent_at is not None:
            for room in self._rooms:
                room.note_parts_sent(session, mail.link_id, mail.sent_at)
        return True

    def _list(self, actor: Actor, query: Select[VisitRow]) -> list[Visit]:
        with self._database.read() as session:
            rows = session.scalars(query.where(visible_to(actor, VisitRow.agency_id, VisitRow.agent_id))).all()
            parts = self._parts(session, [row.id for row in rows]) if rows else {}
            return [view(row, parts.get(row.id, ())) for row in rows]

    def _parts(self, session: Session, visit_ids: Sequence[str]) -> dict[str, list[Part]]:
        found: dict[str, list[Part]] = {}
        for visit_id, offer in self._offers.parts_of(session, visit_ids):
            found.setdefault(visit_id, []).append(insurance_part(offer))
        for visit_id, asked in self._requests.parts_of(session, visit_ids):
            found.setdefault(visit_id, []).append(document_part(asked))
        links = self._links.parts_of(session, visit_ids)
        payments = payments_by_id(session, [link.payment_id for _, link in links]) if links else {}
        for visit_id, link in links:
            found.setdefault(visit_id, []).append(payment_part(link, payments[link.payment_id]))
        return found

    def _happen(self, session: Session, row: VisitRow, fact: Fact, at: datetime) -> bool:
        """A visit is taken back with whatever of it waits or has expired; some of it must."""
        if fact is Fact.WITHDRAWN:
            return sum(room.close_parts(session, row.id) for room in self._rooms) > 0
        return True

    def _mail(self, session: Session, row: VisitRow) -> Visit:
        told = [
            message
            for room in self._rooms
            for message in room.renew_parts(session, row.id, email=row.email, expires_at=row.expires_at)
        ]
        if not told:
            raise InvalidArgument(self._why_not_remind(row))
        return self._tell(session, row, told)

    def _tell(self, session: Session, row: VisitRow, told: Sequence[Message]) -> Visit:
        """Publishes the visit with a fresh letter."""
        booking = self._bookings.load_by_id(session, row.booking_id)
        url, letter = fresh_letter(self._letters, row, template="visit", address=f"{self._portal_url}/visit/{row.id}")
        event = VisitAsked(
            visit_id=row.id,
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            agency=agency_snapshot(self._directory.load_agency(session, row.agency_id)),
            agent=agent_snapshot(self._directory.load_agent(session, row.agent_id)),
            client=asked_snapshot(booking, row.client_id, name=row.passenger_name, email=row.email),
            token_sha256=row.token_sha256,
            expires_at=stamp(row.expires_at),
            sealed_mail=letter,
            issue=row.issue,
            parts=[_told(message) for message in told],
        )
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
        session.flush()
        return view(row, self._parts(session, [row.id]).get(row.id, ()), fresh_url=url)

    def _view(self, row: VisitRow) -> Visit:
        return view(row)

    def _address_today(self, session: Session, row: VisitRow) -> str:
        return address_today(self._bookings.load_by_id(session, row.booking_id), row.client_id)

    def _withdrawn(self, row: VisitRow) -> VisitWithdrawn:
        return VisitWithdrawn(visit_id=row.id)

    def _why_not_remind(self, row: VisitRow) -> str:
        return f"{row.passenger_name} is not waited for any more: everything was answered or taken back."

    def _why_not_withdraw(self, row: VisitRow) -> str:
        return f"{row.passenger_name} has answered everything already, so nothing can be taken back."


def _part(row: VisitRow, what: str) -> PartOf:
    return PartOf(visit_id=row.id, expires_at=row.expires_at, key=form_key(row.request_key, what))


def _told(message: Message) -> VisitPart:
    match message:
        case PaymentLinkIssued():
            return VisitPart(payment=message)
        case EsignRequested():
            return VisitPart(document=message)
        case InsuranceOffered():
            return VisitPart(insurance=message)
        case _:
            raise TypeError(f"{type(message).__name__} is no part of a visit")
