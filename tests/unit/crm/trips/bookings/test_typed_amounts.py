"""Amounts as they are typed into a booking's forms (case 01-decimal-comma): right, or asked about beside the field."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.crm.trips.bookings.service import BookingData, BookingStatus
from tests.support.crm_site import Browser, CrmSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CrmSite]:
    site = CrmSite(tmp_path)
    yield site
    site.deps.core.database.dispose()


@pytest.fixture
def maya(site: CrmSite) -> Browser:
    return site.signed_in(site.maya)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("12,50", "EUR", 1250),
        ("0,99", "EUR", 99),
        ("1.240,50", "EUR", 124050),
        ("1\u00a0240,50", "EUR", 124050),
        ("1,240.50", "USD", 124050),
        ("US$\u00a01,240.00", "USD", 124000),
        ("1'240.50", "CHF", 124050),
        ("1.240", "EUR", None),
        ("1,2,4", "USD", None),
        ("1e3", "USD", None),
        ("€ 12", "USD", None),
    ],
)
def test_a_segment_gets_the_price_that_was_meant_or_none(
    site: CrmSite, maya: Browser, typed: str, currency: str, minor: int | None
) -> None:
    trip = BookingData(title="Trip", status=BookingStatus.QUOTE, currency=currency, passenger_ids=(site.client.id,))
    booking = site.deps.trips.bookings.create(site.maya, trip)
    maya.get(f"/bookings/{booking.id}/segments/new")
    answer = maya.post(
        f"/bookings/{booking.id}/segments/new",
        {"supplier_name": "Hurtigruten", "kind": "cruise", "price": typed, "version": booking.version},
    )
    segments = site.deps.trips.bookings.get(site.maya, booking.id).segments
    prices = [part.data.price.minor for part in segments if part.data.price]
    assert (answer.status_code, prices) == ((303, [minor]) if minor else (422, []))
    if minor is None:
        assert f'value="{typed}"'.replace("'", "&#39;") in answer.text
