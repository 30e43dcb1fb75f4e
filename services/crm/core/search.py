"""Search that answers while one types, over a hundred thousand rows: by the words that things are found by.

Each thing has its words twice: in its own `search_text`, each after a blank, and as rows of a table of words with an
index. A rare word is looked up in the table; a common one fills a page after a few rows of the list's own order, so
there the text is read. Both ways find the same: what has, for every word typed, a word that begins with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, String, Text, and_, false, intersect, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

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

    def sought(self, session: Session, actor: Actor, text: str) -> "Sought | None":
        """What a thing must fulfil to be found by a text; None when nothing was typed. Looks the words up at once."""
        ways = [self._by(session, actor, terms) for terms in search_ways(text)]
        return Sought(or_(*(way.condition for way in ways)), all(way.few for way in ways)) if ways else None

    def _by(self, session: Session, actor: Actor, terms: Sequence[str]) -> "Sought":
        """What a thing must fulfil to have a word for each term."""
        has_all = and_(*(self.thing_text.contains(f" {term}", autoescape=True) for term in terms))
        ids = self._few(session, actor, terms)
        if ids is None:
            return Sought(has_all, few=False)
        return Sought(and_(self.thing_id.in_(ids), has_all) if ids else false(), few=True)

    def _few(self, session: Session, actor: Actor, terms: Sequence[str]) -> list[str] | None:
        """The things among which all that is looked for are, if they are few."""
        for term in sorted(terms, key=len, reverse=True):
            ids = session.scalars(self._having(actor, term).limit(_READ + 1)).all()
            if len(ids) <= _READ and len(known := set(ids)) <= COUNTED:
                return sorted(known)
        if len(terms) > 1:
            both = intersect(*(self._having(actor, term) for term in terms)).limit(COUNTED + 1)
            ids = session.scalars(both).all()
            if len(ids) <= COUNTED:
                return sorted(ids)
        return None

    def _having(self, actor: Actor, term: str) -> Select[Any]:
        query = select(self.owner_id).where(
            self.agency_id == actor.agency_id, self.word >= term, self.word < term + _LAST
        )
        return query if actor.is_admin else query.where(self.agent_id == actor.agent_id)


class Sought(NamedTuple):
    """What a thing must fulfil to be found, and whether it names the few that can: the database is to look at these,
    not at all that the actor sees."""

    condition: ColumnElement[bool]
    few: bool


Row = TypeVar("Row")


def set_words(
    rows: list[Row], wanted: Iterable[str], word: InstrumentedAttribute[str], make: type[Row], **owner: str
) -> None:
    """Makes a thing's rows of words those that are wanted, touching only what differs."""
    have = {getattr(row, word.key): row for row in rows}
    names = dict.fromkeys(wanted)
    rows[:] = [have.get(name) or make(**{word.key: name}, **owner) for name in names]
