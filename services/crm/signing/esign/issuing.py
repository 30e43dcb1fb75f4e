"""Making signing requests: the text filled for one passenger, and the letter with the request's token."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.ids import new_id
from chassis.sealing import LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import EsignRequested
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.core.asked import fresh_letter
from services.crm.sales.clients.service import ClientDetail, Clients
from services.crm.signing.esign.library import Template
from services.crm.signing.esign.models import SignRequestRow
from services.crm.signing.esign.records import KIND, label
from services.crm.signing.esign.rules import TAGS, empty_tags, fill
from services.crm.signing.esign.tags import values_for
from services.crm.trips.bookings.service import BookingDetail, Bookings, Passenger
from services.crm.trips.passenger_picker import asked_snapshot, picked, picked_for_mail


class Issuing:
    """Writes requests and their letters in the caller's transaction. `lifetime`: how long one is good for."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        clients: Clients,
        directory: Directory,
        letters: LetterSealer,
        portal_url: str,
        lifetime: timedelta,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._clients = clients
        self._directory = directory
        self._letters = letters
        self._portal_url = portal_url
        self._lifetime = lifetime

    def new_row(
        self, session: Session, booking: BookingDetail, template: Template, passenger: Passenger, key: str
    ) -> SignRequestRow:
        values = self.values(session, booking, passenger.client_id)
        if unfilled := empty_tags(template.body, values):
            raise InvalidArgument(_unfilled_words(template, unfilled, passenger.name), field="template_id")
        text, now = fill(template.body, values), self._clock.now()
        return SignRequestRow(
            id=new_id("sign"),
            agency_id=booking.agency_id,
            agent_id=booking.agent_id,
            booking_id=booking.id,
            client_id=passenger.client_id,
            template_id=template.id,
            template_number=template.number,
            title=template.title,
            text=text,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            signer_name=passenger.name,
            email=passenger.email,
            booking_title=booking.title,
            request_key=key,
            **KIND.begun(now, self._lifetime),
        )

    def values(self, session: Session, booking: BookingDetail, client_id: str) -> dict[str, str]:
        passenger = picked(booking, client_id)
        client: ClientDetail = self._clients.load_many(session, booking.agency_id, [passenger.client_id])[
            passenger.client_id
        ]
        return dict(
            values_for(
                booking=booking,
                client=client,
                agency=self._directory.load_agency(session, booking.agency_id),
                agent=self._directory.load_agent(session, booking.agent_id),
                now=self._clock.now(),
            )
        )

    def mail(self, session: Session, row: SignRequestRow) -> None:
        """Makes the request's newest token, seals it into a letter and publishes both unopened."""
        _, letter = fresh_letter(
            self._letters, row, template="esign_request", address=f"{self._portal_url}/sign/{row.id}"
        )
        event = self.asked(session, row, letter)
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)

    def asked(self, session: Session, row: SignRequestRow, letter: str) -> EsignRequested:
        """What is told of a request; without a letter as part of a visit."""
        booking = self._bookings.load_by_id(session, row.booking_id)
        return EsignRequested(
            request_id=row.id,
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            agency=agency_snapshot(self._directory.load_agency(session, row.agency_id)),
            agent=agent_snapshot(self._directory.load_agent(session, row.agent_id)),
            signer=asked_snapshot(booking, row.client_id, name=row.signer_name, email=row.email),
            title=row.title,
            text=row.text,
            text_sha256=row.text_sha256,
            template_version=label(row),
            token_sha256=row.token_sha256 if letter else "",
            expires_at=stamp(row.expires_at),
            sealed_mail=letter,
            issue=row.issue,
        )


def passenger_of(booking: BookingDetail, client_id: str) -> Passenger:
    return picked_for_mail(booking, client_id, otherwise="nothing can be sent. Print the form instead.")


def _unfilled_words(template: Template, unfilled: Sequence[str], name: str) -> str:
    needed = ", ".join(f"{TAGS[tag]} ({{{tag}}})" for tag in unfilled)
    return (
        f"“{template.title}” names what this booking does not have yet for {name}: {needed}. Add it to the booking or "
        "the client first, or change the document."
    )
