"""News: that something changed which an agent's open pages may show, so that they can follow by themselves.

A change of a row whose class is marked with `news` leaves a row here, in the same transaction; the alert's watcher
reads them. What changed is not said: a page that hears of news asks for itself anew.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, delete, event, func, insert, select
from sqlalchemy.orm import Mapper, Session, object_session

from chassis.db import Database
from services.crm.orm import Base

R = TypeVar("R", bound=type[Base])

news_table: Final = Table(
    "desk_news",
    Base.metadata,
    # Never given twice, so that an agent's newest number and how many there are tell one state from all before it.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("agent_id", String(64), nullable=False, index=True),
    sqlite_autoincrement=True,
)

# Of all agents together. Older ones every page has heard long ago.
_KEPT: Final = 1000


def news(kind: R) -> R:
    """Marks a row class with an `agent_id`: its changes are news to that agent."""
    for change in ("after_insert", "after_update"):
        event.listen(kind, change, _tell)
    return kind


def tell(session: Session, agent_ids: Iterable[str]) -> None:
    """Makes it news to these agents too, who have no marked row: an admin whom somebody waits for."""
    told = [{"agent_id": each} for each in agent_ids]
    if told:
        session.execute(insert(news_table), told)


def _tell(_: Mapper[Any], connection: Connection, row: Any) -> None:  # Any: whichever class was marked
    session = object_session(row)
    if session is not None and row.agent_id and session.is_modified(row):
        connection.execute(insert(news_table).values(agent_id=row.agent_id))


def sweep_news(database: Database) -> None:
    """Takes the oldest away."""
    with database.transaction() as session:
        newest = session.scalar(select(func.max(news_table.c.id))) or 0
        session.execute(delete(news_table).where(news_table.c.id <= newest - _KEPT))
