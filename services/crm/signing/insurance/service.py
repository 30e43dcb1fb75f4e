"""Use cases of insurance offers: offer, remind, withdraw, expire, look."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, remembered
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.money import Money
from chassis.sealing import LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import InsuranceOffered, InsuranceWithdrawn
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.asked import form_key, fresh_letter, once
from services.crm.core.together import PartAsking, PartOf
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.esign.service import Library, SignRequests
from services.crm.signing.insurance.models import InsuranceAnswerRow, InsuranceOfferRow
from services.crm.signing.insurance.records import KIND, Offer, view
from services.crm.signing.insurance.rules import LIFETIME, OfferState
from services.crm.trips.bookings.service import BookingDetail, Bookings, Passenger
from services.crm.trips.passenger_picker import address_today, asked_snapshot, picked_for_mail

__all__ = ["InsuranceOffers", "Offer", "OfferRequest", "OfferState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRequest:
    """One sending: one plan to one or more passengers. `request_key` is made with the form, so that the form sent
    twice offers once."""

    request_key: str
    client_ids: Sequence[str]
    plan: str
    price: Money


class InsuranceOffers(PartAsking[InsuranceOfferRow, OfferState, Offer]):
    """The insurance room."""

    kind = KIND

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        directory: Directory,
        library: Library,
        requests: SignRequests,
        letters: LetterSealer,
        portal_url: str,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        super().__init__(database=database, outbox=outbox, clock=clock, lifetime=lifetime)
        self._bookings = bookings
        self._directory = directory
        self._library = library
        self._requests = requests
        self._letters = letters
        self._portal_url = portal_url

    def offer(self, actor: Actor, booking_id: str, wanted: OfferRequest) -> list[Offer]:
        """Offers the plan to each passenger, in one transaction. The same form again answers with what the first one
        made. Raises NotFound, PermissionDenied or InvalidArgument."""
        self._bookings.get_own(actor, booking_id)
        keys = {client_id: form_key(wanted.request_key, client_id) for client_id in wanted.client_ids}
        texts = {client_id: self.text_for(actor, booking_id, client_id, wanted) for client_id in wanted.client_ids}

        def make(session: Session) -> list[Offer]:
            booking = self._bookings.load_own(session, actor, booking_id)
            people = [
                picked_for_mail(booking, client_id, otherwise="nothing can be sent.") for client_id in wanted.client_ids
            ]
            return [
                self._open(session, booking, wanted, each, key=keys[each.client_id], text=texts[each.client_id])
                for each in people
            ]

        return once(
            self._database, lambda session: [view(row) for row in KIND.made_by(session, actor, keys.values())], make
        )

    def open_part(
        self, session: Session, booking: BookingDetail, wanted: OfferRequest, text: tuple[str, str], part: PartOf
    ) -> InsuranceOffered:
        """Offers the plan to the one passenger in a visit: what the visit tells of it. `text` as by `text_for`."""
        (client_id,) = wanted.client_ids
        passenger = picked_for_mail(booking, client_id, otherwise="nothing can be sent.")
        row = self._row(booking, wanted, passenger, key=part.key, text=text)
        row.visit_id, row.expires_at = part.visit_id, part.expires_at
        session.add(row)
        session.flush()
        return self._asked(session, row, "")

    def of_booking(self, booking: BookingDetail) -> list[Offer]:
        """The offers of a booking that the caller has from a look-up of their own, newest first."""
        query = select(InsuranceOfferRow).where(InsuranceOfferRow.booking_id == booking.id)
        newest = query.order_by(InsuranceOfferRow.created_at.desc(), InsuranceOfferRow.id)
        with self._database.read() as session:
            rows = remembered(session, ("offers of booking", booking.id), lambda: session.scalars(newest).all())
            return [view(row) for row in rows]

    def get(self, actor: Actor, offer_id: str) -> Offer:
        """Raises NotFound."""
        with self._database.read() as session:
            return view(self.kind.visible(session, actor, offer_id))

    def pdf(self, actor: Actor, offer_id: str) -> bytes:
        """The signed answer. Raises NotFound."""
        with self._database.read() as session:
            row = KIND.visible(session, actor, offer_id)
            found = session.scalar(select(InsuranceAnswerRow.pdf).where(InsuranceAnswerRow.offer_id == row.id))
        if found is None:
            raise NotFound("This offer was not answered.")
        return found

    def text_for(self, actor: Actor, booking_id: str, client_id: str, wanted: OfferRequest) -> tuple[str, str]:
        """The text for one passenger, and its version. Raises InvalidArgument."""
        template = self._library.of_kind(actor, DocumentKind.INSURANCE)
        of_plan = {"PlanName": wanted.plan, "PlanPrice": wanted.price.format().replace("\u00a0", " ")}
        text, unfilled = self._requests.text_for(actor, booking_id, client_id, template.body, of_plan)
        if unfilled:
            needed = ", ".join(f"{{{tag}}}" for tag in unfilled)
            raise InvalidArgument(
                f"The offer's text names what this booking does not have yet: {needed}. Add it to the booking first."
            )
        return text, template.label

    def _open(
        self,
        session: Session,
        booking: BookingDetail,
        wanted: OfferRequest,
        passenger: Passenger,
        *,
        key: str,
        text: tuple[str, str],
    ) -> Offer:
        row = self._row(booking, wanted, passenger, key=key, text=text)
        self._mail(session, row)
        session.add(row)
        session.flush()
        return view(row)

    def _row(
        self, booking: BookingDetail, wanted: OfferRequest, passenger: Passenger, *, key: str, text: tuple[str, str]
    ) -> InsuranceOfferRow:
        return InsuranceOfferRow(
            id=new_id("offer"),
            agency_id=booking.agency_id,
            agent_id=booking.agent_id,
            booking_id=booking.id,
            booking_title=booking.title,
            client_id=passenger.client_id,
            passenger_name=passenger.name,
            email=passenger.email,
            plan=wanted.plan,
            price_minor=wanted.price.minor,
            currency=wanted.price.currency,
            text=text[0],
            text_sha256=hashlib.sha256(text[0].encode()).hexdigest(),
            text_version=text[1],
            request_key=key,
            **KIND.begun(self._clock.now(), self._lifetime),
        )

    def _address_today(self, session: Session, row: InsuranceOfferRow) -> str:
        return address_today(self._bookings.load_by_id(session, row.booking_id), row.client_id)

    def _mail(self, session: Session, row: InsuranceOfferRow) -> Offer:
        """Publishes the offer with a fresh letter."""
        _, letter = fresh_letter(
            self._letters, row, template="insurance_offer", address=f"{self._portal_url}/insurance/{row.id}"
        )
        event = self._asked(session, row, letter)
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
        return view(row)

    def _asked(self, session: Session, row: InsuranceOfferRow, letter: str) -> InsuranceOffered:
        booking = self._bookings.load_by_id(session, row.booking_id)
        return InsuranceOffered(
            offer_id=row.id,
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            agency=agency_snapshot(self._directory.load_agency(session, row.agency_id)),
            agent=agent_snapshot(self._directory.load_agent(session, row.agent_id)),
            passenger=asked_snapshot(booking, row.client_id, name=row.passenger_name, email=row.email),
            plan=row.plan,
            price=common_pb2.Money(minor=row.price_minor, currency=row.currency),
            text=row.text,
            text_sha256=row.text_sha256,
            token_sha256=row.token_sha256 if letter else "",
            expires_at=stamp(row.expires_at),
            sealed_mail=letter,
            template_version=row.text_version,
            issue=row.issue,
        )

    def _view(self, row: InsuranceOfferRow) -> Offer:
        return view(row)

    def _withdrawn(self, row: InsuranceOfferRow) -> InsuranceWithdrawn:
        return InsuranceWithdrawn(offer_id=row.id)

    def _why_not_remind(self, row: InsuranceOfferRow) -> str:
        return f"{row.passenger_name} is not waited for any more: the offer is {row.state}."

    def _why_not_withdraw(self, row: InsuranceOfferRow) -> str:
        return f"{row.passenger_name} has answered already, so the offer can't be taken back."
