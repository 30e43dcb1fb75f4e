"""The passenger picker: clients are searched for, what was chosen stays, and it works without scripts too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.crm.sales.clients.service import ClientData
from services.crm.trips.bookings.forms import BookingForm
from tests.support.crm_paying import Browser, CrmHouse

FORM = {"title": "Lisbon", "status": "quote", "currency": "USD"}


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path)
    yield house
    house.deps.core.database.dispose()


@pytest.fixture
def maya(crm: CrmHouse) -> Browser:
    browser = crm.browser(crm.maya)
    browser.get("/bookings/new")
    return browser


def travelers(crm: CrmHouse, address: str) -> list[str]:
    booking = crm.deps.trips.bookings.get(crm.maya, address.rpartition("/")[2])
    return [passenger.client_id for passenger in booking.passengers]


def test_the_lead_stands_first_and_without_one_whoever_was_ticked_first(crm: CrmHouse, maya: Browser) -> None:
    people = [crm.alan_id, crm.grace_id]
    opened = maya.post("/bookings/new", FORM | {"passengers": people, "lead": crm.grace_id})
    assert travelers(crm, opened.headers["Location"]) == [crm.grace_id, crm.alan_id]
    opened = maya.post("/bookings/new", FORM | {"passengers": people})
    assert travelers(crm, opened.headers["Location"]) == people
    opened = maya.post("/bookings/new", FORM | {"passengers": [crm.alan_id], "lead": crm.grace_id})
    assert travelers(crm, opened.headers["Location"]) == [crm.alan_id]


def test_who_was_chosen_stays_when_the_form_comes_back_with_errors(crm: CrmHouse, maya: Browser) -> None:
    refused = maya.post("/bookings/new", FORM | {"title": "", "passengers": [crm.alan_id, crm.grace_id]})
    assert refused.status_code == 422
    for client_id in (crm.alan_id, crm.grace_id):
        assert f'value="{client_id}" id="travels-{client_id}" checked' in refused.text


def test_the_search_offers_own_clients_who_are_not_ticked_yet(crm: CrmHouse, maya: Browser) -> None:
    theirs = crm.deps.sales.clients.create(crm.jonas, ClientData(first_name="Grace", last_name="Kelly"))
    found = maya.get("/bookings/people?people=grac", headers={"HX-Request": "true"}).text
    assert crm.grace_id in found
    assert theirs.id not in found
    again = maya.get(f"/bookings/people?people=grac&passengers={crm.grace_id}").text
    assert "Nobody else of yours matches" in again
    assert crm.grace_id not in again
    # An admin books for their own clients; those of others they only see.
    assert crm.grace_id not in crm.browser(crm.ada).get("/bookings/people?people=grac").text


def test_without_scripts_the_forms_own_button_searches_and_saves_nothing(crm: CrmHouse, maya: Browser) -> None:
    page = maya.post("/bookings/new", FORM | {"passengers": [crm.alan_id], "people": "hopper", "find": "1"})
    assert page.status_code == 200
    assert f'id="travels-{crm.alan_id}" checked' in page.text
    assert f'id="travels-{crm.grace_id}">' in page.text
    assert 'value="Lisbon"' in page.text


def test_somebody_elses_client_can_not_travel(crm: CrmHouse, maya: Browser) -> None:
    theirs = crm.deps.sales.clients.create(crm.jonas, ClientData(first_name="Grace", last_name="Kelly"))
    refused = maya.post("/bookings/new", FORM | {"passengers": [theirs.id, "client_nobody"]})
    assert refused.status_code == 422
    assert "Choose the passengers from your own clients" in refused.text
    assert "Kelly" not in refused.text


def test_after_a_conflict_saving_once_more_goes_ahead(crm: CrmHouse, maya: Browser) -> None:
    client = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    typed = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@typed.example", "city": ""}
    crm.deps.sales.clients.change(
        crm.maya, client.id, ClientData(first_name="Grace", last_name="Hopper", city="Oslo"), version=client.version
    )
    address = f"/clients/{client.id}/edit"
    refused = maya.post(address, typed | {"version": str(client.version)})
    assert refused.status_code == 422
    assert "</strong> is now: Oslo" in refused.text
    assert 'value="grace@typed.example"' in refused.text
    present = crm.deps.sales.clients.get(crm.maya, client.id).version
    assert f'name="version" type="hidden" value="{present}"' in refused.text
    assert maya.post(address, typed | {"version": str(present)}).status_code == 303


def test_a_form_never_carries_more_people_than_a_ship(maya: Browser) -> None:
    with maya.app.test_request_context(method="POST", data={"passengers": [f"client_{n}" for n in range(999)]}):
        assert len(BookingForm().passenger_ids) == 200
