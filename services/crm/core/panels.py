"""Places on a room's pages that another room fills, so that neither imports the other.

The payments room puts its area on the booking page this way: the bookings room asks for whatever panels there are,
and each brings its own template and data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.crm.core.actor import Actor
from services.crm.sales.clients.service import ClientDetail
from services.crm.trips.bookings.service import BookingDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A template to include and the names it reads."""

    template: str
    data: Mapping[str, Any]  # Any: whatever the panel's own template reads


DashboardFiller = Callable[[Actor], Panel | None]
BookingFiller = Callable[[Actor, BookingDetail], Panel | None]
ClientFiller = Callable[[Actor, ClientDetail], Panel | None]


@dataclass(slots=True)
class Panels:
    """The fillers of each place, in the order in which they were added."""

    dashboard: list[DashboardFiller] = field(default_factory=list)
    booking: list[BookingFiller] = field(default_factory=list)
    client: list[ClientFiller] = field(default_factory=list)

    def for_dashboard(self, actor: Actor) -> list[Panel]:
        return [panel for fill in self.dashboard if (panel := fill(actor))]

    def for_booking(self, actor: Actor, booking: BookingDetail) -> list[Panel]:
        return [panel for fill in self.booking if (panel := fill(actor, booking))]

    def for_client(self, actor: Actor, client: ClientDetail) -> list[Panel]:
        return [panel for fill in self.client if (panel := fill(actor, client))]
