"""Use cases of the audit viewer: read the vault's trail of the agency, note and read the office's own acts."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import PermissionDenied
from chassis.ids import new_id
from chassis.web.devices import describe_device
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.office.audit.models import ActivityRow
from services.crm.office.audit.port import TrailPage, TrailPort, TrailRow, Wanted
from services.crm.office.audit.rules import Act, Activity
from services.crm.paying.card_removal.service import Origin
from services.crm.paying.payments.service import PaymentRow

__all__ = ["Act", "Activity", "AuditViewer", "TrailPage", "TrailPort", "TrailRow", "Wanted"]

# A download stops here; a narrower filter brings the rest.
MOST_EXPORTED = 10_000
_CHUNK = 500


class AuditViewer:
    """For admins, but for `note`. All reading raises PermissionDenied for agents."""

    def __init__(self, *, database: Database, clock: Clock, directory: Directory, trail: TrailPort) -> None:
        self._database = database
        self._clock = clock
        self._directory = directory
        self._trail = trail

    def note(self, actor: Actor, act: Act, about: str, origin: Origin) -> None:
        """Writes an act down."""
        with self._database.transaction() as session:
            session.add(
                ActivityRow(
                    id=new_id("activity"),
                    agency_id=actor.agency_id,
                    actor_id=actor.agent_id,
                    act=act.value,
                    about=about[:200],
                    ip=origin.ip[:64],
                    user_agent=origin.user_agent[:300],
                    at=self._clock.now(),
                )
            )

    def trail(self, actor: Actor, wanted: Wanted, *, after: str = "") -> TrailPage:
        """A page of the vault's trail. Raises PermissionDenied, InvalidArgument, and Unavailable without the vault."""
        _require_admin(actor)
        return self._trail.page(actor.agency_id, wanted, limit=PAGE_SIZE, after=after)

    def whole_trail(self, actor: Actor, wanted: Wanted) -> list[TrailRow]:
        """Up to MOST_EXPORTED rows, for a download. Raises as `trail`."""
        _require_admin(actor)
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
        _require_admin(actor)
        wanted = set(payment_ids) - {""}
        if not wanted:
            return {}
        query = select(PaymentRow.id, PaymentRow.payer_name, PaymentRow.booking_title).where(
            PaymentRow.agency_id == actor.agency_id, PaymentRow.id.in_(wanted)
        )
        with self._database.read() as session:
            return {row.id: f"{row.payer_name}, {row.booking_title}" for row in session.execute(query)}

    def activities(
        self,
        actor: Actor,
        *,
        agent_id: str = "",
        act: Act | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        number: int = 1,
    ) -> Page[Activity]:
        """The office's acts, newest first; `until` is exclusive."""
        _require_admin(actor)
        query = select(ActivityRow).where(ActivityRow.agency_id == actor.agency_id)
        if agent_id:
            query = query.where(ActivityRow.actor_id == agent_id)
        if act is not None:
            query = query.where(ActivityRow.act == act.value)
        if since is not None:
            query = query.where(ActivityRow.at >= since)
        if until is not None:
            query = query.where(ActivityRow.at < until)
        with self._database.read() as session:
            total = bounded_count(session, query)
            ordered = query.order_by(ActivityRow.at.desc(), ActivityRow.id).limit(PAGE_SIZE)
            rows = session.scalars(ordered.offset(offset(number))).all()
            names = self._directory.names(session, actor.agency_id)
            return Page(items=[_activity(row, names) for row in rows], total=total, number=number)


def _activity(row: ActivityRow, names: dict[str, str]) -> Activity:
    return Activity(
        at=row.at,
        act=Act(row.act),
        who=names.get(row.actor_id, row.actor_id),
        about=row.about,
        ip=row.ip,
        device=describe_device(row.user_agent) if row.user_agent else "",
    )


def _require_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise PermissionDenied("Only an admin of your agency can do this.")
