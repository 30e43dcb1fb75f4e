"""Whatever is typed into a form: a page that says what to mend, or a redirect; never a fault."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.crm_site import Browser, CrmSite
from tests.support.thorough import examples
from tests.support.typed import spans, typed_values

# As browsers send it: half a character becomes the sign for one that is unknown.
texts = typed_values().map(lambda typed: typed.encode("utf-8", "replace").decode())
SOME = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
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
    "schedule",
    "due_amount_0",
    "due_on_0",
    "due_amount_999",
    "more",
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
    "notice_days",
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
    if browser.get(path).status_code == 404:
        browser.get("/")
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


HOUSEHOLD = ("first_name", "last_name", "relation", "born_on", "kind", "label", "day", "month", "year")
LINK = ("type", "segment_id", "purpose", "due_on", "overpay_ok", "pick_0", "amount_0", "request_key")
RECORD = ("method", "amount", "paid_on", "client_id", "reference", "note", *LINK)
CANCEL = ("penalty", "refund_due", "reason", "version")
OFFER = ("plan", "price", "pick_0", "request_key")
TASK = ("title", "due_on", "notes", "client_id", "note")
RULE = ("active", "days_before", "anchor", "subject", "body", "example", "do", "version")
TEMPLATE = ("title", "body", "required", "version", "kind", "booking_id")
TICKET = ("subject", "text", "version")


@SOME
@given(typed=st.dictionaries(st.sampled_from(HOUSEHOLD), texts))
def test_the_household_forms_take_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    for part in ("family", "occasions"):
        _no_fault(site, maya, f"/clients/{site.client.id}/{part}/new", typed)
    assert maya.get(f"/clients/{site.client.id}").status_code == 200


@SOME
@given(typed=st.dictionaries(st.sampled_from((*LINK, *OFFER)), texts))
def test_the_forms_that_ask_for_money_take_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    _no_fault(site, maya, f"/links/new/{site.booking.id}", typed)
    _no_fault(site, maya, f"/insurance/new/{site.booking.id}", typed)


@SOME
@given(typed=st.dictionaries(st.sampled_from((*RECORD, *CANCEL)), texts))
def test_the_forms_of_recorded_payments_and_cancelled_segments_take_anything(
    site: CrmSite, maya: Browser, typed: dict[str, str]
) -> None:
    _no_fault(site, maya, f"/bookings/{site.booking.id}/payments/new", typed)
    _no_fault(site, maya, f"/bookings/{site.booking.id}/segments/{site.segment_id}/cancel", typed)


@SOME
@given(typed=st.dictionaries(st.sampled_from((*RULE, *TEMPLATE, *TICKET, *TASK)), texts))
def test_the_forms_of_the_office_take_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    for path in ("/reminders/own/payment_due", "/support/new", "/signatures/library/new"):
        _no_fault(site, maya, path, typed)
    _no_fault(site, maya, f"/clients/{site.client.id}/tasks", typed)


@SOME
@given(typed=st.dictionaries(st.sampled_from(SEGMENT), st.one_of(texts, spans().map(lambda span: span[0].isoformat()))))
def test_no_segment_that_was_saved_breaks_a_page(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    trip = f"/bookings/{site.booking.id}"
    good = {"supplier_name": "Air Pacific", "kind": "flight", "begins_on": "2027-01-02", "ends_on": "2027-01-01"}
    _no_fault(site, maya, f"{trip}/segments/new", {**good, **typed})
    for path in (
        trip,
        f"{trip}/itinerary",
        f"{trip}/itinerary/trip.pdf",
        f"{trip}/itinerary/trip.ics",
        "/bookings",
        "/",
    ):
        assert maya.get(path).status_code == 200, path


ADDRESSES = st.sampled_from(
    (
        *("/clients", "/clients/clients.csv", "/bookings", "/quotes", "/tasks", "/payments", "/undelivered"),
        *("/reports", "/reports/due", "/reports/commissions", "/reports/clients", "/signatures", "/reminders/log"),
    )
)
QUERY = (
    "page",
    "q",
    "sort",
    "state",
    "from",
    "to",
    "currency",
    "agent",
    "country",
    "status",
    "shown",
    "sent",
    "client",
)


@SOME
@given(path=ADDRESSES, query=st.dictionaries(st.sampled_from(QUERY), texts, max_size=4))
def test_whatever_stands_in_an_address_no_page_breaks(
    site: CrmSite, maya: Browser, path: str, query: dict[str, str]
) -> None:
    site.clock.advance(timedelta(milliseconds=1))
    assert maya.get(path, query_string={key: value[:2000] for key, value in query.items()}).status_code < 500


@SOME
@given(text=texts)
def test_any_text_can_be_searched(site: CrmSite, maya: Browser, text: str) -> None:
    for path in ("/clients/search", "/clients", "/bookings"):
        assert maya.get(path, query_string={"q": text}, headers={"HX-Request": "true"}).status_code == 200
