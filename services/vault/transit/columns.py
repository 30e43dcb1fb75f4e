"""A table's column of ciphertexts, as key management sees it: which are old, and how to replace one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Column, CursorResult, Table, func, select, update
from sqlalchemy.orm import Session

from services.vault.transit.rules import Cipher, Context, KeyName


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """One stored ciphertext."""

    row_id: str
    cipher: Cipher
    context: Context


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedColumn:
    """Where a room keeps ciphertexts of a key: a NULL in the version column means that none is kept.

    `context_of_row` gets the values of `context_columns` and tells what the ciphertext is bound to.
    """

    key: KeyName
    table: Table
    row_id: str
    cipher: str
    version: str
    context_columns: Sequence[str]
    context_of_row: Callable[..., Context]

    def outdated(self, session: Session, *, below: int, after: str, limit: int) -> list[Wrapped]:
        """Ciphertexts of versions below `below`, by row id, beginning after `after`."""
        columns = [self._column(name) for name in (self.row_id, self.cipher, *self.context_columns)]
        query = (
            select(*columns)
            .where(self._column(self.version) < below, self._column(self.row_id) > after)
            .order_by(self._column(self.row_id))
            .limit(limit)
        )
        return [self._wrapped(row) for row in session.execute(query)]

    def count_outdated(self, session: Session, *, below: int) -> int:
        """How many ciphertexts are of versions below `below`."""
        query = select(func.count()).select_from(self.table).where(self._column(self.version) < below)
        return session.execute(query).scalar_one()

    def lowest_version(self, session: Session) -> int | None:
        """The oldest key version that still has a ciphertext; None when none is kept."""
        lowest: int | None = session.execute(select(func.min(self._column(self.version)))).scalar_one()
        return lowest

    def replace(self, session: Session, old: Wrapped, new: Cipher) -> bool:
        """Puts the new ciphertext in the old one's place, unless that changed or went meanwhile."""
        moved = session.execute(
            update(self.table)
            .where(self._column(self.row_id) == old.row_id, self._column(self.cipher) == old.cipher.text)
            .values({self.cipher: new.text, self.version: new.version})
        )
        return cast("CursorResult[Any]", moved).rowcount == 1

    def _column(self, name: str) -> Column[Any]:  # Any: a column of whatever type
        return self.table.c[name]

    def _wrapped(self, row: Sequence[Any]) -> Wrapped:
        row_id, cipher, *bound_to = row
        return Wrapped(row_id=row_id, cipher=Cipher(cipher), context=self.context_of_row(*bound_to))
