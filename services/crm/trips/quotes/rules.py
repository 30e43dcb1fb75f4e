"""What a quote request is, its states, and the booking that it becomes. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chassis.moments import written_day


class QuoteState(StrEnum):
    """new → booked | declined; a declined one may be taken up again."""

    NEW = "new"
    BOOKED = "booked"
    DECLINED = "declined"


class QuoteFact(StrEnum):
    """What an agent does with one."""

    BOOKED = "booked"
    DECLINED = "declined"
    REOPENED = "reopened"


_NEXT: dict[tuple[QuoteState, QuoteFact], QuoteState] = {
    (QuoteState.NEW, QuoteFact.BOOKED): QuoteState.BOOKED,
    (QuoteState.NEW, QuoteFact.DECLINED): QuoteState.DECLINED,
    (QuoteState.DECLINED, QuoteFact.REOPENED): QuoteState.NEW,
    (QuoteState.DECLINED, QuoteFact.BOOKED): QuoteState.BOOKED,
}


def after(state: QuoteState, fact: QuoteFact) -> QuoteState | None:
    """The state after a fact, or None where it can't happen."""
    return _NEXT.get((state, fact))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a visitor or client asked for. Empty dates are open."""

    destination: str
    begins_on: date | None
    ends_on: date | None
    adults: int
    children: int
    budget: str
    wishes: str

    @property
    def travelers(self) -> str:
        """ "2 adults, 1 child"."""
        parts = [f"{self.adults} {'adult' if self.adults == 1 else 'adults'}"]
        if self.children:
            parts.append(f"{self.children} {'child' if self.children == 1 else 'children'}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDetail:
    """A request as pages see one."""

    id: str
    agency_id: str
    agent_id: str
    agent_name: str
    client_id: str
    # The name and addresses as they were typed into the form, for the client's profile may differ.
    name: str
    email: str
    phone: str
    wish: Wish
    state: QuoteState
    note: str
    booking_id: str | None
    asked_at: datetime
    decided_at: datetime | None
    version: int


def booking_title(wish: Wish) -> str:
    """What the booking is called at first."""
    return wish.destination[:120]


def booking_notes(wish: Wish, asked_on: str) -> str:
    """What the form said, for the booking's notes. `asked_on` is a day for people."""
    dates = " to ".join(written_day(day) for day in (wish.begins_on, wish.ends_on) if day) or "open"
    lines = [
        f"Quote request of {asked_on}",
        f"Dates: {dates}",
        f"Travelers: {wish.travelers}",
        f"Budget: {wish.budget}" if wish.budget else "",
        f"Wishes: {wish.wishes}" if wish.wishes else "",
    ]
    return "\n".join(line for line in lines if line)[:4000]
