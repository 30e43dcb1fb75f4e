"""References to something that may be merged into another of its kind, such as a client (C4).

Each room of a service says in its `references.py` how what it keeps follows; the service gathers the rooms' words in
one tuple, and an architecture test compares it with the columns there are, so that no room is forgotten.
A service that only hears of merges keeps them in a `MergedIds` table: facts that name the merged thing may arrive after
the merge, and merges in any order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self, cast

from sqlalchemy import Column, CursorResult, Delete, MetaData, String, Table, Update, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

# (session, kept id, merged id) -> how many rows followed.
Follow = Callable[[Session, str, str], int]
_Attribute = InstrumentedAttribute[Any]  # Any: columns that may be null and columns that may not


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A column that names a client, and how it follows a merge.

    Without `follow` its rows name the kept one from then on. `words` says in the plural what follows ("payments"), for
    the preview; empty = not worth a word. `stays` = the column tells history and must not follow.
    """

    column: _Attribute
    follow: Follow | None = None
    words: str = ""
    stays: bool = False

    def move(self, session: Session, kept_id: str, merged_id: str) -> int:
        """Lets the rows follow; returns how many did. Safe to repeat."""
        if self.stays:
            return 0
        if self.follow is not None:
            return self.follow(session, kept_id, merged_id)
        return affected(
            session, update(self.column.class_).where(self.column == merged_id).values({self.column: kept_id})
        )


def becoming_one(client: _Attribute, thing: _Attribute) -> Follow:
    """How rows follow that say no more than that a client belongs to a thing (a traveler to a trip): where both belong
    to the same, they become one row."""
    row_type = cast("type[Any]", client.class_)  # Any: of whatever room

    def follow(session: Session, kept_id: str, merged_id: str) -> int:
        rows = session.scalars(select(row_type).where(client == merged_id)).all()
        for row in rows:
            thing_id = getattr(row, thing.key)
            session.delete(row)
            session.flush()
            if session.get(row_type, {thing.key: thing_id, client.key: kept_id}) is None:
                session.add(row_type(**{thing.key: thing_id, client.key: kept_id}))
        session.flush()
        return len(rows)

    return follow


def affected(session: Session, statement: Update | Delete) -> int:
    """Runs an update or a deletion and says how many rows it changed.

    Rows that the session holds are read again when next needed.
    """
    result = cast("CursorResult[Any]", session.execute(statement, execution_options={"synchronize_session": "fetch"}))
    return result.rowcount


def move_all(session: Session, references: Iterable[Reference], kept_id: str, merged_id: str) -> dict[str, int]:
    """Lets everything follow, in the order of the references. Returns how many rows by their words."""
    moved: dict[str, int] = {}
    for reference in references:
        count = reference.move(session, kept_id, merged_id)
        if reference.words and count:
            moved[reference.words] = moved.get(reference.words, 0) + count
    return moved


def forgotten(metadata: MetaData, references: Iterable[Reference], *, table: str = "client") -> list[str]:
    """Columns ("table.column") that name such a thing, by foreign key or by name, and that no reference speaks of."""
    known = {str(reference.column.property.columns[0]) for reference in references}
    return [
        str(column)
        for each in metadata.sorted_tables
        for column in each.columns
        if str(column) not in known
        and (column.name.endswith(f"{table}_id") or any(key.column.table.name == table for key in column.foreign_keys))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedIds:
    """Under which id each merged thing is known today. Chains are kept short: a kept id was never merged itself."""

    table: Table

    @classmethod
    def attach(cls, metadata: MetaData, *, name: str) -> Self:
        """Adds the table to a service's metadata."""
        columns = (
            Column("merged_id", String(64), primary_key=True),
            Column("kept_id", String(64), nullable=False, index=True),
        )
        return cls(table=Table(name, metadata, *columns))

    def current(self, session: Session, known_id: str) -> str:
        """The id under which a thing is known today; its own if it was never merged."""
        query = select(self.table.c.kept_id).where(self.table.c.merged_id == known_id)
        return session.scalar(query) or known_id

    def record(self, session: Session, *, kept_id: str, merged_id: str) -> str:
        """Remembers a merge, whichever of a chain is heard first, and returns the id that stands in the end."""
        final_id = self.current(session, kept_id)
        if final_id == merged_id or self.current(session, merged_id) != merged_id:
            return self.current(session, merged_id)
        session.execute(update(self.table).where(self.table.c.kept_id == merged_id).values(kept_id=final_id))
        session.execute(insert(self.table).values(merged_id=merged_id, kept_id=final_id))
        return final_id
