"""Looking at signing requests: lists, one of them, its PDF, what a booking still lacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, select

from chassis.db import AsText, Database, remembered
from chassis.errors import NotFound
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.sales.clients.service import name_key
from services.crm.signing.esign.library import Library, required_of
from services.crm.signing.esign.models import SignedRequestRow, SignRequestRow
from services.crm.signing.esign.records import KIND, SignedRequest, SignRequest, view
from services.crm.signing.esign.rules import RequestState, Wanted, missing
from services.crm.trips.bookings.service import BookingDetail

EXPORT_LIMIT = 10_000
_OF_CLIENT = 50


class RequestSort(StrEnum):
    """What the list of requests can be ordered by."""

    SENT = "sent"
    DOCUMENT = "document"
    CLIENT = "client"
    TRIP = "trip"
    STATE = "state"


NEWEST = Order(RequestSort.SENT)
REQUEST_KEYS: Keys[RequestSort] = {
    RequestSort.SENT: Key(SignRequestRow.created_at, falling=True),
    RequestSort.DOCUMENT: Key(AsText(SignRequestRow.title), SignRequestRow.created_at),
    RequestSort.CLIENT: Key(name_key(SignRequestRow.client_id), SignRequestRow.created_at),
    RequestSort.TRIP: Key(AsText(SignRequestRow.booking_title), SignRequestRow.created_at),
    RequestSort.STATE: Key(SignRequestRow.state, SignRequestRow.created_at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """What the list of requests shows; no states = every state."""

    states: frozenset[RequestState] = frozenset()
    order: Order[RequestSort] = NEWEST


class RequestBook:
    """What was sent and what was signed."""

    def __init__(self, *, database: Database, library: Library, card_authorized: Callable[[str], bool]) -> None:
        """`card_authorized(booking_id)` says whether anybody signed a card authorization for a booking."""
        self._database = database
        self._library = library
        self._card_authorized = card_authorized

    def list_page(self, actor: Actor, wanted: RequestFilter, number: int) -> Page[SignRequest]:
        """A page of the requests that the actor may see."""
        query = _listed(actor, wanted)
        with self._database.read() as session:
            total = bounded_count(session, query.with_only_columns(SignRequestRow.id).order_by(None))
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number)))
            return Page(items=[view(row) for row in rows], total=total, number=number)

    def export(self, actor: Actor, wanted: RequestFilter) -> list[SignRequest]:
        """Everything that the list shows (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            return [view(row) for row in session.scalars(_listed(actor, wanted).limit(EXPORT_LIMIT))]

    def get(self, actor: Actor, request_id: str) -> tuple[SignRequest, SignedRequest | None]:
        """A request and, once it was signed, what was. Raises NotFound."""
        with self._database.read() as session:
            row = KIND.visible(session, actor, request_id)
            signed = session.execute(
                select(
                    SignedRequestRow.id,
                    SignedRequestRow.signer_name,
                    SignedRequestRow.signature_kind,
                    SignedRequestRow.signed_at,
                    SignedRequestRow.ip,
                    SignedRequestRow.pdf_sha256,
                ).where(SignedRequestRow.request_id == row.id)
            ).first()
            return view(row), SignedRequest(**signed._mapping) if signed is not None else None

    def pdf(self, actor: Actor, request_id: str) -> bytes:
        """The signed PDF. Raises NotFound."""
        with self._database.read() as session:
            row = KIND.visible(session, actor, request_id)
            found = session.scalar(select(SignedRequestRow.pdf).where(SignedRequestRow.request_id == row.id))
        if found is None:
            raise NotFound("This document was not signed here.")
        return found

    def of_booking(self, booking: BookingDetail) -> list[SignRequest]:
        """The requests of a booking that the caller has from a look-up of their own, newest first."""
        with self._database.read() as session:
            return remembered(
                session,
                ("documents of booking", booking.id),
                lambda: self._list(SignRequestRow.booking_id == booking.id),
            )

    def of_client(self, actor: Actor, client_id: str) -> list[SignRequest]:
        """A client's newest requests that the actor may see."""
        visible = visible_to(actor, SignRequestRow.agency_id, SignRequestRow.agent_id)
        return self._list(SignRequestRow.client_id == client_id, visible, limit=_OF_CLIENT)

    def lacking(self, actor: Actor, booking: BookingDetail, requests: Sequence[SignRequest]) -> list[Wanted]:
        """The required documents that a booking still lacks. `requests` are the booking's own."""
        states: dict[str, list[RequestState]] = {}
        for request in requests:
            states.setdefault(request.template_id, []).append(request.state)
        return missing(
            required_of(self._library.templates(actor)),
            states,
            has_fee=booking.service_fee is not None,
            card_authorized=self._card_authorized(booking.id),
        )

    def _list(self, *conditions: ColumnElement[bool], limit: int = 500) -> list[SignRequest]:
        query = select(SignRequestRow).where(*conditions)
        newest = query.order_by(SignRequestRow.created_at.desc(), SignRequestRow.id.desc()).limit(limit)
        with self._database.read() as session:
            return [view(row) for row in session.scalars(newest)]


def _listed(actor: Actor, wanted: RequestFilter) -> Select[SignRequestRow]:
    query = select(SignRequestRow).where(visible_to(actor, SignRequestRow.agency_id, SignRequestRow.agent_id))
    if wanted.states:
        query = query.where(SignRequestRow.state.in_(wanted.states))
    return in_order(query, wanted.order, REQUEST_KEYS, SignRequestRow.id)
