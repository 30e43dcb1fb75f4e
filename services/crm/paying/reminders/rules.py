"""The reminders that there are, what their texts may hold, and when they leave. Pure.

The notifier sends them (N4); the words that both use stand in chassis.reminder_words. Which of a segment's dates a kind
speaks of is the same there: tests/contract/reminders compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from chassis.money import Money
from chassis.reminder_words import TAGS, Anchor, ReminderKind
from chassis.tags import slips, slips_message
from services.crm.trips.bookings.rules import Due, DueKind

MOST_DAYS: Final = 180


class Scope(StrEnum):
    """Whose rule it is."""

    AGENCY = "agency"
    OWN = "own"


class Outcome(StrEnum):
    """How a reminder ended (the words of events.proto, ReminderSettled.outcome)."""

    SENT = "sent"
    FAILED = "failed"
    SKIPPED_PAID = "skipped_paid"
    SKIPPED_CANCELLED = "skipped_cancelled"
    SKIPPED_LATE = "skipped_late"
    SKIPPED_NO_ADDRESS = "skipped_no_address"


# What their agent can still send by hand.
SENDABLE: Final = frozenset({Outcome.SKIPPED_LATE, Outcome.SKIPPED_NO_ADDRESS})
KIND_WORDS: Final = {ReminderKind.PAYMENT_DUE: "Payment due", ReminderKind.FINAL_PAYMENT: "Final payment"}
KIND_OF: Final = {
    DueKind.DEPOSIT: ReminderKind.PAYMENT_DUE,
    DueKind.REGULAR: ReminderKind.PAYMENT_DUE,
    DueKind.FINAL: ReminderKind.FINAL_PAYMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleData:
    """What a person sets: how many days before the date, what it says, and whether it is on."""

    kind: ReminderKind
    days_before: int
    active: bool
    subject: str
    body: str
    anchor: Anchor = Anchor.DUE


DEFAULTS: Final[Mapping[ReminderKind, RuleData]] = {
    ReminderKind.PAYMENT_DUE: RuleData(
        kind=ReminderKind.PAYMENT_DUE,
        days_before=7,
        active=False,
        subject="Your deposit for {SupplierName} is due {DepositDate}",
        body=(
            "Dear {ClientFirstName},\n\n"
            "Your trip with {SupplierName} begins {BeginTravelDate}. To keep it, a deposit of {DepositAmt} is due by "
            "{DepositDate}.\n\n"
            "Any questions? Reply to this e-mail or reach me at {AgentContact}.\n\n"
            "{AgentName}\n{AgencyName}"
        ),
    ),
    ReminderKind.FINAL_PAYMENT: RuleData(
        kind=ReminderKind.FINAL_PAYMENT,
        days_before=14,
        active=False,
        subject="Final payment for {SupplierName} is due {FinalDate}",
        body=(
            "Dear {ClientFirstName},\n\n"
            "Soon you are on your way: {SupplierName} begins {BeginTravelDate}. The final payment of {FinalAmt} is due "
            "by {FinalDate}; {BalanceDue} is left to pay.\n\n"
            "Any questions? Reply to this e-mail or reach me at {AgentContact}.\n\n"
            "{AgentName}\n{AgencyName}"
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRule:
    """A rule as it stands. `id` is empty and `version` 0 while nobody has saved one."""

    id: str
    scope: Scope
    data: RuleData
    version: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A kind of reminder with the rules that there are for an agent."""

    kind: ReminderKind
    agency: SavedRule | None
    own: SavedRule | None

    @property
    def in_force(self) -> SavedRule | None:
        """The rule for the agent's bookings: their own, active or not, stands in the place of the agency's."""
        return self.own or self.agency

    @property
    def active(self) -> RuleData | None:
        """What is sent when; None while nothing is."""
        rule = self.in_force
        return rule.data if rule and rule.data.active else None

    @property
    def days_before(self) -> int | None:
        """How many days before its day a reminder leaves; None while none does."""
        return self.active.days_before if self.active else None

    @property
    def to_send(self) -> tuple[str, RuleData]:
        """Id and text for a reminder that the agent sends at once; the house's text where there is no rule."""
        rule = self.in_force
        return (rule.id, rule.data) if rule else ("", DEFAULTS[self.kind])

    def to_edit(self, scope: Scope) -> SavedRule:
        """What a form starts from: the rule itself, else the agency's text, else the house's."""
        found = self.own if scope is Scope.OWN else self.agency
        if found:
            return found
        data = self.agency.data if self.agency else replace(DEFAULTS[self.kind], active=True)
        return SavedRule(id="", scope=scope, data=data, version=0, updated_at=None)


def rule_errors(data: RuleData) -> dict[str, str]:
    """What is wrong: field name → text for the person."""
    errors: dict[str, str] = {}
    if not 0 <= data.days_before <= MOST_DAYS:
        errors["days_before"] = f"Choose from 0 to {MOST_DAYS} days."
    if "\n" in data.subject or "\r" in data.subject:
        errors["subject"] = "The subject is one line."
    for field, text in (("subject", data.subject), ("body", data.body)):
        if wrong := slips(text, TAGS):
            errors[field] = slips_message(wrong, TAGS)
    return errors


def due_together(due: Due, paid_minor: int) -> Money:
    """All that is due of one kind on this amount's day, which one reminder speaks of; what is paid of it is left out,
    unless everything is."""
    same, until_then = [], 0
    for each in due.segment.dues:
        until_then += each.amount.minor
        if KIND_OF[each.kind] is KIND_OF[due.kind] and each.due_on == due.due_on:
            same.append((each.amount.minor, until_then))
    still = [minor for minor, until in same if until > paid_minor] or [minor for minor, _ in same]
    return Money(minor=sum(still), currency=due.amount.currency)


def leaves_on(due_on: date, days_before: int) -> date:
    """The day on which a reminder leaves, at nine by the agency's clock."""
    return due_on - timedelta(days=days_before)


def leaves(data: RuleData, due_on: date | None, begins_on: date | None) -> date | None:
    """The same for a rule's date; None where the day that it counts from is not known."""
    day = begins_on if data.anchor is Anchor.TRAVEL else due_on
    return leaves_on(day, data.days_before) if day else None
