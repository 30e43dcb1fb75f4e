"""Use cases of insurance offers: offer, remind, withdraw, expire, look."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id, new_link_token, token_sha256
from chassis.money import Money
from chassis.sealing import Letter, LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import Client, InsuranceOffered, InsuranceWithdrawn
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.mail import require_mailable
from services.crm.core.visibility import visible_to
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.esign.service import Library, SignRequests
from services.crm.signing.insurance.models import InsuranceAnswerRow, InsuranceOfferRow
from services.crm.signing.insurance.rules import LIFETIME, WAITING, OfferFact, OfferState, after
from services.crm.trips.bookings.service import BookingDetail, Bookings, Passenger, passenger_snapshot

__all__ = ["InsuranceOffers", "Offer", "OfferRequest", "OfferState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRequest:
    """One sending: one plan to one or more passengers. `request_key` is made with the form, so that the form sent
    twice offers once."""

    request_key: str
    client_ids: Sequence[str]
    plan: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as pages see one."""

    id: str
    booking_id: str
    client_id: str
    passenger_name: str
    email: str
    plan: str
    price: Money
    state: OfferState
    issue: int
    delivery_problem: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def is_answered(self) -> bool:
        return self.state in (OfferState.ACCEPTED, OfferState.DECLINED)

    @property
    def can_remind(self) -> bool:
        return after(self.state, OfferFact.REMINDED) is not None

    @property
    def can_withdraw(self) -> bool:
        return after(self.state, OfferFact.WITHDRAWN) is not None


class InsuranceOffers:
    """The insurance room."""

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
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._directory = directory
        self._library = library
        self._requests = requests
        self._letters = letters
        self._portal_url = portal_url
        self._lifetime = lifetime

    def offer(self, actor: Actor, booking_id: str, wanted: OfferRequest) -> list[Offer]:
        """Offers the plan to each passenger, in one transaction. The same form again answers with what the first one
        made. Raises NotFound, PermissionDenied or InvalidArgument."""
        self._bookings.get_own(actor, booking_id)
        keys = {client_id: _key(wanted.request_key, client_id) for client_id in wanted.client_ids}
        texts = {client_id: self._text(actor, booking_id, client_id, wanted) for client_id in wanted.client_ids}
        try:
            with self._database.transaction() as session:
                booking = self._bookings.load_own(session, actor, booking_id)
                if made := _made_by(session, keys.values()):
                    return made
                people = [_passenger(booking, client_id) for client_id in wanted.client_ids]
                return [
                    self._open(session, booking, wanted, each, key=keys[each.client_id], text=texts[each.client_id])
                    for each in people
                ]
        except IntegrityError:
            with self._database.read() as session:
                if made := _made_by(session, keys.values()):
                    return made
            raise

    def remind(self, actor: Actor, offer_id: str, *, issue: int) -> Offer:
        """Mails the offer again with a fresh token and fresh time; older e-mails stay good. A second click with the
        same `issue` sends nothing. Raises NotFound, PermissionDenied or InvalidArgument."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row = _own(session, actor, offer_id)
            if row.issue != issue:
                return _view(row)
            state = after(OfferState(row.state), OfferFact.REMINDED)
            if state is None:
                raise InvalidArgument(f"{row.passenger_name} is not waited for any more: the offer is {row.state}.")
            row.state = state
            row.issue += 1
            row.issued_at, row.expires_at, row.delivery_problem = now, now + self._lifetime, ""
            self._mail(session, row)
            return _view(row)

    def withdraw(self, actor: Actor, offer_id: str) -> Offer:
        """Takes the offer back. Again it changes nothing. Raises NotFound, PermissionDenied, or InvalidArgument when
        the passenger was faster."""
        with self._database.transaction() as session:
            row = _own(session, actor, offer_id)
            if row.state == OfferState.WITHDRAWN:
                return _view(row)
            state = after(OfferState(row.state), OfferFact.WITHDRAWN)
            if state is None:
                raise InvalidArgument(f"{row.passenger_name} has answered already, so the offer can't be taken back.")
            row.state, row.withdrawn_at = state, self._clock.now()
            event = InsuranceWithdrawn(offer_id=row.id)
            self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
            return _view(row)

    def expire_due(self, limit: int = 200) -> int:
        """Marks offers past their end as expired. Returns how many."""
        now = self._clock.now()
        query = (
            select(InsuranceOfferRow)
            .where(InsuranceOfferRow.state.in_(WAITING), InsuranceOfferRow.expires_at <= now)
            .limit(limit)
            .with_for_update()
        )
        with self._database.transaction() as session:
            due = session.scalars(query).all()
            for row in due:
                row.state = OfferState.EXPIRED
            return len(due)

    def of_booking(self, booking: BookingDetail) -> list[Offer]:
        """The offers of a booking that the caller has from a look-up of their own, newest first."""
        query = select(InsuranceOfferRow).where(InsuranceOfferRow.booking_id == booking.id)
        newest = query.order_by(InsuranceOfferRow.created_at.desc(), InsuranceOfferRow.id)
        with self._database.read() as session:
            return [_view(row) for row in session.scalars(newest)]

    def pdf(self, actor: Actor, offer_id: str) -> bytes:
        """The signed answer. Raises NotFound."""
        with self._database.read() as session:
            row = _visible(session, actor, offer_id)
            found = session.scalar(select(InsuranceAnswerRow.pdf).where(InsuranceAnswerRow.offer_id == row.id))
        if found is None:
            raise NotFound("This offer was not answered.")
        return found

    def _text(self, actor: Actor, booking_id: str, client_id: str, wanted: OfferRequest) -> tuple[str, str]:
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
        now = self._clock.now()
        row = InsuranceOfferRow(
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
            state=OfferState.ISSUED,
            request_key=key,
            issue=1,
            delivery_problem="",
            created_at=now,
            issued_at=now,
            expires_at=now + self._lifetime,
        )
        self._mail(session, row)
        session.add(row)
        session.flush()
        return _view(row)

    def _mail(self, session: Session, row: InsuranceOfferRow) -> None:
        """Makes the offer's newest token, seals it into a letter and publishes both unopened."""
        token = new_link_token()
        row.token_sha256 = token_sha256(token)
        letter = Letter(
            letter_id=new_id("letter"),
            template="insurance_offer",
            to=row.email,
            data={"url": f"{self._portal_url}/insurance/{row.id}#{token}"},
            issued_at=row.issued_at,
            expires_at=row.expires_at,
        )
        event = InsuranceOffered(
            offer_id=row.id,
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            agency=agency_snapshot(self._directory.load_agency(session, row.agency_id)),
            agent=agent_snapshot(self._directory.load_agent(session, row.agent_id)),
            passenger=self._snapshot(session, row),
            plan=row.plan,
            price=common_pb2.Money(minor=row.price_minor, currency=row.currency),
            text=row.text,
            text_sha256=row.text_sha256,
            token_sha256=row.token_sha256,
            expires_at=stamp(row.expires_at),
            sealed_mail=self._letters.seal(letter),
            template_version=row.text_version,
            issue=row.issue,
        )
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)

    def _snapshot(self, session: Session, row: InsuranceOfferRow) -> Client:
        """The passenger, under the name and address that the offer was sent to."""
        found = self._bookings.load_by_id(session, row.booking_id).passenger(row.client_id)
        if found is None:
            first_name, _, last_name = row.passenger_name.partition(" ")
            return Client(id=row.client_id, first_name=first_name, last_name=last_name, email=row.email)
        passenger = passenger_snapshot(found)
        passenger.email = row.email
        return passenger


def _key(request_key: str, client_id: str) -> str:
    return hashlib.sha256(f"{request_key}\n{client_id}".encode()).hexdigest()


def _made_by(session: Session, keys: Collection[str]) -> list[Offer]:
    query = select(InsuranceOfferRow).where(InsuranceOfferRow.request_key.in_(keys)).order_by(InsuranceOfferRow.id)
    return [_view(row) for row in session.scalars(query)]


def _passenger(booking: BookingDetail, client_id: str) -> Passenger:
    passenger = booking.passenger(client_id)
    if passenger is None:
        raise InvalidArgument("Tick passengers of this booking only.", field="passengers")
    if not passenger.email:
        raise InvalidArgument(f"{passenger.name} has no e-mail address, so nothing can be sent.", field="passengers")
    require_mailable(passenger.email, field="passengers", whose=passenger.name)
    return passenger


def _visible(session: Session, actor: Actor, offer_id: str) -> InsuranceOfferRow:
    row = session.scalar(
        select(InsuranceOfferRow).where(
            InsuranceOfferRow.id == offer_id,
            visible_to(actor, InsuranceOfferRow.agency_id, InsuranceOfferRow.agent_id),
        )
    )
    if row is None:
        raise NotFound("There is no such offer among yours.")
    return row


def _own(session: Session, actor: Actor, offer_id: str) -> InsuranceOfferRow:
    row = _visible(session, actor, offer_id)
    if not actor.owns(row.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can act on its offers.")
    session.refresh(row, with_for_update=True)
    return row


def _view(row: InsuranceOfferRow) -> Offer:
    return Offer(
        id=row.id,
        booking_id=row.booking_id,
        client_id=row.client_id,
        passenger_name=row.passenger_name,
        email=row.email,
        plan=row.plan,
        price=Money(minor=row.price_minor, currency=row.currency),
        state=OfferState(row.state),
        issue=row.issue,
        delivery_problem=row.delivery_problem,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        withdrawn_at=row.withdrawn_at,
    )
