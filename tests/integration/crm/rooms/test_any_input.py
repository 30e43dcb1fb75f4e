"""Whatever is typed into a form: a page that says what to mend, or a redirect; never a fault."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.crm_site import Browser, CrmSite

texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "1", "-1", "1e9", "999999999999", "9" * 30, "0.001", "2027-02-30", "9999-12-31", "0001-01-01"]
    ),
    st.sampled_from(["USD", "EUR", "ZZZ", "booked", "hotel", "FR", "a@b", "x@mail.example", "\x00", "'; --", "<b>"]),
    st.text(min_size=300, max_size=5000),
)
SOME = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

CLIENT = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "second_phone",
    "birthday",
    "city",
    "country",
    "notes",
    "version",
)
BOOKING = ("title", "status", "currency", "lead", "passengers", "service_fee", "service_fee_description", "version")
SEGMENT = (
    "supplier_name",
    "kind",
    "begins_on",
    "ends_on",
    "price",
    "deposit",
    "deposit_due_on",
    "final",
    "final_due_on",
    "commission",
    "version",
)
AGENCY = (
    "name",
    "accent_colour",
    "email",
    "phone",
    "time_zone",
    "card_retention_days",
    "cvv_retention_hours",
    "version",
)
AGENT = ("name", "email", "phone", "time_zone", "role", "active")


@pytest.fixture
def maya(site: CrmSite) -> Browser:
    return site.signed_in(site.maya)


@pytest.fixture
def ada(site: CrmSite) -> Browser:
    return site.signed_in(site.ada)


def _no_fault(site: CrmSite, browser: Browser, path: str, typed: dict[str, str]) -> None:
    site.clock.advance(timedelta(milliseconds=1))
    browser.get(path)
    assert browser.post(path, dict(typed)).status_code in (200, 303, 422)


@SOME
@given(typed=st.dictionaries(st.sampled_from(CLIENT), texts))
def test_the_client_form_takes_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    _no_fault(site, maya, "/clients/new", typed)
    _no_fault(site, maya, f"/clients/{site.client.id}/edit", typed)


@SOME
@given(typed=st.dictionaries(st.sampled_from(BOOKING), texts))
def test_the_booking_form_takes_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    _no_fault(site, maya, "/bookings/new", typed)
    _no_fault(site, maya, f"/bookings/{site.booking.id}/edit", typed)


@SOME
@given(typed=st.dictionaries(st.sampled_from(SEGMENT), texts))
def test_the_segment_form_takes_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    _no_fault(site, maya, f"/bookings/{site.booking.id}/segments/new", typed)
    _no_fault(site, maya, f"/bookings/{site.booking.id}/segments/{site.segment_id}", typed)


@SOME
@given(typed=st.dictionaries(st.sampled_from(AGENCY), texts))
def test_the_agency_forms_take_anything(site: CrmSite, ada: Browser, typed: dict[str, str]) -> None:
    _no_fault(site, ada, "/agency", typed)
    _no_fault(site, ada, "/agency/agents/new", typed)


@SOME
@given(typed=st.dictionaries(st.sampled_from(("email", "password", "code", "token", "again", "old", "new")), texts))
def test_the_sign_in_forms_take_anything(site: CrmSite, typed: dict[str, str]) -> None:
    browser = site.browser()
    for path in ("/sign-in", "/invitation"):
        browser.get(path)
        assert browser.post(path, dict(typed)).status_code in (200, 303, 422, 429)


@SOME
@given(text=texts)
def test_any_text_can_be_searched(site: CrmSite, maya: Browser, text: str) -> None:
    for path in ("/clients/search", "/clients", "/bookings"):
        assert maya.get(path, query_string={"q": text}, headers={"HX-Request": "true"}).status_code == 200
