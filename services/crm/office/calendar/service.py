"""Use cases of the calendar: the weeks of a month, one day, and a file for other calendars. Read only."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from chassis.calendar import write
from chassis.clock import Clock
from chassis.db import Database
from services.crm.core.actor import Actor
from services.crm.core.day_queries import Source
from services.crm.core.days import Asked, DayKind
from services.crm.office.calendar.entries import entries_of
from services.crm.office.calendar.rules import Day, days_of, weeks_of
from services.crm.office.reports.service import Reports

# Of a day in a month, and of a day by itself.
SHOWN = 4
OF_A_DAY = 200


class Calendars:
    """An agent sees their own days; an admin the agency's, or one agent's."""

    def __init__(self, *, database: Database, clock: Clock, reports: Reports, sources: Sequence[Source]) -> None:
        """`sources` are the rooms that know of days."""
        self._database = database
        self._clock = clock
        self._reports = reports
        self._sources = sources

    def weeks(self, actor: Actor, month: date, agent_id: str = "") -> list[Day]:
        """The whole weeks in which a month's days are. Raises NotFound for an agent whom the actor does not see."""
        first, last = weeks_of(month)
        return self._days(actor, first, last, agent_id, SHOWN)

    def day(self, actor: Actor, on: date, agent_id: str = "") -> Day:
        """One day, with all of it (at most OF_A_DAY of a kind). Raises as weeks."""
        return self._days(actor, on, on, agent_id, OF_A_DAY)[0]

    def file(self, actor: Actor, month: date, agent_id: str = "") -> bytes:
        """The same weeks for another calendar (RFC 5545). Raises as weeks."""
        first, last = weeks_of(month)
        days = self._days(actor, first, last, agent_id, OF_A_DAY)
        return write(f"{actor.name}, {month:%Y-%m}", entries_of(days), changed_at=self._clock.now())

    def today(self, actor: Actor) -> date:
        return self._reports.today(actor)

    def own(self, actor: Actor, first: date, last: date, most: int) -> list[Day]:
        """The actor's own days, an admin's too; of a kind at most so many lines on one day."""
        return self._days(actor, first, last, actor.agent_id, most)

    def _days(self, actor: Actor, first: date, last: date, agent_id: str, most: int) -> list[Day]:
        self._reports.check_agent(actor, agent_id)
        everybody = tuple(self._reports.agents(actor)) or (actor.agent_id,)
        asked = Asked(
            first=first,
            last=last,
            agent_ids=(agent_id,) if agent_id else everybody,
            most=most,
            zone=ZoneInfo(actor.time_zone),
        )
        with self._database.read() as session:
            parts = [source(session, asked) for source in self._sources]
        return days_of(first, last, parts, most if most == SHOWN else most * len(DayKind))
