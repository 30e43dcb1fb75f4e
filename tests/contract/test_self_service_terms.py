"""A client signs the same words whether their agent asks or they start the payment themselves (M2, P3)."""

import pytest

from chassis.money import Money
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import Client, PaymentContext, Policy, Segment
from protos.wayvault.events.v1.events_pb2 import PaymentType as WireType
from services.crm.paying.links.terms import render_terms, self_service_terms
from services.crm.paying.payments.service import PaymentType
from services.portal.trips.rules import PayType
from services.portal.trips.snapshot import read_trip
from services.portal.trips.terms import filled_terms
from tests.support.portal_people import AGENCY, MAYA
from tests.support.portal_trips import booking_saved, cruise

_WIRE: dict[PayType, WireType.ValueType] = {
    PayType.DEPOSIT: WireType.PAYMENT_TYPE_DEPOSIT,
    PayType.REGULAR: WireType.PAYMENT_TYPE_REGULAR,
    PayType.FINAL: WireType.PAYMENT_TYPE_FINAL,
    PayType.SERVICE_FEE: WireType.PAYMENT_TYPE_SERVICE_FEE,
}


@pytest.mark.parametrize("kind", PayType)
@pytest.mark.parametrize(
    ("segment", "title"),
    [
        (cruise(), "Norwegian fjords for two"),
        (cruise(ends_on="2027-06-05"), "One day"),
        (Segment(id="seg_1", supplier_name="{Amount} & Sons", kind="tour"), "A {Payer} trip"),
    ],
)
@pytest.mark.parametrize("hours", [0, 1, 72])
def test_the_portal_fills_the_terms_word_for_word_as_the_crm_writes_them(
    kind: PayType, segment: Segment, title: str, hours: int
) -> None:
    policy = Policy(card_retention_days=30, cvv_retention_hours=hours)
    amount = Money(minor=124_050, currency="USD")
    if kind is PayType.SERVICE_FEE:
        # The agency's own: no supplier charges it.
        segment = Segment()
    context = PaymentContext(
        booking_title=title,
        agency=AGENCY,
        agent=MAYA,
        payer=Client(first_name="Grace", last_name="Hopper"),
        segment=segment,
        amount=common_pb2.Money(minor=amount.minor, currency=amount.currency),
        type=_WIRE[kind],
        purpose=f"For {segment.supplier_name}",
        policy=policy,
    )
    template, _ = self_service_terms(AGENCY, MAYA, policy)
    trip = read_trip(booking_saved(title=title, segments=(segment,), service_fee=context.amount))
    part = trip.fee if kind is PayType.SERVICE_FEE else trip.segments[0]
    assert part is not None
    filled = filled_terms(
        template,
        payer="Grace Hopper",
        agency=AGENCY.name,
        title=title,
        segment=part,
        amount=amount,
        kind=kind,
        purpose=context.purpose,
    )
    assert filled == render_terms(context, PaymentType(kind.value), "Grace Hopper")
