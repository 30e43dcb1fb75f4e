"""What an agent's open pages watch: how many payments wait, and whether anything that they show has changed."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select

from chassis.db import Database
from chassis.db.news import Seen
from services.crm.core.actor import Actor
from services.crm.core.news import news_table, sweep_news
from services.crm.core.waiting import Waiting
from services.crm.paying.payments.service import count_pending, count_pending_by_agent

__all__ = ["DeskSign", "DeskSigns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSign:
    """`pending` is what the red alert counts (M3); `news` differs from what it was when something changed."""

    pending: int = 0
    news: str = "0.0"


class DeskSigns:
    """Reads the signs, of one agent or of all at once."""

    def __init__(self, *, database: Database, waiting: Waiting) -> None:
        self._database = database
        self._waiting = waiting
        waiting.add("payments", count_pending)
        waiting.add("newest news", _newest_news)
        waiting.add("news", _count_news)

    def of(self, actor: Actor) -> DeskSign:
        """For a page that is being made."""
        found = self._waiting.of(actor)
        return DeskSign(pending=found["payments"], news=str(Seen(found["newest news"], found["news"])))

    def of_all(self) -> dict[str, DeskSign]:
        """For the watcher; whoever has neither payments pending nor news is left out."""
        told = select(news_table.c.agent_id, func.max(news_table.c.id), func.count()).group_by(news_table.c.agent_id)
        with self._database.read() as session:
            pending = {agent_id: count for agent_id, count in session.execute(count_pending_by_agent())}  # noqa: C416 - typed
            stamps = {agent_id: str(Seen(last, count)) for agent_id, last, count in session.execute(told)}
        return {
            agent_id: DeskSign(pending=pending.get(agent_id, 0), news=stamps.get(agent_id, str(Seen())))
            for agent_id in pending.keys() | stamps.keys()
        }

    def sweep(self) -> None:
        """Takes away news that every page has long heard."""
        sweep_news(self._database)


def _newest_news(actor: Actor) -> Select[int]:
    return select(func.coalesce(func.max(news_table.c.id), 0)).where(news_table.c.agent_id == actor.agent_id)


def _count_news(actor: Actor) -> Select[int]:
    return select(func.count(news_table.c.id)).where(news_table.c.agent_id == actor.agent_id)
