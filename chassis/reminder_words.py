"""The words of reminders: what a person may write in a rule's text, and what the mail then says.

The CRM keeps the rules and shows a preview, the notifier sends the mails; both speak these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chassis.money import Money

_UNKNOWN: Final = "to be confirmed"


class ReminderKind(StrEnum):
    """Which of a segment's dates is reminded of (the words of events.proto, ReminderRuleSaved.kind)."""

    PAYMENT_DUE = "payment_due"
    FINAL_PAYMENT = "final_payment"


class Anchor(StrEnum):
    """Which day a rule's days before are counted from (the words of events.proto, ReminderRuleSaved.anchor)."""

    DUE = "due"
    TRAVEL = "travel"


# Each tag with what it stands for, in the words of the page.
TAGS: Final[Mapping[str, str]] = {
    "ClientFirstName": "the lead passenger's first name",
    "ClientLastName": "the lead passenger's last name",
    "TripTitle": "the booking's title",
    "SupplierName": "the supplier of the segment",
    "BeginTravelDate": "the day the segment begins",
    "DepositAmt": "the deposit",
    "DepositDate": "the day the deposit is due",
    "FinalAmt": "the final payment",
    "FinalDate": "the day the final payment is due",
    "BalanceDue": "what is left to pay on the segment",
    "AgentName": "your name",
    "AgentContact": "your phone number, or your e-mail address",
    "AgencyName": "the agency's name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the tags stand for; dates are written out already."""

    client_first_name: str
    client_last_name: str
    agent_name: str
    agent_contact: str
    agency_name: str
    trip: str
    supplier: str
    begins: str
    deposit: Money | None
    deposit_due: str
    final: Money | None
    final_due: str
    balance: Money


def tag_values(words: Words) -> dict[str, str]:
    """Each tag with its text."""
    return {
        "ClientFirstName": words.client_first_name,
        "ClientLastName": words.client_last_name,
        "TripTitle": words.trip,
        "SupplierName": words.supplier,
        "BeginTravelDate": words.begins or _UNKNOWN,
        "DepositAmt": words.deposit.format() if words.deposit else _UNKNOWN,
        "DepositDate": words.deposit_due or _UNKNOWN,
        "FinalAmt": words.final.format() if words.final else _UNKNOWN,
        "FinalDate": words.final_due or _UNKNOWN,
        "BalanceDue": words.balance.format(),
        "AgentName": words.agent_name,
        "AgentContact": words.agent_contact,
        "AgencyName": words.agency_name,
    }
