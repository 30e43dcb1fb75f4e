"""Words that people bring along from other programs, and what they are called here (C21). Pure.

They are shown beside our own where they help, found by the search of everything, and known to the training's search.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWord:
    """A word of another program. `here` is ours for it, `endpoint` the page it leads to."""

    word: str
    here: str
    endpoint: str
    says: str
    # Stands on the dashboard, for whoever looks for it there.
    on_dashboard: bool = False


KNOWN_WORDS: Final = (
    KnownWord(
        word="Client Payment",
        here="Payment report",
        endpoint="payments.report",
        says="Every payment that waits for you; ACTION leads to its payment area.",
        on_dashboard=True,
    ),
    KnownWord(
        word="View All Clients",
        here="Clients",
        endpoint="clients.index",
        says="All your clients, with filters and a file.",
        on_dashboard=True,
    ),
    KnownWord(
        word="Merge Client",
        here="Merge",
        endpoint="merging.start",
        says="Find one of the two profiles, then its look-alike; you see everything before anything changes.",
        on_dashboard=True,
    ),
    KnownWord(
        word="Auto-Reminder Setup",
        here="Reminders",
        endpoint="reminders.index",
        says="What reminds your clients of payments, and when.",
        on_dashboard=True,
    ),
    KnownWord(
        word="eSignatures",
        here="Documents",
        endpoint="esign.index",
        says="What was sent to be signed, and the library.",
        on_dashboard=True,
    ),
    KnownWord(
        word="CRM Support Tickets",
        here="Support",
        endpoint="support.index",
        says="Ask your admins, and read their answers.",
        on_dashboard=True,
    ),
    KnownWord(word="Book Trip", here="New booking", endpoint="bookings.new", says="The key + opens one too."),
    KnownWord(word="Contacts", here="Clients", endpoint="clients.index", says="The people you plan trips for."),
    KnownWord(word="Leads", here="Quotes", endpoint="quotes.index", says="Who asks for a trip on your public page."),
    KnownWord(word="Workflows", here="Reminders", endpoint="reminders.index", says="What is sent by itself."),
    KnownWord(word="Credit Card Authorization", here="Payment authorization link", endpoint="link_overview.index",
              says="The client types the card and signs; no form is mailed."),
    KnownWord(word="Virtual Terminal", here="Payments", endpoint="payments.report", says="Where a card is used, once."),
    KnownWord(word="Vendors", here="Suppliers", endpoint="suppliers.index", says="Your agency's directory."),
)  # fmt: skip


def known_as(endpoint: str) -> tuple[str, ...]:
    """What other programs call the page of an endpoint."""
    return tuple(each.word for each in KNOWN_WORDS if each.endpoint == endpoint)
