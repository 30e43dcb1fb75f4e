"""Search that answers while one types, over a hundred thousand rows: by the words that things are found by.

Each thing has its words twice: in its own `search_text`, each after a blank, and as rows of a table of words with an
index. A rare word is looked up in the table; a common one fills a page after a few rows of the list's own order, so
there the text is read. Both ways find the same: what has, for every word typed, a word that begins with it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    Text,
    and_,
    false,
    intersect,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.db import NotLeading
from chassis.typed.names import LONGEST_KEY, LONGEST_WORD, search_ways
from services.crm.core.actor import Actor
from services.crm.core.paging import COUNTED

# A thing has several words, and more than one of them may begin alike.
_READ = 2 * COUNTED
# Words compare by code point on either engine: a prefix is a range then.
WORD = String(LONGEST_WORD).with_variant(String(LONGEST_WORD, collation="C"), "postgresql")
# What lists are sorted by, in the same order on either engine.
KEY = String(LONGEST_KEY).with_variant(String(LONGEST_KEY, collation="C"), "postgresql")
TITLE_KEY = Text().with_variant(Text(collation="C"), "postgresql")
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordIndex:
    """A table of words, and the thing whose words they are."""

    # Any: columns of rooms' own tables
    agency_id: InstrumentedAttribute[Any]
    agent_id: InstrumentedAttribute[Any]
    word: InstrumentedAttribute[Any]
    owner_id: InstrumentedAttribute[Any]
    thing_id: InstrumentedAttribute[Any]
    thing_text: InstrumentedAttribute[Any]

    def sought(self, session: Session, actor: Actor, text: str) -> "Sought":
        """What a thing must fulfil to be found by a text. Looks the words up at once."""
        ways = search_ways(text)
        if not ways:
            return Sought()
        few = self._few(session, actor, ways)
        found = [self._by(terms, ids) for terms, ids in zip(ways, few, strict=True)]
        return Sought((or_(*found),), few=None not in few)

    def _by(self, terms: Sequence[str], ids: Collection[str] | None) -> ColumnElement[bool]:
        """What a thing must fulfil to have a word for each term; `ids` are the few that can, if they are few."""
        has_all = and_(*(self.thing_text.contains(f" {term}", autoescape=True) for term in terms))
        if ids is None:
            return has_all
        return and_(self.thing_id.in_(sorted(ids)), has_all) if ids else false()

    def _few(self, session: Session, actor: Actor, ways: Sequence[Sequence[str]]) -> list[set[str] | None]:
        """For each way to read a text the things among which all that is looked for are, if they are few."""
        terms = list(dict.fromkeys(term for way in ways for term in way))
        having = self._found(session, [self._having(actor, term) for term in terms], _READ)
        by_term = dict(zip(terms, having, strict=True))
        few = [_smallest(by_term[term] for term in way) for way in ways]
        open_ways = [number for number, way in enumerate(ways) if few[number] is None and len(way) > 1]
        together = [intersect(*(self._having(actor, term) for term in ways[number])) for number in open_ways]
        for number, ids in zip(open_ways, self._found(session, together, COUNTED), strict=True):
            few[number] = ids
        return few

    def _found(
        self, session: Session, queries: Sequence[Select[Any] | CompoundSelect[Any]], most: int
    ) -> list[set[str] | None]:
        """What each query finds, all asked at once; None for more rows than `most`, or more things than COUNTED."""
        if not queries:
            return []
        parts = [query.limit(most + 1).subquery() for query in queries]
        asked = union_all(*(select(literal(number), *part.c) for number, part in enumerate(parts)))
        rows: list[list[str]] = [[] for _ in queries]
        for number, thing_id in session.execute(asked):
            rows[number].append(thing_id)
        return [known if len(ids) <= most and len(known := set(ids)) <= COUNTED else None for ids in rows]

    def _having(self, actor: Actor, term: str) -> Select[Any]:
        query = select(self.owner_id).where(
            self.agency_id == actor.agency_id, self.word >= term, self.word < term + _LAST
        )
        return query if actor.is_admin else query.where(self.agent_id == actor.agent_id)


def _smallest(found: Iterable[set[str] | None]) -> set[str] | None:
    return min((ids for ids in found if ids is not None), key=len, default=None)


class Sought(NamedTuple):
    """What a thing must fulfil to be found, which is nothing where nothing was typed; and whether that names the few
    that can."""

    conditions: Sequence[ColumnElement[bool]] = ()
    few: bool = False

    def beside(self, column: InstrumentedAttribute[Any]) -> InstrumentedAttribute[Any] | NotLeading:
        """A column as the query's other conditions name it. The database is to look at the few, where they are named,
        and not at all that the actor sees."""
        return NotLeading(column) if self.few else column


Row = TypeVar("Row")


def set_words(
    rows: list[Row], wanted: Iterable[str], word: InstrumentedAttribute[str], make: type[Row], **owner: str
) -> None:
    """Makes a thing's rows of words those that are wanted, touching only what differs."""
    have = {getattr(row, word.key): row for row in rows}
    names = dict.fromkeys(wanted)
    rows[:] = [have.get(name) or make(**{word.key: name}, **owner) for name in names]
