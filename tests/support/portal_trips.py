"""Bookings as the CRM tells the portal of them."""

from datetime import date

from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.events_pb2 import (
    BookingSaved,
    Client,
    PaymentContext,
    PaymentProcessed,
    PaymentType,
    Policy,
    Segment,
)
from services.crm.paying.links.terms import self_service_terms
from tests.support.portal import PortalWorld
from tests.support.portal_people import AGENCY, ALAN, GRACE, MAYA

POLICY = Policy(card_retention_days=30, cvv_retention_hours=72)


def usd(units: float) -> Money:
    return Money(minor=round(units * 100), currency="USD")


def cruise(segment_id: str = "seg_1", **changes: object) -> Segment:
    """A cruise that costs US$ 4,000: 1,240 as deposit, the rest as final payment."""
    made = Segment(
        id=segment_id,
        supplier_name="Aurora Cruises",
        kind="cruise",
        confirmation_number="AC-7781",
        begins_on="2027-06-05",
        ends_on="2027-06-12",
        description="Balcony cabin on deck 7",
        price=usd(4000),
        deposit=usd(1240),
        deposit_due_on="2026-12-01",
        final=usd(2760),
        final_due_on="2027-04-01",
    )
    made.MergeFrom(Segment(**changes))  # type: ignore[arg-type]
    return made


def booking_saved(
    booking_id: str = "bkg_1",
    *,
    title: str = "Norwegian fjords for two",
    status: str = "booked",
    version: int = 1,
    passengers: tuple[Client, ...] = (GRACE, ALAN),
    segments: tuple[Segment, ...] | None = None,
    service_fee: Money | None = None,
) -> BookingSaved:
    text, terms_version = self_service_terms(AGENCY, MAYA, POLICY)
    return BookingSaved(
        booking_id=booking_id,
        title=title,
        status=status,
        agent_id=MAYA.id,
        segments=(cruise(),) if segments is None else segments,
        passengers=passengers,
        agent=MAYA,
        agency=AGENCY,
        currency="USD",
        lead_client_id=passengers[0].id if passengers else "",
        policy=POLICY,
        terms_template=text,
        terms_version=terms_version,
        version=version,
        service_fee=service_fee,
        service_fee_description="Planning and reservations" if service_fee else "",
    )


def processed(
    world: PortalWorld,
    units: float,
    *,
    payment_id: str = "pay_past",
    payer: Client = ALAN,
    segment_id: str = "seg_1",
    kind: PaymentType.ValueType = PaymentType.PAYMENT_TYPE_DEPOSIT,
) -> PaymentProcessed:
    """What the CRM says once a supplier has taken a payment."""
    return PaymentProcessed(
        payment_id=payment_id,
        confirmation_number="K-5521",
        at=stamp(world.clock.now()),
        context=PaymentContext(
            payment_id=payment_id,
            booking_id="bkg_1",
            booking_title="Norwegian fjords for two",
            agency=AGENCY,
            agent=MAYA,
            payer=payer,
            segment=cruise(segment_id),
            amount=usd(units),
            type=kind,
            purpose="Deposit for Aurora Cruises",
            policy=POLICY,
        ),
    )


def today(world: PortalWorld) -> date:
    return world.clock.now().date()
