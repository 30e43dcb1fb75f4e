"""Use cases of signing requests: send to passengers, remind, withdraw, expire; what a booking still lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.sealing import LetterSealer
from protos.wayvault.events.v1.events_pb2 import EsignRequested, EsignWithdrawn
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.asked import form_key, once
from services.crm.core.together import PartAsking, PartOf
from services.crm.sales.clients.service import Clients
from services.crm.signing.esign.issuing import Issuing, passenger_of
from services.crm.signing.esign.library import Library, Template
from services.crm.signing.esign.models import SignRequestRow
from services.crm.signing.esign.records import KIND, SignRequest, view
from services.crm.signing.esign.rules import (
    DONE,
    LIFETIME,
    WAITING,
    DocumentKind,
    RequestState,
    empty_tags,
    fill,
    state_code,
)
from services.crm.trips.bookings.service import BookingDetail, Bookings, Passenger
from services.crm.trips.passenger_picker import address_today, picked


class FeeRestricted(InvalidArgument):
    """The service fee agreement would go to somebody in a state that restricts such fees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """One sending: one document to one or more passengers. `request_key` is made with the form, so that the form sent
    twice sends once. `restricted_ok`: the agent has read the warning about the client's state."""

    request_key: str
    template_id: str
    client_ids: Sequence[str]
    restricted_ok: bool = False


class SignRequests(PartAsking[SignRequestRow, RequestState, SignRequest]):
    """The signing requests."""

    kind = KIND

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        clients: Clients,
        directory: Directory,
        library: Library,
        letters: LetterSealer,
        portal_url: str,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        super().__init__(database=database, outbox=outbox, clock=clock, lifetime=lifetime)
        self._bookings = bookings
        self._clients = clients
        self._directory = directory
        self._library = library
        self._issuing = Issuing(
            outbox=outbox,
            clock=clock,
            bookings=bookings,
            clients=clients,
            directory=directory,
            letters=letters,
            portal_url=portal_url,
            lifetime=lifetime,
        )

    def send(self, actor: Actor, booking_id: str, wanted: SendRequest) -> list[SignRequest]:
        """Asks each passenger to sign, in one transaction. The same form again answers with what the first one made.

        Raises NotFound, PermissionDenied, FeeRestricted or InvalidArgument.
        """
        keys = {client_id: form_key(wanted.request_key, client_id) for client_id in wanted.client_ids}

        def make(session: Session) -> list[SignRequest]:
            booking = self._bookings.load_own(session, actor, booking_id)
            template = self._sendable(session, actor, wanted.template_id)
            people = [passenger_of(booking, client_id) for client_id in wanted.client_ids]
            if not wanted.restricted_ok:
                self._refuse_restricted(session, booking, template, people)
            return [self._ask(session, booking, template, each, keys[each.client_id]) for each in people]

        return once(
            self._database, lambda session: [view(row) for row in KIND.made_by(session, actor, keys.values())], make
        )

    def open_part(
        self, session: Session, actor: Actor, booking: BookingDetail, wanted: SendRequest, part: PartOf
    ) -> EsignRequested:
        """Asks the one passenger for the document in a visit: what the visit tells of it. Raises FeeRestricted or
        InvalidArgument."""
        (client_id,) = wanted.client_ids
        template = self._sendable(session, actor, wanted.template_id)
        passenger = passenger_of(booking, client_id)
        if not wanted.restricted_ok:
            self._refuse_restricted(session, booking, template, [passenger])
        row = self._new(session, booking, template, passenger, part.key)
        row.visit_id, row.expires_at = part.visit_id, part.expires_at
        session.add(row)
        session.flush()
        return self._issuing.asked(session, row, "")

    def ask_for(
        self,
        actor: Actor,
        booking_id: str,
        client_id: str,
        *,
        kind: DocumentKind,
        title: str,
        text: str,
        request_key: str,
    ) -> SignRequest:
        """Asks one passenger to sign a text that was written for the occasion, filed under the agency's document of
        that kind. The same key again answers with what the first one made.

        Raises NotFound, PermissionDenied or InvalidArgument.
        """
        key = form_key(request_key, client_id)
        template = self._library.of_kind(actor, kind)
        with self._database.transaction() as session:
            booking = self._bookings.load_own(session, actor, booking_id)
            if made := KIND.made_by(session, actor, [key]):
                return view(made[0])
            written = replace(template, title=title, body=text)
            row = self._issuing.new_row(session, booking, written, passenger_of(booking, client_id), key)
            self._issuing.mail(session, row)
            session.add(row)
            session.flush()
            return view(row)

    def is_signed(self, request_id: str) -> bool:
        """Whether a request, which the caller has from a look-up of their own, was signed."""
        with self._database.read() as session:
            row = session.get(SignRequestRow, request_id)
            return row is not None and RequestState(row.state) in DONE

    def text_for(
        self, actor: Actor, booking_id: str, client_id: str, body: str, more: Mapping[str, str] | None = None
    ) -> tuple[str, list[str]]:
        """A text filled for one passenger of a booking that the actor may see, and the tags that have no value there.
        `more` are values beside the booking's. Raises NotFound, or InvalidArgument for who does not travel on it."""
        with self._database.read() as session:
            booking = self._bookings.load(session, actor, booking_id)
            values = self._issuing.values(session, booking, client_id) | dict(more or {})
        return fill(body, values), empty_tags(body, values)

    def record_paper(
        self, actor: Actor, booking_id: str, *, template_id: str, client_id: str, signed_on: date, request_key: str
    ) -> SignRequest:
        """Notes that a passenger signed the printed form. Raises NotFound, PermissionDenied or InvalidArgument."""
        key = form_key(request_key, client_id)
        now = self._clock.now()
        if signed_on > now.astimezone(ZoneInfo(actor.time_zone)).date():
            raise InvalidArgument("This day is still to come. Enter the day on which the form was signed.", field="on")
        with self._database.transaction() as session:
            booking = self._bookings.load_own(session, actor, booking_id)
            if made := KIND.made_by(session, actor, [key]):
                return view(made[0])
            template = self._sendable(session, actor, template_id)
            row = self._issuing.new_row(session, booking, template, picked(booking, client_id), key)
            row.state = RequestState.PAPER
            noon = datetime(signed_on.year, signed_on.month, signed_on.day, 12, tzinfo=ZoneInfo(actor.time_zone))
            row.signed_at = min(noon, now)
            session.add(row)
            session.flush()
            return view(row)

    def restricted(self, actor: Actor, booking: BookingDetail, template: Template) -> dict[str, str]:
        """Passengers, by client id, whose state restricts service fees, each with the warning that the agent reads."""
        with self._database.read() as session:
            return self._restricted(session, booking, template)

    def _sendable(self, session: Session, actor: Actor, template_id: str) -> Template:
        try:
            template = self._library.load(session, actor, template_id)
        except NotFound:
            raise InvalidArgument("Choose the document to send.", field="template_id") from None
        if template.archived or template.kind is DocumentKind.INSURANCE:
            raise InvalidArgument("This document can't be sent from here. Choose another one.", field="template_id")
        return template

    def _refuse_restricted(
        self, session: Session, booking: BookingDetail, template: Template, people: Sequence[Passenger]
    ) -> None:
        warnings = self._restricted(session, booking, template)
        named = [warnings[each.client_id] for each in people if each.client_id in warnings]
        if named:
            raise FeeRestricted(" ".join(named))

    def _restricted(self, session: Session, booking: BookingDetail, template: Template) -> dict[str, str]:
        if template.kind is not DocumentKind.SERVICE_FEE:
            return {}
        notes = self._library.load_restrictions(session, booking.agency_id)
        ids = [passenger.client_id for passenger in booking.passengers]
        warnings = {}
        for client in self._clients.load_many(session, booking.agency_id, ids).values():
            code = state_code(client.data.region, client.data.country)
            if code in notes:
                warnings[client.id] = f"{client.name} lives in {client.data.region}: {notes[code] or _RESTRICTED}"
        return warnings

    def _ask(
        self, session: Session, booking: BookingDetail, template: Template, passenger: Passenger, key: str
    ) -> SignRequest:
        row = self._new(session, booking, template, passenger, key)
        self._issuing.mail(session, row)
        session.add(row)
        session.flush()
        return view(row)

    def _new(
        self, session: Session, booking: BookingDetail, template: Template, passenger: Passenger, key: str
    ) -> SignRequestRow:
        """The request's row, unless the passenger has the document already and has not signed it."""
        waiting = session.scalar(
            select(SignRequestRow.id).where(
                SignRequestRow.booking_id == booking.id,
                SignRequestRow.client_id == passenger.client_id,
                SignRequestRow.template_id == template.id,
                SignRequestRow.state.in_(WAITING),
            )
        )
        if waiting is not None:
            raise InvalidArgument(
                f"{passenger.name} has “{template.title}” already and has not signed it yet. Send a reminder instead, "
                "or take the earlier request back first.",
                field="passengers",
            )
        return self._issuing.new_row(session, booking, template, passenger, key)

    def _view(self, row: SignRequestRow) -> SignRequest:
        return view(row)

    def _address_today(self, session: Session, row: SignRequestRow) -> str:
        return address_today(self._bookings.load_by_id(session, row.booking_id), row.client_id)

    def _mail(self, session: Session, row: SignRequestRow) -> SignRequest:
        self._issuing.mail(session, row)
        return view(row)

    def _asked(self, session: Session, row: SignRequestRow, letter: str) -> EsignRequested:
        return self._issuing.asked(session, row, letter)

    def _withdrawn(self, row: SignRequestRow) -> EsignWithdrawn:
        return EsignWithdrawn(request_id=row.id)

    def _why_not_remind(self, row: SignRequestRow) -> str:
        return f"“{row.title}” was {_WORDS[RequestState(row.state)]}, so nobody is reminded."

    def _why_not_withdraw(self, row: SignRequestRow) -> str:
        return f"{row.signer_name} has signed “{row.title}”, so it can't be taken back."


_WORDS = {
    RequestState.SIGNED: "signed already",
    RequestState.PAPER: "signed on paper already",
    RequestState.WITHDRAWN: "taken back",
}
_RESTRICTED = "service fees are restricted there. Ask your admin before you send this."
