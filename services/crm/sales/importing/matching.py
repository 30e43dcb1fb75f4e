"""Who of a list is known already: by name, e-mail address and telephone number. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final

from chassis.typed.names import may_be_one, name_keys
from chassis.typed.phones import found_by
from services.crm.sales.clients.rules import ClientData

_NEVER_FILLED: Final = frozenset({"first_name", "last_name", "notes"})
_ADDRESS: Final = ("street", "city", "region", "postal_code", "country")


class Likeness(StrEnum):
    """How sure it is that two are one."""

    # The name and the address or a number agree.
    SURE = "sure"
    # The name alone does.
    NAME = "name"


class Policy(StrEnum):
    """What becomes of a row whose client is known."""

    MERGE = "merge"
    SKIP = "skip"
    ADD = "add"


POLICY_WORDS: Final = {
    Policy.MERGE: "Fill in what the profile lacks",
    Policy.SKIP: "Leave the profile as it is",
    Policy.ADD: "Add another client",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A known client."""

    client_id: str
    likeness: Likeness


class Known:
    """The agent's clients, and those that the same file brought before, looked up in memory."""

    def __init__(self) -> None:
        self._by_email: dict[str, list[str]] = {}
        self._by_phone: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        self._names: dict[str, tuple[str, str]] = {}

    def add(self, client_id: str, data: ClientData) -> None:
        """Takes a client in."""
        self._names[client_id] = (data.first_name, data.last_name)
        for table, keys in (
            (self._by_email, _emails(data)),
            (self._by_phone, _phones(data)),
            (self._by_name, name_keys(data.first_name, data.last_name)),
        ):
            for key in keys:
                table.setdefault(key, []).append(client_id)

    def __contains__(self, client_id: str) -> bool:
        return client_id in self._names

    def find(self, data: ClientData) -> Match | None:
        """The client that a row is about, as far as one can tell; the longest-known one. A couple may share an address
        and a telephone: with another name it is somebody else."""
        name = (data.first_name, data.last_name)
        reached = [each for key in _emails(data) for each in self._by_email.get(key, ())]
        reached += [each for key in _phones(data) for each in self._by_phone.get(key, ())]
        for client_id in reached:
            if may_be_one(self._names[client_id], name):
                return Match(client_id, Likeness.SURE)
        for key in name_keys(*name):
            for client_id in self._by_name.get(key, ()):
                return Match(client_id, Likeness.NAME)
        return None


def filled_in(kept: ClientData, new: ClientData) -> ClientData:
    """The profile with what it lacked: an address as a whole, notes one after the other, nothing overwritten."""
    changes: dict[str, object] = {
        each.name: getattr(new, each.name)
        for each in fields(ClientData)
        if each.name not in _NEVER_FILLED | set(_ADDRESS) and not getattr(kept, each.name)
    }
    if not any(getattr(kept, name) for name in _ADDRESS):
        changes |= {name: getattr(new, name) for name in _ADDRESS}
    if new.notes and new.notes not in kept.notes:
        changes["notes"] = "\n\n".join(text for text in (kept.notes, new.notes) if text)[:10_000]
    if not kept.second_phone and new.phone and kept.phone and not _same(kept.phone, new.phone):
        changes["second_phone"] = new.phone
    return replace(kept, **changes)  # type: ignore[arg-type]  # its own fields


def _same(one: str, other: str) -> bool:
    return bool(set(_numbers(one)) & set(_numbers(other)))


def _emails(data: ClientData) -> Iterable[str]:
    return (data.email.casefold(),) if data.email else ()


def _phones(data: ClientData) -> list[str]:
    return [*_numbers(data.phone), *_numbers(data.second_phone)]


def _numbers(phone: str) -> list[str]:
    """The longest form in which a number is known: with its country where it is known."""
    return [max(found_by(phone), key=len)] if phone else []
