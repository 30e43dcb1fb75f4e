"""A profile, and how the CRM's word and the client's own changes become one. Pure.

Each side says when a field was last changed; of family and occasions each row is a field of its own, so that what both
add is there in the end. The portal shows what the client wrote until the CRM has answered: a `client.saved` that was on
its way before the CRM knew of their change does not take it from their eyes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from chassis.typed.names import full_name

BIRTHDAY_ID = "birthday"
# Stands for the year where a day's year is not known; a leap year, so that 29 February is a day in it.
UNKNOWN_YEAR = 1904
MOST_FAMILY = 30
MOST_OCCASIONS = 30


class Relation(StrEnum):
    """How somebody belongs to the client (the words of events.proto, FamilyMember.relation)."""

    SPOUSE = "spouse"
    PARTNER = "partner"
    CHILD = "child"
    PARENT = "parent"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`country` is ISO 3166-1 alpha-2 or empty."""

    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyMember:
    id: str
    first_name: str
    last_name: str
    relation: Relation
    born_on: date | None

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A day that comes back every year."""

    id: str
    label: str
    on: date
    year_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a client and their agent both see."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    address: Address = field(default_factory=Address)
    birthday: date | None = None
    family: tuple[FamilyMember, ...] = ()
    occasions: tuple[Occasion, ...] = ()

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)


# What changes as one, by the CRM's names for it; beside these each row of a list, as "family:ID" and "occasion:ID".
FIELDS = ("first_name", "last_name", "email", "phone", "address", "birthday")
Entry = TypeVar("Entry", FamilyMember, Occasion)


def changed_fields(old: Profile, new: Profile) -> tuple[str, ...]:
    """Which fields and rows differ; a row that only one of the two has, too."""
    fields = [name for name in FIELDS if getattr(old, name) != getattr(new, name)]
    rows = [*_changed_rows("family", old.family, new.family)]
    rows += _changed_rows("occasion", old.occasions, new.occasions)
    return (*fields, *rows)


def _changed_rows(kind: str, old: tuple[Entry, ...], new: tuple[Entry, ...]) -> list[str]:
    was, now = {each.id: each for each in old}, {each.id: each for each in new}
    return [f"{kind}:{row_id}" for row_id in {**was, **now} if was.get(row_id) != now.get(row_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the portal shows, and since when which of it is the client's own change that the CRM has not answered."""

    shown: Profile
    pending: Mapping[str, datetime] = field(default_factory=dict)

    def change(self, new: Profile, now: datetime) -> "Held":
        """The client changed their profile."""
        mine = dict.fromkeys(changed_fields(self.shown, new), now)
        return Held(shown=new, pending={**self.pending, **mine})

    def hear(self, told: Profile, changed_at: Mapping[str, datetime]) -> "Held":
        """The CRM says what the profile is and when it knew each field to be changed."""
        kept = {name: at for name, at in self.pending.items() if changed_at.get(name, _never(at)) < at}
        mine: dict[str, Any] = {name: getattr(self.shown, name) for name in kept if name in FIELDS}  # Any: their types
        shown = replace(
            told,
            **mine,
            family=_with_rows("family", told.family, self.shown.family, kept),
            occasions=_with_rows("occasion", told.occasions, self.shown.occasions, kept),
        )
        # What the CRM holds by another road needs no waiting.
        return Held(shown=shown, pending={name: kept[name] for name in changed_fields(told, shown) if name in kept})


def _with_rows(
    kind: str, told: tuple[Entry, ...], mine: tuple[Entry, ...], kept: Mapping[str, datetime]
) -> tuple[Entry, ...]:
    """What was told, with the rows that are still the client's own word: changed, added or taken away."""
    own = {each.id: each for each in mine if f"{kind}:{each.id}" in kept}
    known = {each.id for each in told}
    rows = [own.get(each.id, each) for each in told if each.id in own or f"{kind}:{each.id}" not in kept]
    rows += [each for each in own.values() if each.id not in known]
    return tuple(rows)


def _never(at: datetime) -> datetime:
    return datetime.min.replace(tzinfo=at.tzinfo)
