from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.crm.trips.quotes.rules import QuoteFact, QuoteState, Wish, after, booking_notes, booking_title

_WISHES = st.builds(
    Wish,
    destination=st.text(min_size=1, max_size=200),
    begins_on=st.none() | st.dates(),
    ends_on=st.none() | st.dates(),
    adults=st.integers(1, 99),
    children=st.integers(0, 99),
    budget=st.text(max_size=100),
    wishes=st.text(max_size=4000),
)


@given(st.lists(st.sampled_from(QuoteFact), max_size=10))
def test_a_booked_request_stays_booked(facts: list[QuoteFact]) -> None:
    state = QuoteState.NEW
    booked = False
    for fact in facts:
        state = after(state, fact) or state
        booked = booked or state is QuoteState.BOOKED
        assert not booked or state is QuoteState.BOOKED


@given(_WISHES)
def test_whatever_was_asked_fits_into_a_booking(wish: Wish) -> None:
    assert len(booking_title(wish)) <= 120
    assert len(booking_notes(wish, "2026-11-21")) <= 4000


def test_the_notes_say_what_the_form_said() -> None:
    wish = Wish(
        destination="Fjords",
        begins_on=date(2027, 6, 5),
        ends_on=date(2027, 6, 12),
        adults=2,
        children=1,
        budget="US$ 9,000",
        wishes="Whales.",
    )
    assert booking_notes(wish, "2026-11-21").splitlines() == [
        "Quote request of 2026-11-21",
        "Dates: Sat 5 Jun 2027 to Sat 12 Jun 2027",
        "Travelers: 2 adults, 1 child",
        "Budget: US$ 9,000",
        "Wishes: Whales.",
    ]
