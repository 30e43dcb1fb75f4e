"""The vault's audit trail about one card, in words: who, when, from where, why (M12). Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.web.devices import describe_device
from services.crm.custody.service import AccessEntry

_WORDS: Final = {
    "card.stored": "Card stored in the vault",
    "card.replaced": "Card replaced by a newer one",
    "challenge.sent": "One-time code e-mailed",
    "cvv_challenge.sent": "One-time code for the CVV e-mailed",
    "code.refused": "Code refused",
    "card.revealed": "Card shown once",
    "cvv.link_sent": "CVV link e-mailed",
    "cvv.shown": "CVV shown once and destroyed",
    "cvv.purged": "CVV destroyed",
    "cvv.replaced": "New CVV stored",
    "card.removed": "Card destroyed",
    "card.lapsed": "Card lapsed and destroyed",
}
_REFUSALS: Final = {
    "CODE_WRONG": "wrong code",
    "CODE_EXPIRED": "the code had expired",
    "CODE_LOCKED": "too many wrong codes",
    "TOO_MANY_CHALLENGES": "three codes within an hour",
    "ALREADY_REVEALED": "it was already shown",
    "CARD_GONE": "the card is destroyed",
    "CVV_GONE": "there is no CVV any more",
    "LINK_EXPIRED": "the link had expired",
    "LINK_USED": "the link was already used",
    "PERMISSION_DENIED": "not this agent's card",
    "SEAL_BROKEN": "the secure form was out of date",
}
_REASONS: Final = {
    "processed": "processed with the supplier",
    "voided": "payment void",
    "by_hand": "removed by hand",
    "replaced": "replaced by a newer card",
    "lapsed": "kept as long as the agency's policy allows",
    "expired": "kept as long as the agency's policy allows",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One line of the access history. `refused` marks what was asked for and not given."""

    at: datetime
    what: str
    who: str
    where: str
    why: str
    refused: bool


def history_lines(entries: list[AccessEntry], people: dict[str, str]) -> list[HistoryLine]:
    """The trail, newest first. `people` gives names for the ids that stand as actors."""
    return [_line(entry, people) for entry in reversed(entries)]


def _line(entry: AccessEntry, people: dict[str, str]) -> HistoryLine:
    what = _WORDS.get(entry.action, _spelled(entry.action))
    where = ", ".join(part for part in (entry.origin.ip, _device(entry.origin.user_agent)) if part)
    return HistoryLine(
        at=entry.at,
        what=what if entry.ok or entry.action == "code.refused" else f"Refused: {what[0].lower()}{what[1:]}",
        who=people.get(entry.actor, entry.actor),
        where=where,
        why=_why(entry),
        refused=not entry.ok,
    )


def _device(user_agent: str) -> str:
    return describe_device(user_agent) if user_agent else ""


def _why(entry: AccessEntry) -> str:
    reason = entry.reason.removeprefix("ERROR_CODE_").removeprefix("REMOVAL_REASON_")
    if not entry.ok:
        return _REFUSALS.get(reason, _spelled(reason) if reason.isupper() else reason)
    return _REASONS.get(reason.lower(), reason)


def _spelled(constant: str) -> str:
    words = re.sub(r"[._]+", " ", constant).strip()
    return words[:1].upper() + words[1:].lower() if words else ""
