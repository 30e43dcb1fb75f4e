"""Use cases of links that show a trip without an account: make, mail, list, revoke (C5)."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id, new_link_token, token_sha256
from chassis.sealing import LetterSealer, link_letter
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import ItineraryShared, ItineraryUnshared
from services.crm.core.actor import Actor
from services.crm.core.mail import require_mailable
from services.crm.core.visibility import visible_to
from services.crm.trips.bookings.service import BookingDetail, Bookings, Passenger, passenger_snapshot
from services.crm.trips.itinerary.models import ItineraryShareRow
from services.crm.trips.itinerary.rules import Share, ShareRequest, expiry, lifetime_of

_LISTED = 50


class ItineraryShares:
    """The links of itineraries."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        letters: LetterSealer,
        portal_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._letters = letters
        self._portal_url = portal_url

    def share(self, actor: Actor, booking_id: str, wanted: ShareRequest) -> list[Share]:
        """Makes the links and hands their letters over, in one transaction. The same request again answers with what
        the first one made, without the links themselves. Raises NotFound, PermissionDenied or InvalidArgument."""
        try:
            with self._database.transaction() as session:
                if made := self._made_by(session, actor, wanted.request_key):
                    return made
                booking = self._bookings.load_own(session, actor, booking_id)
                people: list[Passenger | None] = [_mailable(booking, each) for each in wanted.client_ids]
                return [self._make(session, booking, wanted, person, at) for at, person in enumerate(people or [None])]
        except IntegrityError:
            with self._database.read() as session:
                if made := self._made_by(session, actor, wanted.request_key):
                    return made
            raise

    def again(self, actor: Actor, share_id: str) -> Share:
        """A fresh link in place of one whose mail did not arrive, as long-lived and with prices or not as that was,
        mailed to the address that the traveler has today. Asked for twice, one is mailed.

        Raises NotFound, PermissionDenied or InvalidArgument.
        """
        key = f"again:{share_id}"
        with self._database.read() as session:
            old = session.get(ItineraryShareRow, share_id)
            if old is None or not old.client_id or not actor.owns(old.agent_id):
                raise NotFound("There is no such link among yours.")
            if known := self._made_by(session, actor, key):
                return known[0]
            if old.revoked_at is not None or old.expires_at <= self._clock.now():
                raise InvalidArgument("This link has ended. Share the itinerary again from the booking.")
            lifetime = lifetime_of(old.expires_at - old.created_at)
            wanted = ShareRequest(
                request_key=key, client_ids=(old.client_id,), with_prices=old.with_prices, lifetime=lifetime
            )
        (made,) = self.share(actor, old.booking_id, wanted)
        self.revoke(actor, share_id)
        return made

    def of_booking(self, actor: Actor, booking: BookingDetail) -> list[Share]:
        """A booking's links, the newest first."""
        query = (
            select(ItineraryShareRow)
            .where(
                visible_to(actor, ItineraryShareRow.agency_id, ItineraryShareRow.agent_id),
                ItineraryShareRow.booking_id == booking.id,
            )
            .order_by(ItineraryShareRow.created_at.desc(), ItineraryShareRow.id)
        )
        names = {passenger.client_id: passenger.name for passenger in booking.passengers}
        with self._database.read() as session:
            return [_share(row, names) for row in session.scalars(query.limit(_LISTED))]

    def revoke(self, actor: Actor, share_id: str) -> Share:
        """The link stops working at once; again it changes nothing. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row = session.get(ItineraryShareRow, share_id, with_for_update=True)
            if row is None or row.agency_id != actor.agency_id or not (actor.is_admin or actor.owns(row.agent_id)):
                raise NotFound("There is no such link among yours.")
            if not actor.owns(row.agent_id):
                raise PermissionDenied("Only the agent who owns this booking can revoke its links.")
            if row.revoked_at is None:
                row.revoked_at = self._clock.now()
                event = ItineraryUnshared(share_id=row.id)
                self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
            return _share(row, {})

    def _make(
        self, session: Session, booking: BookingDetail, wanted: ShareRequest, person: Passenger | None, position: int
    ) -> Share:
        now, share_id = self._clock.now(), new_id("itin")
        expires_at = expiry(wanted.lifetime, now=now, ends_on=booking.ends_on)
        page = f"{self._portal_url}/itinerary/{share_id}"
        if person is None:
            token = new_link_token()
            url, hashed, letter = f"{page}#{token}", token_sha256(token), ""
        else:
            made = link_letter(
                self._letters,
                template="itinerary",
                to=person.email,
                page=page,
                issued_at=now,
                expires_at=expires_at,
            )
            url, hashed, letter = made.url, made.token_sha256, made.sealed
        row = ItineraryShareRow(
            id=share_id,
            agency_id=booking.agency_id,
            agent_id=booking.agent_id,
            booking_id=booking.id,
            client_id=person.client_id if person else None,
            email=person.email if person else "",
            token_sha256=hashed,
            with_prices=wanted.with_prices,
            request_key=wanted.request_key,
            position=position,
            created_at=now,
            expires_at=expires_at,
        )
        session.add(row)
        session.flush()
        event = self._event(session, row, booking, person, letter)
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
        return replace(_share(row, {person.client_id: person.name} if person else {}), fresh_url=url)

    def _event(
        self, session: Session, row: ItineraryShareRow, booking: BookingDetail, person: Passenger | None, letter: str
    ) -> ItineraryShared:
        house = self._bookings.house(session, booking)
        event = ItineraryShared(
            share_id=row.id,
            booking_id=booking.id,
            booking_title=booking.title,
            token_sha256=row.token_sha256,
            expires_at=stamp(row.expires_at),
            with_prices=row.with_prices,
            agent=house.agent,
            agency=house.agency,
            sealed_mail=letter,
        )
        if person is not None:
            event.client.CopyFrom(passenger_snapshot(person))
        return event

    def _made_by(self, session: Session, actor: Actor, request_key: str) -> list[Share]:
        query = select(ItineraryShareRow).where(
            ItineraryShareRow.request_key == request_key, ItineraryShareRow.agent_id == actor.agent_id
        )
        return [_share(row, {}) for row in session.scalars(query.order_by(ItineraryShareRow.position))]


def _mailable(booking: BookingDetail, client_id: str) -> Passenger:
    passenger = booking.passenger(client_id)
    if passenger is None:
        raise InvalidArgument("Tick passengers of this booking only.", field="passengers")
    require_mailable(passenger.email, field="passengers", whose=passenger.name)
    return passenger


def _share(row: ItineraryShareRow, names: dict[str, str]) -> Share:
    return Share(
        id=row.id,
        booking_id=row.booking_id,
        to=names.get(row.client_id or "", row.email),
        email=row.email,
        with_prices=row.with_prices,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
