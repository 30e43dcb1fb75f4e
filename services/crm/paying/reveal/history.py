"""The vault's audit trail about one card, in words: who, when, from where, why (M12). Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.web.devices import describe_device
from services.crm.core.ports.vault import AccessEntry

_WORDS: Final = {
    "card.stored": "Card stored in the vault",
    "card.replaced": "Card replaced by a newer one",
    "challenge.sent": "One-time code e-mailed",
    "code.refused": "Code refused",
    "card.revealed": "Card shown once",
    "card.revealed_again": "Card shown a second time",
    "second_reveal.requested": "Second reveal asked for",
    "second_reveal.approved": "Second reveal approved",
    "second_reveal.declined": "Second reveal refused by an admin",
    "second_reveal.refused": "Second reveal",
    "second_reveal.expired": "Second reveal ended",
    "approval.code_sent": "One-time code to approve e-mailed",
    "challenge.refused": "No code sent",
    "reveal.refused": "Card not shown",
    "intake.opened": "Secure form opened",
    "intake.refused": "Secure form not opened",
    "cvv.stored": "CVV given again and stored in the vault",
    "cvv.refused": "CVV not taken",
    "card.refused": "Card not taken",
    "removal.refused": "Card not removed",
    "access.refused": "Access refused",
    "cvv.link_sent": "CVV link e-mailed",
    "cvv.shown": "CVV shown once and destroyed",
    "cvv.purged": "CVV destroyed",
    "card.removed": "Card destroyed",
    "card.lapsed": "Card lapsed and destroyed",
    "card.charging": "Card taken out to be charged by the agency's gateway",
    "charge.succeeded": "Card charged",
    "charge.declined": "Charge declined",
    "charge.needs_client": "Charge waits for the client",
    "charge.failed": "Charge not made",
    "charge.voided": "Charge taken back before it was made",
    "mandate.made": "Card kept by the gateway for a standing order",
    "mandate.ended": "Card of a standing order forgotten by the gateway",
    "charge.refused": "Card not charged",
    "refund.asked": "Refund asked for",
    "refund.refused": "Refund not asked for",
    "refund.pending": "Refund on its way",
    "refund.approved": "Refund approved by an admin",
    "refund.succeeded": "Refund made",
    "refund.failed": "Refund not made",
    "gateway_key.entry_opened": "Form for the gateway's keys opened",
    "gateway_key.set": "Keys of the gateway entered",
    "gateway_key.refused": "Keys of the gateway not taken",
    "phone.opened": "Secure session on the telephone opened",
    "phone.tied": "Call tied to the session",
    "phone.pin": "PIN on the telephone",
    "phone.card": "Card keyed on the telephone",
    "phone.ended": "Secure session on the telephone ended",
}
_SAY_NO_THEMSELVES: Final = frozenset(
    f"{act}.refused"
    for act in (
        "code",
        "challenge",
        "reveal",
        "intake",
        "cvv",
        "card",
        "removal",
        "access",
        "charge",
        "refund",
        "gateway_key",
    )
)
# What the vault writes as the reason of a code for the CVV, which has no purpose of its own.
_FOR_CVV: Final = "CVV_CODE"
_SAID_ALREADY: Final = frozenset({_FOR_CVV})
# The vault names the owner agent with what the client did in the portal: it is for their eyes only.
_BY_CLIENT: Final = frozenset(
    {"card.stored", "card.replaced", "card.refused", "cvv.stored", "cvv.refused", "intake.opened", "intake.refused"}
)
_BY_CARD: Final = frozenset({"card.stored", "card.refused", "intake.opened", "intake.refused"})
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
    "INTAKE_EXPIRED": "the form had been open for too long",
    "INTAKE_USED": "the form was sent already",
    "CARD_INVALID": "what was typed can't be right",
    "AGENT_UNKNOWN": "the person is not enrolled at the vault",
    "NOT_FOUND": "the vault does not know it",
}
# Whose reason is a gateway's code.
_BY_GATEWAY: Final = frozenset(
    {"charge.declined", "charge.failed", "charge.needs_client", "charge.voided", "refund.failed", "gateway_key.refused"}
)
_NO_WORDS: Final = "The gateway gave a reason that has no words here"
# The same refusal of a second reveal means something else.
_SECOND_REFUSALS: Final = {
    "PERMISSION_DENIED": "not allowed by the vault: it wants two different people, and an open request",
    "NOT_FOUND": "there is no such request",
}
_REASONS: Final = {
    "not_used": "the approval was not used in time",
    "not_decided": "nobody decided it in time",
    "retention": "kept as long as the agency's policy allows",
    "processed": "processed with the supplier",
    "voided": "payment void",
    "by_hand": "removed by hand",
    "replaced": "replaced by a newer card",
    "kept": "",
    "not_kept": "the gateway did not keep it",
    "stripe": "Stripe",
    "stripe live": "Stripe, live",
    "stripe test": "Stripe, test mode",
    "authorizenet": "Authorize.Net",
    "authorizenet live": "Authorize.Net, live",
    "authorizenet test": "Authorize.Net, test mode",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Who stands behind the ids of the trail: the agency's people by id, and the client. `by_phone`: the client keyed
    the card on the telephone."""

    names: dict[str, str]
    client: str
    by_phone: bool = False
    # The words of gateways' codes; asked for only where one is shown.
    reasons: Callable[[], Mapping[str, str]] = dict

    def who(self, entry: AccessEntry) -> str:
        """Who did it. What came in by the portal the client did: the vault notes for whose eyes it was."""
        if entry.actor == "phone" or self.was_keyed(entry):
            return f"{self.client}, on the telephone"
        if entry.action in _BY_CLIENT or entry.actor == "portal":
            return f"{self.client}, in the portal"
        if entry.actor in ("vault", "charging"):
            return "The vault itself"
        return self.names.get(entry.actor, entry.actor)

    def was_keyed(self, entry: AccessEntry) -> bool:
        """Whether the client did it on the telephone: the masker stores a card as the portal does."""
        return self.by_phone and entry.action in _BY_CARD


def history_lines(entries: list[AccessEntry], people: Names) -> list[HistoryLine]:
    """The trail, newest first."""
    words = people.reasons() if any(_has_code(entry) for entry in entries) else {}
    return [_line(entry, people, words) for entry in reversed(entries)]


def _line(entry: AccessEntry, people: Names, words: Mapping[str, str]) -> HistoryLine:
    what = _what(entry)
    seen_at = (entry.origin.ip, "" if people.was_keyed(entry) else _device(entry.origin.user_agent))
    where = ", ".join(part for part in seen_at if part)
    return HistoryLine(
        at=entry.at,
        what=what if entry.ok or entry.action in _SAY_NO_THEMSELVES else f"Refused: {what[0].lower()}{what[1:]}",
        who=people.who(entry),
        where=where,
        why=_of_gateway(entry, words) if _has_code(entry) else _why(entry),
        refused=not entry.ok,
    )


def _what(entry: AccessEntry) -> str:
    if entry.action == "challenge.sent" and entry.reason == _FOR_CVV:
        return "One-time code for the CVV e-mailed"
    return _WORDS.get(entry.action, _spelled(entry.action))


def _device(user_agent: str) -> str:
    return describe_device(user_agent) if user_agent else ""


def _why(entry: AccessEntry) -> str:
    reason = entry.reason.removeprefix("ERROR_CODE_").removeprefix("REMOVAL_REASON_")
    if reason in _SAID_ALREADY:
        return ""
    if not entry.ok:
        if entry.action.startswith("second_reveal.") and reason in _SECOND_REFUSALS:
            return _SECOND_REFUSALS[reason]
        return _REFUSALS.get(reason, _spelled(reason) if reason.isupper() else reason)
    return _REASONS.get(reason.lower(), reason)


def _has_code(entry: AccessEntry) -> bool:
    """Whether the reason is a gateway's code rather than a word of the vault's or a person's."""
    return entry.action in _BY_GATEWAY and bool(entry.reason) and not entry.reason.isupper()


def _of_gateway(entry: AccessEntry, words: Mapping[str, str]) -> str:
    said = words.get(entry.reason, _NO_WORDS).rstrip(".")
    # An abbreviation stays as it is.
    return said if said[1:2].isupper() else said[:1].lower() + said[1:]


def _spelled(constant: str) -> str:
    words = re.sub(r"[._]+", " ", constant).strip()
    return words[:1].upper() + words[1:].lower() if words else ""
