"""The terms that a client signs for a payment they start themselves: the CRM's text, filled.

The CRM's own links say the same words (services/crm/paying/links/terms.py);
tests/contract/test_self_service_terms.py holds the two together. What is filled in here is spelled as there.
"""

import re
from typing import Final

from chassis.moments import written_day
from chassis.money import Money
from chassis.tags import fill
from services.portal.trips.rules import PayType, Segment

_TYPES = {
    PayType.DEPOSIT: "a deposit",
    PayType.REGULAR: "a regular payment",
    PayType.FINAL: "a final payment",
    PayType.SERVICE_FEE: "a service fee",
}


def filled_terms(
    template: str,
    *,
    payer: str,
    agency: str,
    title: str,
    segment: Segment,
    amount: Money,
    kind: PayType,
    purpose: str,
) -> str:
    """The exact text that is shown, signed and printed."""
    return fill(
        template,
        {
            "Payer": payer,
            "Supplier": segment.supplier or agency,
            "Amount": amount.format().replace("\u00a0", " "),
            "Type": _TYPES[kind],
            "Purpose": bare_purpose(purpose),
            "Trip": _trip(title, segment),
        },
    )


# What the kind of payment says already is not said again: "as a deposit for Deposit for …".
_SAID_BY_THE_KIND: Final = re.compile(
    r"(?:deposit|regular payment|final payment|payment|service fee) for ", re.IGNORECASE
)


def bare_purpose(purpose: str) -> str:
    """The purpose without the kind of payment before it, as the CRM's terms have it."""
    found = _SAID_BY_THE_KIND.match(purpose)
    return (purpose[found.end() :].strip() or purpose) if found else purpose


def _trip(title: str, segment: Segment) -> str:
    parts = [f"Trip: {title}"]
    if segment.supplier:
        parts.append(f"{segment.supplier}{_dates(segment)}")
    if segment.confirmation:
        parts.append(f"confirmation number {segment.confirmation}")
    return ", ".join(parts) + "."


def _dates(segment: Segment) -> str:
    if segment.begins_on is None:
        return ""
    if segment.ends_on is None or segment.ends_on == segment.begins_on:
        return f", {written_day(segment.begins_on)}"
    return f", {written_day(segment.begins_on)} to {written_day(segment.ends_on)}"
