"""What Eleanor Whitcombe finds in the portal: a trip that is over and paid, one that is ahead, documents; and what
makes the portal know of the demo's past payments."""

import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from chassis.ids import new_id
from chassis.money import Money
from chassis.paper import sheet
from chassis.paper.sheet import Sheet
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    PaymentCardRemoved,
    PaymentContext,
    PaymentProcessed,
    PaymentRetrieved,
)
from services.crm.access.agency.service import agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.parts import Dependencies
from services.crm.paying.payments.models import PaymentRow
from services.crm.sales.clients.service import ClientDetail, client_snapshot
from services.crm.trips.bookings.service import (
    BookingData,
    BookingDetail,
    BookingFilter,
    BookingStatus,
    SegmentData,
    SegmentKind,
    segment_snapshot,
)
from services.crm.trips.documents.service import Upload
from services.crm_demo.payments import Paid, past_payments

_WHO = ("eleanor.whitcombe@mail.example", "robert.whitcombe@mail.example")
_FJORDS = "Norwegian fjords for the Whitcombes"
_RHINE = "Christmas markets on the Rhine for the Whitcombes"
_TUSCANY = "A week in Tuscany for the Whitcombes"


def add_portal_life(deps: Dependencies, actor: Actor, today: date) -> None:
    """Gives the Whitcombes, if they are this agent's clients, their trips and documents, unless they have them."""
    people = {client.email: client for client in deps.sales.clients.all_own(actor)}
    own = {booking.title: booking for booking in deps.trips.bookings.export(actor, BookingFilter())}
    if not all(email in people for email in _WHO) or _RHINE in own:
        return
    travelers = [people[email] for email in _WHO]
    with deps.core.database.transaction() as session:
        tuscany = _open(deps, session, actor, _TUSCANY, BookingStatus.TRAVELED, travelers, _tuscany(today))
        rhine = _open(deps, session, actor, _RHINE, BookingStatus.BOOKED, travelers, _rhine(today))
        _pay(deps, session, tuscany, travelers[0], percent=100, chance_seed=7)
        _pay(deps, session, rhine, travelers[0], percent=25, chance_seed=8)
    _share(deps, actor, rhine, "Cruise voucher", "Cabin 214 with a French balcony, boarding from 15:00 in Cologne.")
    _share(deps, actor, tuscany, "House rules of Villa Corbezzolo", "Keys are with Signora Landi, second door.")
    if _FJORDS in own:
        _share(deps, actor, own[_FJORDS], "What to pack for the fjords", "Layers, a raincoat, and shoes that grip.")
    if deps.core.settings.letter_signing_key.is_file() and deps.sales.portal_access.of(actor, travelers[0].id) is None:
        deps.sales.portal_access.invite(actor, travelers[0].id, "eleanor")


def tell_past_payments(deps: Dependencies, session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Publishes what the CRM would have said of payments that were written as they ended."""  # Any: columns
    for row in rows:
        context, payment_id = PaymentContext.FromString(row["context"]), row["id"]
        told = (
            PaymentRetrieved(payment_id=payment_id, agent_name=context.agent.name, at=stamp(row["retrieved_at"])),
            PaymentProcessed(
                payment_id=payment_id,
                confirmation_number=row["confirmation_number"],
                at=stamp(row["closed_at"]),
                context=context,
            ),
            PaymentCardRemoved(payment_id=payment_id, at=stamp(row["card_removed_at"]), reason="processed"),
        )
        for event in told:
            deps.core.outbox.add(session, event, aggregate_id=payment_id, agency_id=row["agency_id"])


def _open(  # noqa: PLR0917 - what a booking is made of
    deps: Dependencies,
    session: Session,
    actor: Actor,
    title: str,
    status: BookingStatus,
    travelers: list[ClientDetail],
    segments: tuple[SegmentData, ...],
) -> BookingDetail:
    data = BookingData(
        title=title, status=status, currency="USD", passenger_ids=tuple(client.id for client in travelers)
    )
    return deps.trips.bookings.open(session, actor, data, segments)


def _pay(
    deps: Dependencies, session: Session, booking: BookingDetail, payer: ClientDetail, *, percent: int, chance_seed: int
) -> None:
    agency = agency_snapshot(deps.access.directory.load_agency(session, booking.agency_id))
    agent = agent_snapshot(deps.access.directory.load_agent(session, booking.agent_id))
    rows: list[dict[str, Any]] = []  # Any: columns of several types
    for segment in booking.segments:
        price, due = segment.data.price, segment.data.deposit_due_on
        if price is None or due is None:
            continue
        paid = Paid(
            agency=agency,
            agent=agent,
            payer=client_snapshot(payer),
            booking_id=booking.id,
            booking_title=booking.title,
            segment=segment_snapshot(segment),
            total_minor=price.minor * percent // 100,
            currency=booking.currency,
            first_due=due,
            parts=1 if percent < 100 else 2,
        )
        ids = (new_id("pay") for _ in count())
        rows += past_payments(paid, ids, random.Random(chance_seed), deps.core.clock.now())
    session.execute(insert(PaymentRow), rows)
    tell_past_payments(deps, session, rows)


def _share(deps: Dependencies, actor: Actor, booking: BookingDetail, title: str, text: str) -> None:
    head = deps.access.directory.agency(booking.agency_id).letterhead
    paper = Sheet(head=head, title=title, footer=booking.title, made_at=booking.created_at, blocks=(sheet.say(text),))
    upload = Upload(
        request_key=f"demo:{title}"[:60], file_name=f"{title}.pdf", content=sheet.pdf(paper), title=title, tell=False
    )
    deps.trips.documents.share(actor, booking.id, upload)


def _rhine(today: date) -> tuple[SegmentData, ...]:
    begins_on = today + timedelta(days=24)
    return (
        SegmentData(
            supplier_name="Lorelei River Cruises",
            kind=SegmentKind.CRUISE,
            description="Cologne to Basel, cabin 214 with a French balcony",
            confirmation_number="LRC-20418",
            begins_on=begins_on,
            ends_on=begins_on + timedelta(days=7),
            price=_usd(4_600),
            deposit=_usd(1_150),
            deposit_due_on=today - timedelta(days=40),
            final=_usd(3_450),
            final_due_on=today + timedelta(days=5),
            commission=_usd(552),
        ),
        SegmentData(
            supplier_name="Hotel Drei Könige",
            kind=SegmentKind.HOTEL,
            description="Two nights in Basel, river view, breakfast",
            begins_on=begins_on + timedelta(days=7),
            ends_on=begins_on + timedelta(days=9),
            price=_usd(780),
            final=_usd(780),
            final_due_on=today + timedelta(days=16),
            commission=_usd(78),
        ),
    )


def _tuscany(today: date) -> tuple[SegmentData, ...]:
    begins_on = today - timedelta(days=160)
    return (
        SegmentData(
            supplier_name="Villa Corbezzolo",
            kind=SegmentKind.OTHER,
            description="The whole house with the olive garden, seven nights",
            confirmation_number="VC-7731",
            begins_on=begins_on,
            ends_on=begins_on + timedelta(days=7),
            price=_usd(2_940),
            deposit=_usd(735),
            deposit_due_on=begins_on - timedelta(days=120),
            final=_usd(2_205),
            final_due_on=begins_on - timedelta(days=45),
            commission=_usd(294),
        ),
    )


def _usd(units: int) -> Money:
    return Money(minor=units * 100, currency="USD")
