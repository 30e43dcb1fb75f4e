"""Names in order and found, one name alone, and what an upgrade makes of what was there (cases 10, 20 and 28)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from chassis.db import open_database
from services.crm.core.ordering import Order
from services.crm.migrations import MIGRATIONS
from services.crm.sales.clients.service import ClientData, ClientDetail, ClientFilter, ClientSort
from services.crm.trips.bookings.service import BookingData, BookingFilter, BookingStatus, SegmentData, SegmentKind
from tests.support.crm_site import CrmSite

IN_ORDER = ["adams", "Ångström", "de Vries", "Émile", "Mueller", "Müller", "O’Brien", "Ostrov", "Zimmer"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CrmSite]:
    site = CrmSite(tmp_path)
    yield site
    site.deps.core.database.dispose()


def _add(site: CrmSite, first: str, last: str, phone: str = "") -> ClientDetail:
    return site.deps.sales.clients.create(site.maya, ClientData(first_name=first, last_name=last, phone=phone))


def test_a_list_by_name_is_in_the_order_people_expect_over_page_borders_too(site: CrmSite) -> None:
    for last in reversed(IN_ORDER):
        for first in ("Zoë", "Émile", "adam", "Bo"):
            _add(site, first, last)
    clients = site.deps.sales.clients
    pages = [clients.list_page(site.maya, ClientFilter(), number).items for number in (1, 2, 3)]
    found = [(client.data.last_name, client.data.first_name) for page in pages for client in page]
    ours = [pair for pair in found if pair[0] in IN_ORDER]
    assert len(ours) == 36
    assert ours == [(last, first) for last in IN_ORDER for first in ("adam", "Bo", "Émile", "Zoë")]


def test_two_spellings_of_one_name_are_offered_to_each_other_for_a_merge(site: CrmSite) -> None:
    pairs = [("O’Brien", "O'Brien"), ("Müller", "Mueller"), ("Anne‑Marie", "Anne Marie"), ("José", "Jose")]
    for number, (one, other) in enumerate(pairs):
        first, second = _add(site, f"Sam{'abcd'[number]}", one), _add(site, f"sam{'abcd'[number]}", other)
        for mine, twin in ((first, second), (second, first)):
            page = site.signed_in(site.maya).get(f"/clients/{mine.id}/merge").text
            assert f"/clients/{mine.id}/merge/{twin.id}" in page


def test_somebody_with_one_name_is_saved_listed_found_and_written_without_a_stray_blank(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    for field in ("first_name", "last_name"):
        browser.get("/clients/new")
        saved = browser.post("/clients/new", {field: "Suharto", "email": f"{field}@mail.example"})
        assert saved.status_code == 303
        shown = browser.get(saved.location).text
        assert "Suharto" in shown
        assert "None" not in shown.split("<main")[1].split("</main")[0].replace("None yet", "")
    listed = browser.get("/clients?q=suharto").text
    assert listed.count(">Suharto<") == 2
    assert ", Suharto" not in listed
    assert "Suharto," not in listed
    assert "Suharto,," in browser.get("/clients/clients.csv?q=suharto").text


@pytest.mark.parametrize("nothing", ["", " ", "\u3000", "\u3164", "\u200b", "\u2800"])
def test_what_draws_nothing_is_no_name(site: CrmSite, nothing: str) -> None:
    browser = site.signed_in(site.maya)
    browser.get("/clients/new")
    refused = browser.post("/clients/new", {"first_name": nothing, "last_name": nothing, "city": "Boston"})
    assert refused.status_code == 422
    assert "Enter a first name, a last name, or both." in refused.text
    assert 'value="Boston"' in refused.text


def test_an_upgrade_fills_keys_and_words_of_what_was_there(site: CrmSite) -> None:
    sean = _add(site, "Seán", "O’Brien", phone="(305) 555-0142")
    trip = BookingData(title="Norwegian fjords", status=BookingStatus.BOOKED, currency="EUR", passenger_ids=(sean.id,))
    booking = site.deps.trips.bookings.create(site.maya, trip)
    part = SegmentData(supplier_name="Hurtigruten", kind=SegmentKind.CRUISE, confirmation_number="AB-123")
    site.deps.trips.bookings.add_segment(site.maya, booking.id, part, version=booking.version)
    url = site.settings.database_url
    _as_the_first_revision_had_it(url)
    MIGRATIONS.upgrade(url)
    MIGRATIONS.check(url)
    for typed in ("O'Brien", "OBrien", "o'b", "seán", "13055550142"):
        assert sean.id in [client.id for client in site.deps.sales.clients.search(site.maya, typed)], typed
    for typed in ("obrien", "hurtigruten", "AB123"):
        found = site.deps.trips.bookings.list_page(site.maya, BookingFilter(text=typed), 1).items
        assert [each.id for each in found] == [booking.id], typed
    with site.deps.core.database.read() as session:
        assert session.scalar(text("SELECT sort_key FROM client WHERE last_name = 'O’Brien'")) == "obrien\x1fsean"
        keys = session.scalars(text("SELECT title_folded FROM booking")).all()
    assert "norwegian fjords" in keys


def _as_the_first_revision_had_it(url: str) -> None:
    """Takes the schema back, and the words and keys out, as if a program of the first revision had left them."""
    database = open_database(url, name="crm-before")
    with database.engine.begin() as connection:
        config = MIGRATIONS._config(connection)
        command.stamp(config, "head")
        command.downgrade(config, "0004_former_days")
        for table in ("client_word", "booking_word"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("UPDATE client SET search_text = ''"))
        connection.execute(text("UPDATE booking SET search_text = '', title_folded = ''"))
    database.dispose()


def test_an_upgrade_adds_the_latin_spellings_of_names_in_other_scripts(site: CrmSite) -> None:
    minjun = _add(site, "민준", "김", phone="(305) 555-0142")
    trip = BookingData(title="Seoul", status=BookingStatus.BOOKED, currency="USD", passenger_ids=(minjun.id,))
    booking = site.deps.trips.bookings.create(site.maya, trip)
    url = site.settings.database_url
    database = open_database(url, name="crm-before")
    with database.engine.begin() as connection:
        config = MIGRATIONS._config(connection)
        command.stamp(config, "head")
        command.downgrade(config, "0024_charge_code")
        for table in ("client", "booking"):
            connection.execute(text(f"DELETE FROM {table}_word WHERE word LIKE '%kim%' OR word LIKE 'minjun%'"))
            connection.execute(text(f"UPDATE {table} SET search_text = ' gim gimminjun 3055550142 seoul'"))
    database.dispose()
    MIGRATIONS.upgrade(url)
    MIGRATIONS.check(url)
    for typed in ("Kim", "Minjun Kim", "305 555 0142"):
        assert [client.id for client in site.deps.sales.clients.search(site.maya, typed)] == [minjun.id], typed
    found = site.deps.trips.bookings.list_page(site.maya, BookingFilter(text="kim minjun"), 1).items
    assert [each.id for each in found] == [booking.id]


@pytest.mark.parametrize(
    ("before", "name", "spellings"),
    [
        ("0036_dues_of_trips", ("Мария", "محمد"), ("Maria", "Mohammed", "maria mohammed")),
        ("0038_order_of_clients", ("花子", "佐藤"), ("Sato", "sat", "佐藤")),
        ("0039_japanese_names", ("ゆうこ", "大野"), ("Ohno", "Oono", "Ouno", "ono", "Yuko Ohno", "Ōno Yuuko", "Yûko")),
    ],
)
def test_an_upgrade_finds_names_by_more_latin_spellings(
    site: CrmSite, before: str, name: tuple[str, str], spellings: tuple[str, ...]
) -> None:
    client = _add(site, *name)
    url = site.settings.database_url
    database = open_database(url, name="crm-before")
    with database.engine.begin() as connection:
        config = MIGRATIONS._config(connection)
        command.stamp(config, "head")
        command.downgrade(config, before)
        connection.execute(text("DELETE FROM client_word"))
        connection.execute(text("UPDATE client SET search_text = ''"))
    database.dispose()
    MIGRATIONS.upgrade(url)
    for typed in spellings:
        assert [each.id for each in site.deps.sales.clients.search(site.maya, typed)] == [client.id], typed


CITIES = ["", "angers", "Århus", "Évora", "Faro", "s-Hertogenbosch", "Zürich"]
ADDRESSES = ["", "Ann@mail.example", "bo@mail.example", "Cy@mail.example"]


def _listed(site: CrmSite, by: ClientSort) -> list[str]:
    """Maya's clients of these tests in one order, as the column of the order shows them."""
    found = site.deps.sales.clients.list_page(site.maya, ClientFilter(text="orderly", order=Order(by)), 1).items
    return [client.data.city if by is ClientSort.CITY else client.data.email for client in found]


def test_cities_and_addresses_are_in_the_order_people_expect_also_once_they_change(site: CrmSite) -> None:
    clients = site.deps.sales.clients
    for city in reversed(CITIES):
        clients.create(site.maya, ClientData(first_name="Orderly", last_name="Odd", city=city))
    assert _listed(site, ClientSort.CITY) == CITIES
    moved = clients.list_page(site.maya, ClientFilter(text="orderly", order=Order(ClientSort.CITY)), 1).items[1]
    changed = ClientData(first_name="Orderly", last_name="Odd", city="Zwolle")
    clients.change(site.maya, moved.id, changed, version=moved.version)
    assert _listed(site, ClientSort.CITY) == [*(city for city in CITIES if city != "angers"), "Zwolle"]

    for address in ADDRESSES:
        clients.create(site.maya, ClientData(first_name="Orderly", last_name="Even", email=address))
    assert [address for address in _listed(site, ClientSort.EMAIL) if address] == ADDRESSES[1:]


def test_an_upgrade_puts_who_was_there_in_order_by_city_and_address(site: CrmSite) -> None:
    for city, address in zip(reversed(CITIES), [*ADDRESSES, "", "", ""], strict=True):
        data = ClientData(first_name="Orderly", last_name="Odd", city=city, email=address)
        site.deps.sales.clients.create(site.maya, data)
    url = site.settings.database_url
    database = open_database(url, name="crm-before")
    with database.engine.begin() as connection:
        config = MIGRATIONS._config(connection)
        command.stamp(config, "head")
        command.downgrade(config, "0037_more_latin_spellings")
    database.dispose()
    MIGRATIONS.upgrade(url)
    MIGRATIONS.check(url)
    assert _listed(site, ClientSort.CITY) == CITIES
    assert [address for address in _listed(site, ClientSort.EMAIL) if address] == ADDRESSES[1:]
