"""Use cases of the audit viewer: read the vault's trail of the agency."""

from collections.abc import Collection

from chassis.db import Database
from services.crm.core.actor import Actor
from services.crm.core.paging import PAGE_SIZE
from services.crm.office.audit.port import TrailPage, TrailPort, TrailRow, Wanted
from services.crm.paying.payments.service import titles_of

__all__ = ["AuditViewer", "TrailPage", "TrailPort", "TrailRow", "Wanted"]

# A download stops here; a narrower filter brings the rest.
MOST_EXPORTED = 10_000
_CHUNK = 500


class AuditViewer:
    """For admins: every method raises PermissionDenied for agents."""

    def __init__(self, *, database: Database, trail: TrailPort) -> None:
        self._database = database
        self._trail = trail

    def trail(self, actor: Actor, wanted: Wanted, *, after: str = "") -> TrailPage:
        """A page of the vault's trail. Raises PermissionDenied, InvalidArgument, and Unavailable without the vault."""
        actor.demand_admin()
        return self._trail.page(actor.agency_id, wanted, limit=PAGE_SIZE, after=after)

    def whole_trail(self, actor: Actor, wanted: Wanted) -> list[TrailRow]:
        """Up to MOST_EXPORTED rows, for a download. Raises as `trail`."""
        actor.demand_admin()
        rows: list[TrailRow] = []
        after = ""
        while len(rows) < MOST_EXPORTED:
            page = self._trail.page(actor.agency_id, wanted, limit=_CHUNK, after=after)
            rows += page.rows
            after = page.next
            if not after:
                break
        return rows

    def payments(self, actor: Actor, payment_ids: Collection[str]) -> dict[str, str]:
        """Whose payments these are, by id: "Grace Hopper, Norwegian fjords"; the agency's own only."""
        actor.demand_admin()
        wanted = set(payment_ids) - {""}
        if not wanted:
            return {}
        with self._database.read() as session:
            return titles_of(session, actor.agency_id, wanted)
