"""The one search: asks each room for its first few, by indexed words only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.crm.core.actor import Actor
from services.crm.office.finding.rules import Action, matching
from services.crm.paying.payments.service import Payment, PaymentBook
from services.crm.sales.clients.service import ClientDetail, Clients
from services.crm.sales.groups.rules import Group
from services.crm.sales.groups.service import Groups
from services.crm.sales.suppliers.service import Supplier, Suppliers
from services.crm.trips.bookings.service import BookingDetail, Bookings

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a text finds, the first few of each; agents find only what is theirs, an admin the agency's."""

    clients: Sequence[ClientDetail]
    groups: Sequence[Group]
    bookings: Sequence[BookingDetail]
    payments: Sequence[Payment]
    suppliers: Sequence[Supplier]
    actions: Sequence[Action]

    @property
    def is_empty(self) -> bool:
        return not (self.clients or self.groups or self.bookings or self.payments or self.suppliers or self.actions)


class Finder:
    """The finding room's use case."""

    def __init__(
        self, *, clients: Clients, groups: Groups, bookings: Bookings, book: PaymentBook, suppliers: Suppliers
    ) -> None:
        self._clients = clients
        self._groups = groups
        self._bookings = bookings
        self._book = book
        self._suppliers = suppliers

    def find(self, actor: Actor, text: str) -> Found:
        """Clients by name, e-mail and phone; bookings by title, traveler, supplier and confirmation number; payments by
        their confirmation number and by those clients; companies, households, suppliers and actions by name."""
        clients = self._clients.search(actor, text)[:_SHOWN]
        return Found(
            clients=clients,
            groups=self._groups.search(actor, text, _SHOWN),
            bookings=self._bookings.search(actor, text, _SHOWN),
            payments=self._book.search(actor, text, [client.id for client in clients], _SHOWN),
            suppliers=self._suppliers.search(actor, text, _SHOWN),
            actions=matching(text, is_admin=actor.is_admin),
        )
