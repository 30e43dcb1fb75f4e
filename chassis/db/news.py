"""News: that something changed which open pages may show, so that they can follow by themselves.

A change of a row whose class is marked leaves rows in a table, in the same transaction, one for each id that it is
about. What changed is not said: a page that hears of news of its ids asks for itself anew.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapper, Session, object_session

from chassis.db.engine import Database

R = TypeVar("R", bound=type[DeclarativeBase])


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A service's news. `about` is the table's column of ids; `kept`: how many of the newest stay in all."""

    table: Table
    about: str
    kept: int

    @classmethod
    def attach(cls, metadata: MetaData, *, name: str, about: str, kept: int) -> "News":
        """Adds the table to a service's metadata (so that its migrations make it)."""
        table = Table(
            name,
            metadata,
            # Never given twice, so that the newest number of an id and how many there are tell one state from all
            # before it.
            Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
            Column(about, String(64), nullable=False, index=True),
            sqlite_autoincrement=True,
        )
        return cls(table=table, about=about, kept=kept)

    def of(self, *columns: str) -> Callable[[R], R]:
        """Marks a row class: its changes are news of the ids in these columns; an empty one counts for none."""

        def tell_change(_: Mapper[Any], connection: Connection, row: Any) -> None:  # Any: whichever class was marked
            session = object_session(row)
            if session is not None and session.is_modified(row):
                self._tell(connection, (getattr(row, column) for column in columns))

        def mark(kind: R) -> R:
            for change in ("after_insert", "after_update"):
                event.listen(kind, change, tell_change)
            return kind

        return mark

    def tell(self, session: Session, ids: Iterable[str]) -> None:
        """Makes it news of these ids, where no marked row says so."""
        self._tell(session, ids)

    def _tell(self, where: Session | Connection, ids: Iterable[str]) -> None:
        told = [{self.about: each} for each in sorted({each for each in ids if each})]
        if told:
            where.execute(insert(self.table), told)

    def stamp(self, session: Session, ids: Iterable[str]) -> str:
        """What differs from before when there is news of one of the ids. One query."""
        # The count as well: a transaction that began earlier may commit later, with a lower number.
        query = select(func.max(self.table.c.id), func.count()).where(self.table.c[self.about].in_(sorted(set(ids))))
        newest, count = session.execute(query).one()
        return stamp_of(newest, count)

    def sweep(self, database: Database) -> None:
        """Takes the oldest away."""
        with database.transaction() as session:
            newest = session.scalar(select(func.max(self.table.c.id))) or 0
            session.execute(delete(self.table).where(self.table.c.id <= newest - self.kept))


def stamp_of(newest: int | None, count: int) -> str:
    """A state of the news, by the newest number and how many there are."""
    return f"{newest or 0}.{count}"
