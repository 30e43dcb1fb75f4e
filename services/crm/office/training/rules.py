"""What a guide is, and how guides are searched. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.crm.core.known_words import known_as

# Where a word counts most.
_TITLE, _KEYWORD, _SUMMARY, _STEP = 8, 6, 4, 1
_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `text` marks what stands on a button as **bold**; `picture` is a file of the room's static folder."""

    text: str
    picture: str = ""
    # What the picture shows, for who can't see it.
    shows: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """How one everyday task is done."""

    slug: str
    title: str
    topic: str
    summary: str
    keywords: tuple[str, ...]
    steps: tuple[Step, ...]
    # What people stumble over: question and answer.
    notes: tuple[tuple[str, str], ...] = ()
    related: tuple[str, ...] = ()
    # The endpoint of the page where the task begins, when it has one without an object.
    begins_at: str = ""
    # For admins only.
    admin: bool = False

    @property
    def pictures(self) -> tuple[str, ...]:
        return tuple(step.picture for step in self.steps if step.picture)


def search(guides: Sequence[Guide], text: str) -> list[Guide]:
    """The guides in which every word of `text` begins some word, best first; all of them for no text."""
    wanted = [word.casefold() for word in _WORD.findall(text)][:8]
    ranked = [(guide, _rank(guide, wanted)) for guide in guides]
    found = [(guide, rank) for guide, rank in ranked if rank > 0 or not wanted]
    # Sorting is stable: equally good ones keep the order in which they are taught.
    return [guide for guide, _ in sorted(found, key=lambda pair: -pair[1])]


def excerpt(guide: Guide, text: str, length: int = 140) -> str:
    """The sentence of the guide that speaks of `text`, or its summary."""
    wanted = [word.casefold() for word in _WORD.findall(text)]
    for step in guide.steps:
        plain = step.text.replace("**", "")
        if any(word.casefold().startswith(one) for one in wanted for word in _WORD.findall(plain)):
            return plain if len(plain) <= length else f"{plain[:length].rsplit(' ', 1)[0]} …"
    return guide.summary


def _rank(guide: Guide, wanted: Sequence[str]) -> int:
    """The sum over all words of the best place each stands in; 0 when one stands nowhere."""
    places = (
        (_TITLE, guide.title),
        (_KEYWORD, " ".join((*guide.keywords, *known_as(guide.begins_at)))),
        (_SUMMARY, f"{guide.summary} {guide.topic}"),
        (_STEP, " ".join([step.text for step in guide.steps] + [part for note in guide.notes for part in note])),
    )
    words = [(weight, [word.casefold() for word in _WORD.findall(text)]) for weight, text in places]
    total = 0
    for one in wanted:
        best = max((weight for weight, present in words if any(word.startswith(one) for word in present)), default=0)
        if best == 0:
            return 0
        total += best
    return total
