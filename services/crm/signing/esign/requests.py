"""Use cases of signing requests: send to passengers, remind, withdraw, expire; what a booking still lacks."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.sealing import LetterSealer
from protos.wayvault.events.v1.events_pb2 import EsignWithdrawn
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.sales.clients.service import Clients
from services.crm.signing.esign.issuing import Issuing, anybody, passenger_of
from services.crm.signing.esign.library import Library, Template
from services.crm.signing.esign.models import SignRequestRow
from services.crm.signing.esign.records import SignRequest, made_by, own_row, view
from services.crm.signing.esign.rules import (
    DONE,
    LIFETIME,
    WAITING,
    DocumentKind,
    RequestFact,
    RequestState,
    after,
    empty_tags,
    fill,
    is_over,
    state_code,
)
from services.crm.trips.bookings.service import BookingDetail, Bookings, Passenger


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


class SignRequests:
    """The signing requests."""

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
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._clients = clients
        self._directory = directory
        self._library = library
        self._lifetime = lifetime
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
        keys = {client_id: _key(wanted.request_key, client_id) for client_id in wanted.client_ids}
        try:
            with self._database.transaction() as session:
                booking = self._bookings.load_own(session, actor, booking_id)
                if made := made_by(session, keys.values()):
                    return made
                template = self._sendable(session, actor, wanted.template_id)
                people = [passenger_of(booking, client_id) for client_id in wanted.client_ids]
                if not wanted.restricted_ok:
                    self._refuse_restricted(session, booking, template, people)
                return [self._ask(session, booking, template, each, keys[each.client_id]) for each in people]
        except IntegrityError:
            with self._database.read() as session:
                if made := made_by(session, keys.values()):
                    return made
            raise

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
        key = _key(request_key, client_id)
        template = self._library.of_kind(actor, kind)
        with self._database.transaction() as session:
            booking = self._bookings.load_own(session, actor, booking_id)
            if made := made_by(session, [key]):
                return made[0]
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
        key = _key(request_key, client_id)
        now = self._clock.now()
        if signed_on > now.astimezone(ZoneInfo(actor.time_zone)).date():
            raise InvalidArgument("This day is still to come. Enter the day on which the form was signed.", field="on")
        with self._database.transaction() as session:
            booking = self._bookings.load_own(session, actor, booking_id)
            if made := made_by(session, [key]):
                return made[0]
            template = self._sendable(session, actor, template_id)
            row = self._issuing.new_row(session, booking, template, anybody(booking, client_id), key)
            row.state = RequestState.PAPER
            noon = datetime(signed_on.year, signed_on.month, signed_on.day, 12, tzinfo=ZoneInfo(actor.time_zone))
            row.signed_at = min(noon, now)
            session.add(row)
            session.flush()
            return view(row)

    def remind(self, actor: Actor, request_id: str, *, issue: int) -> SignRequest:
        """Mails the request again with a fresh token and fresh time; older e-mails stay good.

        `issue` is the number that the page showed: a second click finds it outdated and sends nothing.
        Raises NotFound, PermissionDenied or InvalidArgument.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            row = own_row(session, actor, request_id)
            if row.issue != issue:
                return view(row)
            state = after(RequestState(row.state), RequestFact.REMINDED)
            if state is None:
                raise InvalidArgument(f"“{row.title}” was {_WORDS[RequestState(row.state)]}, so nobody is reminded.")
            row.state = state
            row.issue += 1
            row.issued_at, row.expires_at, row.delivery_problem = now, now + self._lifetime, ""
            self._issuing.mail(session, row)
            return view(row)

    def withdraw(self, actor: Actor, request_id: str) -> SignRequest:
        """Takes the request back. Again it changes nothing. Raises NotFound, PermissionDenied, or InvalidArgument when
        the client was faster."""
        with self._database.transaction() as session:
            row = own_row(session, actor, request_id)
            if row.state == RequestState.WITHDRAWN:
                return view(row)
            state = after(RequestState(row.state), RequestFact.WITHDRAWN)
            if state is None:
                raise InvalidArgument(f"{row.signer_name} has signed “{row.title}”, so it can't be taken back.")
            row.state, row.withdrawn_at = state, self._clock.now()
            event = EsignWithdrawn(request_id=row.id)
            self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
            return view(row)

    def expire_due(self, limit: int = 200) -> int:
        """Marks requests past their end as expired. Returns how many."""
        now = self._clock.now()
        query = select(SignRequestRow.id).where(SignRequestRow.state.in_(WAITING), SignRequestRow.expires_at <= now)
        with self._database.read() as session:
            due = session.scalars(query.limit(limit)).all()
        return sum(self._expire(request_id, now) for request_id in due)

    def _expire(self, request_id: str, now: datetime) -> bool:
        with self._database.transaction() as session:
            row = session.get(SignRequestRow, request_id, with_for_update=True)
            if row is None or not is_over(RequestState(row.state), expires_at=row.expires_at, now=now):
                return False
            row.state = RequestState.EXPIRED
            return True

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
        row = self._issuing.new_row(session, booking, template, passenger, key)
        self._issuing.mail(session, row)
        session.add(row)
        session.flush()
        return view(row)


_WORDS = {
    RequestState.SIGNED: "signed already",
    RequestState.PAPER: "signed on paper already",
    RequestState.WITHDRAWN: "taken back",
}
_RESTRICTED = "service fees are restricted there. Ask your admin before you send this."


def _key(request_key: str, client_id: str) -> str:
    return hashlib.sha256(f"{request_key}\n{client_id}".encode()).hexdigest()
