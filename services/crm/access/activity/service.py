"""Notes what was done in the office, and lists it for admins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import new_id
from chassis.web.devices import describe_device
from services.crm.access.activity.models import ActivityRow
from services.crm.access.activity.rules import ACT_WORDS, Act, Activity
from services.crm.core.actor import Actor
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.ports.vault import Origin

__all__ = ["ACT_WORDS", "Act", "Activities", "Activity", "ActivityFilter"]

EXPORT_LIMIT = 10_000


class Names(Protocol):
    """What the people of an agency are called, by id; the agency room knows, which stands on this one."""

    def __call__(self, session: Session, agency_id: str, /) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Which acts are looked for; `until` is exclusive."""

    agent_id: str = ""
    act: Act | None = None
    since: datetime | None = None
    until: datetime | None = None


class Activities:
    """The office's acts."""

    def __init__(self, *, database: Database, clock: Clock, names: Names) -> None:
        self._database = database
        self._clock = clock
        self._names = names

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

    def page(self, actor: Actor, wanted: ActivityFilter, number: int = 1) -> Page[Activity]:
        """The agency's acts, newest first. Raises PermissionDenied for agents."""
        query = _found(actor, wanted)
        with self._database.read() as session:
            total = bounded_count(session, query.order_by(None))
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number))).all()
            names = self._names(session, actor.agency_id)
            return Page(items=[_activity(row, names) for row in rows], total=total, number=number)

    def export(self, actor: Actor, wanted: ActivityFilter) -> list[Activity]:
        """All of them (at most EXPORT_LIMIT). Raises PermissionDenied for agents."""
        with self._database.read() as session:
            rows = session.scalars(_found(actor, wanted).limit(EXPORT_LIMIT)).all()
            names = self._names(session, actor.agency_id)
            return [_activity(row, names) for row in rows]


def _found(actor: Actor, wanted: ActivityFilter) -> Select[ActivityRow]:
    actor.demand_admin()
    query = select(ActivityRow).where(ActivityRow.agency_id == actor.agency_id)
    if wanted.agent_id:
        query = query.where(ActivityRow.actor_id == wanted.agent_id)
    if wanted.act is not None:
        query = query.where(ActivityRow.act == wanted.act.value)
    if wanted.since is not None:
        query = query.where(ActivityRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(ActivityRow.at < wanted.until)
    return query.order_by(ActivityRow.at.desc(), ActivityRow.id)


def _activity(row: ActivityRow, names: dict[str, str]) -> Activity:
    return Activity(
        at=row.at,
        act=Act(row.act),
        who=names.get(row.actor_id, row.actor_id),
        about=row.about,
        ip=row.ip,
        device=describe_device(row.user_agent) if row.user_agent else "",
    )
