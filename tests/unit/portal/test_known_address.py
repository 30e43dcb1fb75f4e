"""The billing address that a client need not type."""

import pytest

from chassis.web.formatting import country_of_zone
from tests.support.portal import LINK, PortalWorld
from tests.support.portal_people import GRACE, client_saved, tell

PAGE = f"/pay/{LINK}/authorize"


def _page(world: PortalWorld) -> str:
    world.issue()
    return world.opened().get(PAGE).text


def test_the_profiles_address_stands_in_the_form(world: PortalWorld) -> None:
    saved = client_saved(GRACE)
    address = saved.profile.address
    address.line1, address.city, address.region = "12 Long Lane", "Springfield", "Illinois"
    address.postal_code, address.country = "62701", "US"
    tell(world, saved)
    page = _page(world)
    for value in ("12 Long Lane", "Springfield", "Illinois", "62701"):
        assert f'value="{value}"' in page, value
    assert '<option selected value="US">' in page


def test_without_a_profile_the_country_is_the_agencys(world: PortalWorld) -> None:
    page = _page(world)
    assert 'name="line1"' in page
    assert '<option selected value="US">' in page


@pytest.mark.parametrize(
    ("zone", "country"),
    [("America/New_York", "US"), ("Europe/London", "GB"), ("Asia/Tokyo", "JP"), ("UTC", ""), ("Nowhere/At_All", "")],
)
def test_a_time_zone_tells_its_country_or_none(zone: str, country: str) -> None:
    assert country_of_zone(zone) == country
