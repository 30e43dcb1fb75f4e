"""Search finds the same whichever way it goes, and on either engine: by the table of words, or by reading the texts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.crm.core import search
from services.crm.core.ordering import Order
from services.crm.sales.clients.service import ClientData, ClientFilter, ClientSort
from services.crm.trips.bookings.service import BookingData, BookingFilter, BookingSort, BookingStatus
from tests.support.crm_paying import CrmHouse

PEOPLE = (
    ("Zoë", "Groß-Müller", "zoe.gm@courriel.example", "+33 1 99 00 12 34"),
    ("Zora", "Muller", "zora@mail.example", ""),
    ("Ann", "Hopkins", "", "(401) 555-0164"),
    ("Anna", "100%_sure", "anna_b@mail.example", "+1 401 555 0165"),
)
TYPED = ("zo", "muller", "zoe gross", "hop", "ann", "ann hop", "gm@courriel", "b@mail", "555 01", "4015550164", "100%")


@pytest.fixture(params=["sqlite", "postgresql"])
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CrmHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    house = CrmHouse(tmp_path, database_url=url) if url else CrmHouse(tmp_path)
    for first_name, last_name, email, phone in PEOPLE:
        data = ClientData(first_name=first_name, last_name=last_name, email=email, phone=phone)
        client = house.deps.sales.clients.create(house.maya, data)
        title = f"Fjords, for {first_name}"
        booking = BookingData(title=title, status=BookingStatus.BOOKED, currency="USD", passenger_ids=(client.id,))
        house.deps.trips.bookings.create(house.maya, booking)
    yield house
    house.deps.core.database.dispose()


def found(crm: CrmHouse, typed: str) -> list[list[str]]:
    """Clients and bookings for what was typed, as the agent and as the admin see them."""
    clients, bookings = crm.deps.sales.clients, crm.deps.trips.bookings
    by_title = BookingFilter(text=typed, order=Order(BookingSort.TITLE))
    return [
        [each.name for each in clients.list_page(who, ClientFilter(text=typed), 1).items]
        + [each.title for each in bookings.list_page(who, by_title, 1).items]
        for who in (crm.maya, crm.ada, crm.jonas)
    ]


def test_both_ways_find_the_same(crm: CrmHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    by_words = {typed: found(crm, typed) for typed in TYPED}
    monkeypatch.setattr(search, "COUNTED", 0)
    monkeypatch.setattr(search, "_READ", 0)
    assert {typed: found(crm, typed) for typed in TYPED} == by_words
    assert set(by_words["zo"][0]) == {"Zoë Groß-Müller", "Zora Muller", "Fjords, for Zora", "Fjords, for Zoë"}
    assert by_words["ann hop"][0] == ["Ann Hopkins", "Fjords, for Ann"]
    assert by_words["muller"][0][:2] == ["Zoë Groß-Müller", "Zora Muller"]
    assert by_words["555 01"][0] == ["Anna 100%_sure", "Ann Hopkins"]
    assert all(by_words[typed][0] and not by_words[typed][2] for typed in TYPED)


def test_a_booking_is_found_by_its_passengers_name_of_today(crm: CrmHouse) -> None:
    client = crm.deps.sales.clients.search(crm.maya, "hopkins")[0]
    data = ClientData(first_name="Ann", last_name="Okonjo")
    crm.deps.sales.clients.change(crm.maya, client.id, data, version=client.version)
    with crm.deps.core.database.transaction() as session:
        crm.deps.trips.bookings.note_name(session, client.id)
    assert found(crm, "okonjo")[0] == ["Ann Okonjo", "Fjords, for Ann"]
    assert found(crm, "hopkins")[0] == []


@pytest.mark.parametrize("sort", list(ClientSort))
def test_filters_and_orders_go_together(crm: CrmHouse, sort: ClientSort) -> None:
    page = crm.deps.sales.clients.list_page(crm.ada, ClientFilter(text="ann", without_email=True, order=Order(sort)), 1)
    assert [client.name for client in page.items] == ["Ann Hopkins"]
    for booking_sort in BookingSort:
        wanted = BookingFilter(text="fjords", status=BookingStatus.BOOKED, order=Order(booking_sort))
        assert len(crm.deps.trips.bookings.list_page(crm.ada, wanted, 1).items) >= len(PEOPLE)
