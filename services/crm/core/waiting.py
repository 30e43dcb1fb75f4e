"""What waits for an agent, in numbers that every page shows: each room says how its own is counted, and one statement
counts all of it."""

from collections.abc import Callable, Mapping

from sqlalchemy import Select, select

from chassis.db import Database, remembered
from services.crm.core.actor import Actor

Count = Callable[[Actor], Select[int]]
"""A room's number for an agent: one row, one column, never NULL."""


class Waiting:
    """The numbers by their names. A room's street adds how each is counted when it is made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: dict[str, Count] = {}

    def add(self, name: str, count: Count) -> None:
        self._counts[name] = count

    def of(self, actor: Actor) -> Mapping[str, int]:
        """All of them; within one web request counted once."""
        query = select(*(count(actor).scalar_subquery().label(name) for name, count in self._counts.items()))
        with self._database.read() as session:
            return remembered(session, ("waiting", actor), lambda: session.execute(query).one()._asdict())
