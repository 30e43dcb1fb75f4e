import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import event_type_of
from chassis.errors import InvalidArgument
from protos.wayvault.events.v1 import events_pb2
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from services.crm.core.errors import ChangedMeanwhile
from services.crm.models import event_tables
from services.crm.sales.clients.service import ClientData
from services.crm.trips.bookings.models import BookingRow
from services.crm.trips.bookings.service import BookingData, BookingStatus, SegmentData, SegmentKind
from tests.support.crm_paying import usd
from tests.support.crm_site import Browser, CrmSite, text_of

VISA = "4111 1111 1111 1111"


def _version(browser: Browser) -> str:
    assert browser.page is not None
    found = re.search(r'name="version"[^>]*value="(\d+)"', browser.page.text)
    assert found is not None
    return found.group(1)


def _events(site: CrmSite, kind: str) -> int:
    outbox = event_tables.outbox
    with site.database.read() as session:
        return len(session.execute(select(outbox.c.event_id).where(outbox.c.type == kind)).all())


def test_a_client_is_added_found_while_typing_and_changed(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    maya.get("/clients/new")
    added = maya.post("/clients/new", {"first_name": "Zoë", "last_name": "Lefèvre", "phone": "+33 1 99 00 12 34"})
    assert added.status_code == 303
    for typed in ("zoe", "LEFEVRE", "99 00 12"):
        found = maya.get("/clients/search", query_string={"q": typed}, headers={"HX-Request": "true"})
        assert "Zoë Lefèvre" in found.text
    maya.get(f"{added.location}/edit")
    form = {"first_name": "Zoë", "last_name": "Martin", "version": _version(maya), "country": "FR"}
    assert maya.post(f"{added.location}/edit", form).status_code == 303
    assert "France" in text_of(maya.get(added.location))
    assert _events(site, "client.saved") == 3


def test_a_booking_is_opened_and_gets_a_segment(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    maya.get(f"/bookings/new?client={site.client.id}")
    form: dict[str, object] = {"title": "Lisbon", "status": "booked", "currency": "EUR", "lead": site.client.id}
    refused = maya.post("/bookings/new", {**form, "service_fee": "75"})
    assert (refused.status_code, "Say what the fee is for" in refused.text) == (422, True)
    opened = maya.post("/bookings/new", {**form, "service_fee": "75", "service_fee_description": "Planning"})
    assert opened.status_code == 303
    maya.get(f"{opened.location}/segments/new")
    segment = {"supplier_name": "Casa do Miradouro", "kind": "hotel", "price": "1,360.50", "version": _version(maya)}
    assert maya.post(f"{opened.location}/segments/new", segment).status_code == 303
    page = text_of(maya.get(opened.location))
    assert "Casa do Miradouro" in page
    assert "EUR\xa01,435.50" in maya.page.text if maya.page else False
    assert _events(site, "booking.saved") >= 4


def test_a_wrong_form_says_what_to_mend_and_keeps_what_was_typed(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    path = f"/bookings/{site.booking.id}/segments/new"
    maya.get(path)
    typed = {
        "supplier_name": "",
        "kind": "tour",
        "price": "twelve",
        "description": "A long walk",
        "version": _version(maya),
    }
    page = maya.post(path, typed)
    assert page.status_code == 422
    assert "Enter the supplier's name." in page.text.replace("&#39;", "'")
    assert 'value="twelve"' in page.text
    assert 'value="A long walk"' in page.text
    assert "Please check 2 things" in page.text


def test_a_rule_about_the_whole_segment_stands_at_its_field(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    path = f"/bookings/{site.booking.id}/segments/new"
    maya.get(path)
    typed = {
        "supplier_name": "Aurora",
        "kind": "tour",
        "begins_on": "2027-03-09",
        "ends_on": "2027-03-02",
        "version": _version(maya),
    }
    page = maya.post(path, typed)
    assert page.status_code == 422
    assert 'id="ends_on-error"' in page.text


def test_a_booking_changed_in_another_window_is_not_overwritten(site: CrmSite) -> None:
    first, second = site.signed_in(site.maya), site.signed_in(site.maya)
    path = f"/bookings/{site.booking.id}/edit"
    form = {"status": "booked", "currency": "USD", "lead": site.client.id}
    first.get(path), second.get(path)
    stale = _version(second)
    assert first.post(path, {**form, "title": "First", "version": _version(first)}).status_code == 303
    refused = second.post(path, {**form, "title": "Second", "version": stale})
    assert refused.status_code == 422
    assert "another window" in text_of(refused)
    assert 'value="Second"' in refused.text
    assert site.deps.trips.bookings.get(site.maya, site.booking.id).title == "First"


def test_every_change_of_a_booking_counts_even_at_the_same_moment(site: CrmSite) -> None:
    data = SegmentData(supplier_name="Nordlys", kind=SegmentKind.FLIGHT)
    version = site.booking.version
    added = site.deps.trips.bookings.add_segment(site.maya, site.booking.id, data, version=version)
    with pytest.raises(ChangedMeanwhile):
        site.deps.trips.bookings.add_segment(site.maya, site.booking.id, data, version=version)
    site.deps.trips.bookings.remove_segment(site.maya, site.booking.id, added.id, version=version + 1)
    assert site.deps.trips.bookings.get(site.maya, site.booking.id).version == version + 2


def test_the_booking_event_carries_segments_and_passengers(site: CrmSite) -> None:
    outbox = event_tables.outbox
    kind = event_type_of(events_pb2.BookingSaved).type
    with site.database.read() as session:
        rows = session.execute(select(outbox).where(outbox.c.type == kind)).mappings().all()
    envelope = Envelope.FromString(rows[-1]["envelope"])
    message = events_pb2.BookingSaved.FromString(envelope.payload)
    assert [segment.supplier_name for segment in message.segments] == ["Aurora Cruises"]
    assert [client.email for client in message.passengers] == ["eleanor@mail.example"]


def test_the_currency_is_fixed_once_amounts_are_in_it(site: CrmSite) -> None:
    data = BookingData(title="Fjords", status=BookingStatus.BOOKED, currency="EUR", passenger_ids=(site.client.id,))
    with pytest.raises(InvalidArgument, match="currency"):
        site.deps.trips.bookings.change(site.maya, site.booking.id, data, version=site.booking.version)


def test_lead_and_companions_can_change_places(site: CrmSite) -> None:
    robert = site.deps.sales.clients.create(site.maya, ClientData(first_name="Robert", last_name="Whitcombe"))
    for ids in ((robert.id, site.client.id), (site.client.id, robert.id), (robert.id,), ()):
        now = site.deps.trips.bookings.get(site.maya, site.booking.id)
        data = BookingData(title="Fjords", status=BookingStatus.BOOKED, currency="USD", passenger_ids=ids)
        saved = site.deps.trips.bookings.change(site.maya, site.booking.id, data, version=now.version)
        assert tuple(passenger.client_id for passenger in saved.passengers) == ids
        assert (saved.lead.client_id if saved.lead else None) == (ids[0] if ids else None)


def test_a_segment_with_a_payment_stays_on_the_booking(site: CrmSite) -> None:
    bookings = site.deps.trips.bookings
    asked: list[bool] = []

    def has_payments(session: Session, booking_id: str, segment_id: str) -> bool:
        # In the transaction that holds the booking, so that no link can be sent between question and removal.
        asked.append(any(isinstance(row, BookingRow) for row in session.identity_map.values()))
        return segment_id == site.segment_id

    bookings._has_payments = has_payments
    with pytest.raises(InvalidArgument, match="part of the record"):
        bookings.remove_segment(site.maya, site.booking.id, site.segment_id, version=site.booking.version)
    assert asked == [True]


def test_the_dashboard_shows_what_is_due_and_who_leaves(site: CrmSite) -> None:
    today = site.clock.now().date()
    data = SegmentData(
        supplier_name="Casa do Miradouro",
        kind=SegmentKind.HOTEL,
        begins_on=today + timedelta(days=20),
        price=usd(100_00),
        final=usd(100_00),
        final_due_on=today - timedelta(days=1),
    )
    site.deps.trips.bookings.add_segment(site.maya, site.booking.id, data, version=site.booking.version)
    page = text_of(site.signed_in(site.maya).get("/"))
    assert "Casa do Miradouro" in page
    assert "Overdue" in page
    assert "Eleanor Whitcombe" in page
    empty = text_of(site.signed_in(site.jonas).get("/"))
    assert "Nothing is due" in empty
    assert "Nobody leaves soon" in empty


@pytest.mark.parametrize("field", ["notes", "last_name", "street", "email"])
def test_a_card_number_in_any_field_is_refused_and_not_echoed(site: CrmSite, field: str) -> None:
    maya = site.signed_in(site.maya)
    maya.get("/clients/new")
    page = maya.post("/clients/new", {"first_name": "Eve", "last_name": "Doe", field: f"card {VISA}"})
    assert page.status_code == 422
    assert "1111 1111" not in page.text
    assert site.deps.sales.clients.search(site.maya, "Eve") == []


def test_a_list_of_clients_pages_filters_and_exports(site: CrmSite) -> None:
    for number in range(60):
        email = f"p{number}@mail.example" if number % 2 else ""
        data = ClientData(
            first_name="Pat", last_name=f"Zed{number:02}", email=email, country="PT", birthday=date(1980, 1, 2)
        )
        site.deps.sales.clients.create(site.maya, data)
    maya = site.signed_in(site.maya)
    assert "Page 1 of 2" in maya.get("/clients?country=PT").text
    second = maya.get("/clients?country=PT&page=2")
    assert "Zed59" in second.text
    assert "Zed01" not in second.text
    assert "30 clients" in maya.get("/clients?country=PT&without_email=1").text
    rows = maya.get("/clients/clients.csv?country=PT").text.splitlines()
    assert len(rows) == 61
    assert rows[0].startswith("\ufeffFirst name,Last name,E-mail")


def test_an_agency_changes_its_name_colour_and_policies(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    ada.get("/agency")
    form = {
        "name": "Vine & Harbour",
        "accent_colour": "#7A1F5C",
        "time_zone": "Europe/Berlin",
        "card_retention_days": "14",
        "cvv_retention_hours": "0",
        "notice_days": "3",
        "version": _version(ada),
    }
    assert ada.post("/agency", {**form, "card_retention_days": "181"}).status_code == 422
    assert ada.post("/agency", {**form, "accent_colour": "teal"}).status_code == 422
    before = _events(site, "agent.saved")
    assert ada.post("/agency", form).status_code == 303
    saved = site.deps.access.directory.agency(site.agency_id).data
    assert (saved.name, saved.card_retention_days, saved.cvv_retention_hours) == ("Vine & Harbour", 14, 0)
    assert _events(site, "agent.saved") == before + 3
    assert "/theme/7a1f5c.css" in ada.get("/agency").text


def test_a_new_agent_gets_an_invitation_link_that_is_shown_once(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    ada.get("/agency/agents/new")
    form = {
        "name": "Lena Vogt",
        "email": "lena@harbour.example",
        "time_zone": "Europe/Berlin",
        "role": "agent",
        "active": "y",
    }
    page = ada.post("/agency/agents/new", form)
    link = re.search(r'id="invitation-link">([^<]+)<', page.text)
    assert link is not None
    assert site.deps.access.sign_in.invited(link.group(1).partition("#")[2]) is not None
    taken = ada.post("/agency/agents/new", {**form, "email": "LENA@harbour.example"})
    assert taken.status_code == 422
    assert "signs in with this address already" in text_of(taken)


def test_an_admin_cannot_lock_herself_out(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    path = f"/agency/agents/{site.ada.agent_id}"
    ada.get(path)
    form = {
        "name": "Ada",
        "email": site.ada.email,
        "time_zone": "Europe/Berlin",
        "role": "agent",
        "version": _version(ada),
    }
    assert ada.post(path, {**form, "active": "y"}).status_code == 422


STRANGE = (
    "_scheme=x",
    "_external=1",
    "_anchor=a&_method=POST",
    "page=0",
    "page=-1",
    "page=99999999999",
    "sort=zzz",
    "status=zzz",
    "q=%00%ff",
)


@pytest.mark.parametrize("query", STRANGE)
def test_a_strange_query_is_no_fault(site: CrmSite, query: str) -> None:
    maya = site.signed_in(site.maya)
    for path in ("/clients", "/bookings", "/clients/clients.csv", "/bookings/bookings.csv", "/clients/search"):
        assert maya.get(f"{path}?{query}").status_code in (200, 303)


def test_times_are_shown_in_the_agents_own_zone(site: CrmSite) -> None:
    page = site.signed_in(site.maya).get(f"/bookings/{site.booking.id}")
    assert "7:00 AM EST" in page.text
