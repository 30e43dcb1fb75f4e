"""News: that something changed which open pages may show, so that they can follow by themselves.

A change of a row whose class is marked leaves rows in a table, in the same transaction, one for each id that it is
about. What changed is not said: a page that hears of news of its ids asks for itself anew.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

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
# In a session's info: by news, the ids that its transaction changed so far.
_UNTOLD: Final = "wayvault_untold"


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the news of some ids is known: the newest number, and how many there are."""

    newest: int = 0
    count: int = 0

    def __add__(self, other: "Seen") -> "Seen":
        """The same of these ids and others together."""
        return Seen(max(self.newest, other.newest), self.count + other.count)

    def __str__(self) -> str:
        # The count as well: a transaction that began earlier may commit later, with a lower number.
        return f"{self.newest}.{self.count}"


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

        def tell_change(_: Mapper[Any], __: Connection, row: Any) -> None:  # Any: whichever class was marked
            session = object_session(row)
            if session is not None and session.is_modified(row):
                self.tell(session, (getattr(row, column) for column in columns))

        def mark(kind: R) -> R:
            for change in ("after_insert", "after_update"):
                event.listen(kind, change, tell_change)
            return kind

        return mark

    def tell(self, session: Session, ids: Iterable[str]) -> None:
        """Makes it news of these ids as the transaction commits; for where no marked row says so."""
        untold: dict[News, set[str]] = session.info.setdefault(_UNTOLD, {})
        untold.setdefault(self, set()).update(each for each in ids if each)

    def seen(self, session: Session, ids: Iterable[str]) -> Seen:
        """What differs from before when there is news of one of the ids. One query."""
        query = select(func.max(self.table.c.id), func.count()).where(self.table.c[self.about].in_(sorted(set(ids))))
        newest, count = session.execute(query).one()
        return Seen(newest or 0, count)

    def sweep(self, database: Database) -> None:
        """Takes the oldest away."""
        with database.transaction() as session:
            newest = session.scalar(select(func.max(self.table.c.id))) or 0
            session.execute(delete(self.table).where(self.table.c.id <= newest - self.kept))


@event.listens_for(Session, "before_commit")
def _tell_all(session: Session) -> None:
    """One insert for all that a transaction changed, however many rows and flushes it took."""
    session.flush()
    for news, ids in session.info.pop(_UNTOLD, {}).items():
        if ids:
            session.execute(insert(news.table), [{news.about: each} for each in sorted(ids)])


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_UNTOLD, None)
