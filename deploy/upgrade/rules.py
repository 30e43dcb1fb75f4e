"""What a revision changes of the tables, and what of that a process of before can't live with."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_BOUNDED = re.compile(r"VARCHAR\((\d+)\)$")
_COLLATION = re.compile(r' COLLATE "[^"]*"$')
_READ = re.compile(r'\b(?:FROM|JOIN|UPDATE)\s+(?:ONLY\s+)?"?(\w+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`default`: the database fills it in for whoever says nothing of it."""

    type: str
    required: bool
    default: bool

    @property
    def empty_without_word(self) -> bool:
        """Whether it is NULL in the rows of a process that does not know it."""
        return not self.required and not self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One table. `demands` are its unique keys, checks and foreign keys: in words, with the columns concerned as far as
    they are known. `indexes` are the names of the rest."""

    columns: Mapping[str, Column]
    demands: Mapping[str, frozenset[str]]
    indexes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Between two shapes of a database: `grown` in words, and `narrowed`, what an older process may break on."""

    grown: tuple[str, ...]
    narrowed: tuple[str, ...]


def changed(before: Mapping[str, Shape], after: Mapping[str, Shape]) -> Change:
    """What lies between them. Only what is of no account to a process that knows `before` alone counts as grown."""
    narrowed = [f"table {name} goes" for name in sorted(before.keys() - after.keys())]
    grown = [f"table {name} is new" for name in sorted(after.keys() - before.keys())]
    for name in sorted(before.keys() & after.keys()):
        narrowed += _narrowed(name, before[name], after[name])
        grown += _grown(name, before[name], after[name])
    return Change(grown=tuple(grown), narrowed=tuple(narrowed))


def _grown(table: str, before: Shape, after: Shape) -> Iterator[str]:
    for name in sorted(after.columns.keys() - before.columns.keys()):
        yield f"column {table}.{name} is new"
    for name in sorted(before.indexes ^ after.indexes):
        yield f"index {name} {'is new' if name in after.indexes else 'goes'}"
    for name in sorted(before.demands.keys() - after.demands.keys()):
        yield f"{table}: no longer demanded: {name}"


def _narrowed(table: str, before: Shape, after: Shape) -> Iterator[str]:
    for name in sorted(before.columns.keys() - after.columns.keys()):
        yield f"column {table}.{name} goes"
    for name, column in sorted(after.columns.items()):
        old = before.columns.get(name)
        if old is None:
            if column.required and not column.default:
                yield f"column {table}.{name} is new, required, and has no default"
            continue
        if column.required and not old.required:
            yield f"column {table}.{name} becomes required"
        if column.required and old.default and not column.default:
            yield f"column {table}.{name} loses its default"
        if not _holds(column.type, old.type):
            yield f"column {table}.{name} changes from {old.type} to {column.type}"
    for demand in sorted(after.demands.keys() - before.demands.keys()):
        # NULL meets every foreign key, and is like no other NULL.
        new = after.demands[demand] - before.columns.keys()
        if not any(after.columns[name].empty_without_word for name in new):
            yield f"{table}: newly demanded: {demand}"


def _holds(new: str, old: str) -> bool:
    """Whether every value of the old type is one of the new; in which order they stand is no matter here."""
    new, old = _COLLATION.sub("", new), _COLLATION.sub("", old)
    if new == old or (new == "TEXT" and old.startswith("VARCHAR")):
        return True
    wide, narrow = _BOUNDED.match(new), _BOUNDED.match(old)
    return bool(wide and narrow) and int(wide[1]) >= int(narrow[1])  # type: ignore[index]


def tables_read(statements: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """The tables whose rows statements go through: the more rows these have, the longer a revision takes."""
    found = {match.lower() for statement in statements for match in _READ.findall(statement)}
    return frozenset(found & {name.lower() for name in known})
