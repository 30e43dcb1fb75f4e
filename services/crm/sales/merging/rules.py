"""Which value wins when two profiles become one (C4). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chassis.typed.names import name_keys
from services.crm.sales.clients.rules import (
    WORDS,
    ClientData,
    ClientDetail,
    ProfileField,
    columns_of,
    in_words,
    values_of,
)

# Family and occasions are lists: both follow, nothing is to be chosen.
_NAMES = (ProfileField.FIRST_NAME, ProfileField.LAST_NAME)
CHOSEN = tuple(field for field in ProfileField if columns_of(field))


class Side(StrEnum):
    """Whose value a field gets. BOTH only where two texts can stand one after the other."""

    KEPT = "kept"
    OTHER = "other"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A field with both values in words, and the side that is suggested. `settled` = there is nothing to choose."""

    field: ProfileField
    kept: str
    other: str
    suggested: Side
    settled: bool

    @property
    def label(self) -> str:
        return WORDS[self.field]

    @property
    def can_join(self) -> bool:
        return self.field is ProfileField.NOTES and not self.settled


def choices(
    kept: ClientDetail,
    other: ClientDetail,
    kept_changed: Mapping[str, datetime],
    other_changed: Mapping[str, datetime],
) -> list[Choice]:
    """Every field with a sensible suggestion: what is filled in before what is empty, then the newer entry."""
    found = []
    one_name = _is_one_name(kept.data) or _is_one_name(other.data)
    names_stay = one_name and bool(_keys(kept.data) & _keys(other.data))
    for field in CHOSEN:
        mine, theirs = in_words(kept.data, field), in_words(other.data, field)
        same = values_of(kept.data, field) == values_of(other.data, field)
        newer = other_changed.get(field, other.created_at) > kept_changed.get(field, kept.created_at)
        if same or not theirs or (names_stay and field in _NAMES):
            side = Side.KEPT
        elif not mine:
            side = Side.OTHER
        elif field is ProfileField.NOTES:
            side = Side.BOTH
        else:
            side = Side.OTHER if newer else Side.KEPT
        found.append(Choice(field=field, kept=mine, other=theirs, suggested=side, settled=same))
    return found


def _is_one_name(data: ClientData) -> bool:
    return not data.first_name or not data.last_name


def _keys(data: ClientData) -> frozenset[str]:
    return name_keys(data.first_name, data.last_name)


def merged_data(kept: ClientData, other: ClientData, sides: Mapping[ProfileField, Side]) -> ClientData:
    """The one profile. A field that no side is named for keeps the kept profile's value."""
    data = kept
    for field, side in sides.items():
        if side is Side.OTHER:
            data = replace(data, **{name: getattr(other, name) for name in columns_of(field)})
        elif side is Side.BOTH and field is ProfileField.NOTES:
            data = replace(data, notes=_joined(kept.notes, other.notes))
    return data


def given_up(kept: ClientData, other: ClientData, data: ClientData) -> dict[str, str]:
    """What stood in a profile and is not in the merged one, by the field's words: kept in the record of the merge."""
    lost: dict[str, str] = {}
    for field in CHOSEN:
        if field is ProfileField.NOTES and other.notes in data.notes and kept.notes in data.notes:
            continue
        for source in (kept, other):
            if values_of(source, field) != values_of(data, field) and (words := in_words(source, field)):
                lost[WORDS[field]] = words
    return lost


def counted(count: int, words: str) -> str:
    """ "1 booking", "2 bookings": `words` as the references name what follows, in the plural."""
    if count == 1 and words.endswith("ies"):
        return f"{count} {words[:-3]}y"
    single = count == 1 and words.endswith("s") and not words.endswith("ss")
    return f"{count} {words[:-1] if single else words}"


def _joined(first: str, second: str) -> str:
    texts = [text.strip() for text in (first, second) if text.strip()]
    return texts[0] if len(texts) == 2 and texts[1] in texts[0] else "\n\n".join(texts)
