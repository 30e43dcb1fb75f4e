from itertools import permutations

import pytest
from google.protobuf.message import Message

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import Client, ClientRegistered, QuoteRequested
from services.crm.core.errors import ChangedMeanwhile
from services.crm.sales.clients.service import ClientFilter
from services.crm.trips.bookings.service import BookingFilter, BookingStatus
from services.crm.trips.quotes.service import QuoteDetail, QuoteFilter, QuoteState, UnknownAgent
from tests.support.crm_people import tell
from tests.support.crm_site import CrmSite, text_of

VISITOR = Client(first_name="Ada", last_name="Byron", email="ada@visitor.example", phone="+1 212 555 0177")


def registered(site: CrmSite, registration_id: str = "registration_1", visitor: Client = VISITOR) -> ClientRegistered:
    return ClientRegistered(
        registration_id=registration_id, agent_id=site.maya.agent_id, agency_id=site.agency_id, client=visitor
    )


def requested(site: CrmSite, *, registration_id: str = "registration_1", **changed: object) -> QuoteRequested:
    message = QuoteRequested(
        quote_id=new_id("quote"),
        agent_id=site.maya.agent_id,
        registration_id=registration_id,
        client=VISITOR,
        destination="Norwegian fjords",
        begins_on="2027-06-05",
        ends_on="2027-06-12",
        adults=2,
        children=1,
        budget="US$ 9,000",
        wishes="A balcony, and whales.",
        at=stamp(site.clock.now()),
    )
    message.MergeFrom(QuoteRequested(**changed))  # type: ignore[arg-type]
    return message


def inbox(site: CrmSite, state: QuoteState | None = QuoteState.NEW) -> list[QuoteDetail]:
    return list(site.deps.trips.quotes.list_page(site.maya, QuoteFilter(state=state), 1).items)


def clients_named_byron(site: CrmSite) -> int:
    return site.deps.sales.clients.list_page(site.maya, ClientFilter(text="byron"), 1).total


def arrived(site: CrmSite) -> QuoteDetail:
    tell(site, requested(site))
    return inbox(site)[0]


def test_registration_and_request_make_one_client_and_one_request_in_any_order_and_doubled(site: CrmSite) -> None:
    for number, order in enumerate(permutations((0, 1, 0, 1))):
        registration = f"registration_{number}"
        messages: list[Message] = [
            registered(site, registration),
            requested(site, registration_id=registration),
        ]
        tell(site, *(messages[at] for at in order))
        assert len(inbox(site)) == number + 1
    assert clients_named_byron(site) == 1


def test_a_visitor_whom_the_agent_knows_by_her_address_is_no_second_client(site: CrmSite) -> None:
    known = Client(first_name="Ellie", last_name="Whitcombe", email="ELEANOR@mail.example")
    tell(site, registered(site, visitor=known), requested(site, client=known))
    (quote,) = inbox(site)
    assert quote.client_id == site.client.id
    assert quote.name == "Ellie Whitcombe"
    assert site.deps.sales.clients.get(site.maya, site.client.id).data.first_name == "Eleanor"


def test_a_couple_that_shares_an_address_is_two_clients(site: CrmSite) -> None:
    husband = Client(first_name="Carl", last_name="Whitcombe", email="ELEANOR@mail.example")
    tell(site, registered(site, "registration_carl", visitor=husband))
    tell(site, requested(site, registration_id="registration_carl", client=husband))
    (quote,) = inbox(site)
    assert quote.client_id != site.client.id
    carl = site.deps.sales.clients.get(site.maya, quote.client_id)
    assert (carl.name, carl.email) == ("Carl Whitcombe", "ELEANOR@mail.example")
    assert site.deps.sales.clients.get(site.maya, site.client.id).name == "Eleanor Whitcombe"


def test_a_visitor_with_one_name_is_known_by_it(site: CrmSite) -> None:
    visitor = Client(first_name=" ", last_name="Suharto", email="suharto@mail.example")
    tell(
        site,
        registered(site, "registration_1", visitor=visitor),
        requested(site, registration_id="registration_1", client=visitor),
    )
    again = Client(first_name="SUHARTO", last_name="", email="suharto@mail.example")
    tell(site, registered(site, "registration_2", visitor=again))
    (quote,) = inbox(site)
    assert quote.name == "Suharto"
    assert site.deps.sales.clients.list_page(site.maya, ClientFilter(text="suharto"), 1).total == 1


def test_a_signed_in_clients_request_is_hers(site: CrmSite) -> None:
    tell(site, requested(site, registration_id="", client_id=site.client.id))
    assert inbox(site)[0].client_id == site.client.id


def test_a_request_for_an_unknown_agent_or_client_is_a_dead_letter(site: CrmSite) -> None:
    for strange in (
        requested(site, agent_id=new_id("agent")),
        requested(site, registration_id="", client_id=new_id("client")),
    ):
        with pytest.raises(UnknownAgent):
            tell(site, strange)
    with pytest.raises(UnknownAgent):
        tell(site, requested(site), agency_id="another agency")


def test_nonsense_in_a_request_is_kept_within_bounds(site: CrmSite) -> None:
    tell(
        site,
        requested(
            site,
            begins_on="tomorrow",
            adults=4_000_000_000,
            destination="x" * 900,
            budget="line\r\nBcc: all",
            wishes="w" * 9000,
        ),
    )
    (quote,) = inbox(site)
    assert quote.wish.begins_on is None
    assert quote.wish.adults == 99
    assert len(quote.wish.destination) == 200
    assert "\n" not in quote.wish.budget


def test_one_step_makes_a_booking_with_the_client_and_what_was_asked(site: CrmSite) -> None:
    quote = arrived(site)
    booking = site.deps.trips.quotes.book(site.maya, quote.id)
    assert booking.title == "Norwegian fjords"
    assert booking.status is BookingStatus.QUOTE
    assert booking.lead is not None
    assert booking.lead.client_id == quote.client_id
    assert "whales" in booking.notes
    assert inbox(site) == []
    assert inbox(site, QuoteState.BOOKED)[0].booking_id == booking.id


def test_the_first_segment_of_its_booking_begins_with_the_days_asked_for(site: CrmSite) -> None:
    booking = site.deps.trips.quotes.book(site.maya, arrived(site).id)
    page = site.signed_in(site.maya).get(f"/bookings/{booking.id}/segments/new").get_data(as_text=True)
    assert 'value="2027-06-05"' in page
    assert 'value="2027-06-12"' in page


def test_a_second_click_finds_the_same_booking(site: CrmSite) -> None:
    quote = arrived(site)
    before = site.deps.trips.bookings.list_page(site.maya, BookingFilter(), 1).total
    first = site.deps.trips.quotes.book(site.maya, quote.id)
    assert site.deps.trips.quotes.book(site.maya, quote.id).id == first.id
    assert site.deps.trips.bookings.list_page(site.maya, BookingFilter(), 1).total == before + 1


def test_a_declined_request_can_be_taken_up_again(site: CrmSite) -> None:
    quote = arrived(site)
    declined = site.deps.trips.quotes.decline(site.maya, quote.id, "Too far ahead.", version=quote.version)
    assert declined.state is QuoteState.DECLINED
    assert site.deps.core.waiting.of(site.maya)["quotes"] == 0
    with pytest.raises(InvalidArgument):
        site.deps.trips.quotes.decline(site.maya, quote.id, "", version=declined.version)
    again = site.deps.trips.quotes.reopen(site.maya, quote.id, version=declined.version)
    assert again.state is QuoteState.NEW
    assert site.deps.core.waiting.of(site.maya)["quotes"] == 1


def test_a_form_opened_on_an_older_request_changes_nothing(site: CrmSite) -> None:
    quote = arrived(site)
    declined = site.deps.trips.quotes.decline(site.maya, quote.id, "No.", version=quote.version)
    with pytest.raises(ChangedMeanwhile):
        site.deps.trips.quotes.reopen(site.maya, quote.id, version=quote.version)
    assert declined.version > quote.version


def test_other_agents_see_nothing_and_admins_only_look(site: CrmSite) -> None:
    quote = arrived(site)
    with pytest.raises(NotFound):
        site.deps.trips.quotes.get(site.jonas, quote.id)
    assert site.deps.trips.quotes.get(site.ada, quote.id).agent_name == "Maya Okafor"
    assert site.deps.core.waiting.of(site.ada)["quotes"] == 0
    with pytest.raises(PermissionDenied):
        site.deps.trips.quotes.book(site.ada, quote.id)
    with pytest.raises(NotFound):
        site.deps.trips.quotes.book(site.jonas, quote.id)


def test_the_agent_works_through_her_inbox(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    assert "Nothing new" in text_of(browser.get("/quotes"))
    quote = arrived(site)
    assert "Ada Byron" in text_of(browser.get("/quotes"))
    assert "New quote requests" in text_of(browser.get("/"))
    page = browser.get(f"/quotes/{quote.id}")
    assert "A balcony, and whales." in text_of(page)
    long = browser.post(f"/quotes/{quote.id}/decline", {"version": str(quote.version), "note": "n" * 3000})
    assert long.status_code == 422
    assert "n" * 3000 in long.text
    browser.post(f"/quotes/{quote.id}/decline", {"version": str(quote.version), "note": "Not now"})
    assert "Not now" in text_of(browser.get(f"/quotes/{quote.id}"))
    declined = site.deps.trips.quotes.get(site.maya, quote.id)
    browser.post(f"/quotes/{quote.id}/reopen", {"version": str(declined.version)})
    done = browser.post(f"/quotes/{quote.id}/booking")
    assert done.status_code == 303
    assert "Norwegian fjords" in text_of(browser.get(done.headers["Location"]))
    assert "Ada Byron" in text_of(browser.get("/quotes?state=booked"))


def test_a_foreign_request_is_not_found(site: CrmSite) -> None:
    quote = arrived(site)
    browser = site.signed_in(site.jonas)
    assert browser.get(f"/quotes/{quote.id}").status_code == 404
    for step in ("booking", "decline", "reopen"):
        assert browser.post(f"/quotes/{quote.id}/{step}", {"version": "1"}).status_code == 404


def test_several_requests_are_declined_at_once_and_each_says_what_became_of_it(site: CrmSite) -> None:
    quote, browser = arrived(site), site.signed_in(site.maya)
    other = requested(site, registration_id="registration_2")
    tell(site, other)
    booked = other.quote_id
    browser.get("/quotes")
    picks: dict[str, object] = {"pick": [f"{quote.id}:{quote.version}", f"{booked}:1"], "do": "decline"}
    asked = browser.post("/quotes/act", picks)
    assert "Decline 2 requests?" in text_of(asked)
    assert len(inbox(site)) == 2
    site.deps.trips.quotes.book(site.maya, booked)
    told = text_of(browser.post("/quotes/act", picks | {"sure": "yes", "note": "Too far ahead."}))
    assert "Not done" in told
    assert "This request was decided already." in told
    assert site.deps.trips.quotes.get(site.maya, quote.id).note == "Too far ahead."
    again = site.deps.trips.quotes.get(site.maya, quote.id).version
    browser.post("/quotes/act", {"pick": f"{quote.id}:{again}", "do": "reopen"})
    assert [each.id for each in inbox(site)] == [quote.id]
