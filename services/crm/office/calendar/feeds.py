"""An agent's calendar under a secret address that other calendars read: made, made anew, ended, read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis.calendar import write
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import NotFound
from chassis.former_days import pack, unpack
from chassis.ids import new_link_token, token_sha256
from services.crm.core.actor import Actor
from services.crm.office.calendar.entries import tell, window
from services.crm.office.calendar.models import CalendarFeedRow
from services.crm.office.calendar.service import Calendars

# How long a calendar may wait before it asks again; most take it as a wish.
ASKED_EVERY: Final = timedelta(hours=1)
# Of one address: a few devices that ask every few minutes stay below it.
READS_PER_SPAN: Final = 60
SPAN: Final = timedelta(hours=1)
# Of a kind on one day.
_OF_A_DAY: Final = 20
_ANOTHER: Final = "In the CRM, open Calendar, then Subscribe, make a new address, and put it into your other calendar."
_NO_SUCH: Final = f"There is no calendar under this address any more. {_ANOTHER}"
_SECRET: Final = 43
_NOT_WHOLE: Final = (
    "A part of this calendar's address is missing or was changed on its way. Copy the whole address again; nobody can "
    f"show it a second time, so if you don't have it any more: {_ANOTHER[0].lower()}{_ANOTHER[1:]}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """An agent's address as their page shows it; the address itself nobody can show again."""

    made_at: datetime
    last_read_at: datetime | None
    last_reader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """What a calendar gets. `tag` changes when the content does."""

    tag: str
    content: Callable[[], bytes]


class FeedReadTooOften(Exception):
    """The address was read more often than calendars do. `wait` is how long until it can be read again."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("read too often")
        self.wait = wait


class CalendarFeeds:
    """The use cases of subscribed calendars. Each shows its agent's own days, an admin's too."""

    def __init__(
        self, *, database: Database, clock: Clock, calendars: Calendars, agents: Callable[[str], Actor | None]
    ) -> None:
        """`agents` finds who acts by their id; None for one who is no longer active."""
        self._database = database
        self._clock = clock
        self._calendars = calendars
        self._agents = agents

    def of(self, actor: Actor) -> Feed | None:
        """The actor's own; None where there is no address."""
        with self._database.read() as session:
            row = session.get(CalendarFeedRow, actor.agent_id)
            if row is None:
                return None
            return Feed(made_at=row.made_at, last_read_at=row.last_read_at, last_reader=row.last_reader)

    def renew(self, actor: Actor) -> str:
        """Makes an address; one that there was leads nowhere from then on. Returns the secret in it, this once. A
        calendar that gets both counts on: its entries have the same ids."""
        token, now = new_link_token(), self._clock.now()
        with self._database.transaction() as session:
            mine = CalendarFeedRow.agent_id == actor.agent_id
            sequence = session.scalar(select(CalendarFeedRow.sequence).where(mine)) or 0
            session.execute(delete(CalendarFeedRow).where(mine))
            session.add(
                CalendarFeedRow(
                    agent_id=actor.agent_id,
                    token_sha256=token_sha256(token),
                    made_at=now,
                    told=[],
                    gone=[],
                    digest="",
                    sequence=sequence,
                    changed_at=now,
                    counted_from=now,
                    reads=0,
                    last_reader="",
                )
            )
        return token

    def end(self, actor: Actor) -> bool:
        """Whether there was an address; it leads nowhere any more."""
        with self._database.transaction() as session:
            row = session.get(CalendarFeedRow, actor.agent_id, with_for_update=True)
            if row is not None:
                session.delete(row)
            return row is not None

    def read(self, token: str, reader: str) -> FeedFile:
        """The calendar under this secret, for a program that calls itself `reader`. Raises NotFound where the secret
        is none, was replaced, or its agent is no longer active; FeedReadTooOften."""
        if len(token) != _SECRET:
            raise NotFound(_NOT_WHOLE)
        digest = token_sha256(token)
        with self._database.transaction() as session:
            agent_id = self._count(session, digest, reader)
        actor = self._agents(agent_id)
        if actor is None:
            raise NotFound(_NO_SUCH)
        first, last = window(self._calendars.today(actor))
        days = self._calendars.own(actor, first, last, _OF_A_DAY)
        with self._database.transaction() as session:
            row = _row(session, digest)
            told = tell(days, first, told=unpack(row.told), gone=unpack(row.gone), last=(row.digest, row.sequence))
            if told.sequence != row.sequence:
                row.told, row.gone, row.changed_at = pack(told.present), pack(told.gone), self._clock.now()
                row.digest, row.sequence = told.digest, told.sequence
            changed_at = row.changed_at
        return FeedFile(
            tag=f"{told.sequence}-{told.digest[:32]}",
            content=lambda: write(actor.name, told.entries, changed_at=changed_at, asked_every=ASKED_EVERY),
        )

    def _count(self, session: Session, digest: str, reader: str) -> str:
        """Counts a read and returns whose calendar it is. Raises NotFound or FeedReadTooOften."""
        row, now = _row(session, digest), self._clock.now()
        begins_anew = now >= row.counted_from + SPAN
        if not begins_anew and row.reads >= READS_PER_SPAN:
            raise FeedReadTooOften(row.counted_from + SPAN - now)
        counted = {"counted_from": now, "reads": 1} if begins_anew else {"reads": CalendarFeedRow.reads + 1}
        session.execute(
            update(CalendarFeedRow)
            .where(CalendarFeedRow.agent_id == row.agent_id)
            .values(last_read_at=now, last_reader=reader[:200], **counted)
        )
        return row.agent_id


def _row(session: Session, digest: str) -> CalendarFeedRow:
    row = session.scalar(select(CalendarFeedRow).where(CalendarFeedRow.token_sha256 == digest).with_for_update())
    if row is None:
        raise NotFound(_NO_SUCH)
    return row
