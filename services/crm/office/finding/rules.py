"""What one can do from anywhere, and by which words it is found. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.typed.names import fold
from services.crm.core.known_words import known_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A page that one goes to by name. `words` are further words for it."""

    label: str
    endpoint: str
    icon: str
    words: str = ""
    admin: bool = False

    @property
    def known_as(self) -> tuple[str, ...]:
        """What other programs call it."""
        return known_as(self.endpoint)

    @property
    def found_by(self) -> str:
        """Everything it is found by."""
        return fold(" ".join((self.label, self.words, *self.known_as)))


ACTIONS: Final = (
    Action(label="New booking", endpoint="bookings.new", icon="luggage", words="add trip create"),
    Action(label="Clients", endpoint="clients.index", icon="users", words="travelers people list all"),
    Action(label="Bookings", endpoint="bookings.index", icon="luggage", words="trips list all"),
    Action(label="Add client", endpoint="clients.new", icon="users", words="new traveler create"),
    Action(label="Add supplier", endpoint="suppliers.new", icon="store", words="new vendor create"),
    Action(label="Payment report", endpoint="payments.report", icon="credit-card", words="pending process money"),
    Action(label="Links", endpoint="link_overview.index", icon="link", words="unopened expiring remind resend revoke"),
    Action(label="Merge clients", endpoint="merging.start", icon="users", words="duplicate same person join"),
    Action(label="Import clients", endpoint="importing.start", icon="upload", words="csv vcard excel outlook list"),
    Action(
        label="Companies and households",
        endpoint="groups.index",
        icon="building",
        words="organizations corporate accounts families groups",
    ),
    Action(label="Tasks", endpoint="tasks.index", icon="circle-check", words="to do overdue"),
    Action(label="Quotes", endpoint="quotes.index", icon="inbox", words="requests"),
    Action(label="Suppliers", endpoint="suppliers.index", icon="store", words="directory vendors"),
    Action(label="Documents", endpoint="esign.index", icon="file-text", words="sign library templates"),
    Action(label="Reminders", endpoint="reminders.index", icon="bell", words="texts rules"),
    Action(label="Sent reminders", endpoint="reminders.log", icon="bell", words="log"),
    Action(label="Reports", endpoint="reports.index", icon="chart-column", words="figures commissions export"),
    Action(label="E-mails that did not arrive", endpoint="mail_outcomes.index", icon="mail-warning", words="bounced"),
    Action(
        label="Your profile",
        endpoint="agency.profile",
        icon="circle-user-round",
        words="name phone time zone public page qr",
    ),
    Action(
        label="Your public page",
        endpoint="public_pages.show",
        icon="globe",
        words="short address name embed website button form qr copy",
    ),
    Action(label="Sign-in and sessions", endpoint="auth.account", icon="shield-check", words="password account"),
    Action(label="Training", endpoint="training.index", icon="graduation-cap", words="guides help how"),
    Action(label="Support", endpoint="support.index", icon="life-buoy", words="help question ticket"),
    Action(label="Agency", endpoint="agency.show", icon="building", words="settings logo policies agents", admin=True),
)
_SHOWN: Final = 5


def matching(text: str, *, is_admin: bool) -> Sequence[Action]:
    """The first few actions that have, for every word typed, a word that begins with it."""
    typed = fold(text).split()
    if not typed:
        return ()
    found = [
        action
        for action in ACTIONS
        if (is_admin or not action.admin)
        and all(any(own.startswith(word) for own in action.found_by.split()) for word in typed)
    ]
    return found[:_SHOWN]
