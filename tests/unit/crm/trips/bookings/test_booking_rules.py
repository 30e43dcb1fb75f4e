from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.crm.trips.bookings.rules import (
    BookingDetail,
    BookingStatus,
    DueKind,
    SegmentData,
    SegmentDetail,
    SegmentKind,
    segment_errors,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
amounts = st.none() | st.integers(min_value=1, max_value=10**9).map(lambda minor: Money(minor=minor, currency="USD"))
days = st.none() | st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 1, 1))


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def segment(**values: object) -> SegmentData:
    return SegmentData(supplier_name="Aurora Cruises", kind=SegmentKind.CRUISE, **values)  # type: ignore[arg-type]


def booking(*segments: SegmentData, fee: Money | None = None) -> BookingDetail:
    return BookingDetail(
        id="b",
        agency_id="a",
        agent_id="m",
        agent_name="Maya",
        title="Fjords",
        status=BookingStatus.BOOKED,
        currency="USD",
        service_fee=fee,
        service_fee_description="",
        notes="",
        segments=tuple(SegmentDetail(id=str(n), booking_id="b", data=data) for n, data in enumerate(segments)),
        created_at=NOW,
        updated_at=NOW,
        version=1,
    )


def test_a_trip_lasts_from_its_first_begin_to_its_last_end() -> None:
    trip = booking(
        segment(begins_on=date(2027, 3, 2), ends_on=date(2027, 3, 9)), segment(begins_on=date(2027, 2, 27)), segment()
    )
    assert (trip.begins_on, trip.ends_on) == (date(2027, 2, 27), date(2027, 3, 9))


def test_prices_and_the_fee_add_up() -> None:
    trip = booking(segment(price=usd(100), commission=usd(7)), segment(price=usd(50)), segment(), fee=usd(9))
    assert trip.total == usd(159)
    assert trip.commission == usd(7)


def test_a_segment_is_due_as_deposit_and_as_final_payment() -> None:
    data = segment(deposit=usd(10), deposit_due_on=date(2027, 1, 1), final=usd(90))
    dues = SegmentDetail(id="s", booking_id="b", data=data).dues
    assert [(due.kind, due.amount, due.due_on) for due in dues] == [
        (DueKind.DEPOSIT, usd(10), date(2027, 1, 1)),
        (DueKind.FINAL, usd(90), None),
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"begins_on": date(2027, 3, 9), "ends_on": date(2027, 3, 2)}, "ends_on"),
        ({"ends_on": date(2027, 3, 2)}, "begins_on"),
        ({"deposit_due_on": date(2027, 3, 2)}, "deposit"),
        ({"final_due_on": date(2027, 3, 2)}, "final"),
        ({"price": usd(100), "deposit": usd(60), "final": usd(41)}, "final"),
        ({"price": usd(100), "commission": usd(101)}, "commission"),
        (
            {
                "deposit": usd(1),
                "final": usd(1),
                "deposit_due_on": date(2027, 3, 2),
                "final_due_on": date(2027, 3, 1),
            },
            "final_due_on",
        ),
    ],
)
def test_what_does_not_fit_together_is_said_at_its_field(values: dict[str, object], field: str) -> None:
    assert field in segment_errors(segment(**values))


@given(price=amounts, deposit=amounts, final=amounts, begins=days, ends=days)
def test_a_segment_without_errors_never_asks_for_more_than_its_price(
    price: Money | None, deposit: Money | None, final: Money | None, begins: date | None, ends: date | None
) -> None:
    data = segment(price=price, deposit=deposit, final=final, begins_on=begins, ends_on=ends)
    if not segment_errors(data):
        asked = sum(due.amount.minor for due in SegmentDetail(id="s", booking_id="b", data=data).dues)
        assert price is None or asked <= price.minor
        assert not (begins and ends) or begins <= ends
