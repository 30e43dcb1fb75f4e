"""What the mails show of a payment, formatted for people."""

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.cards import brand_words
from chassis.moments import written_day, written_moment, zone_of
from chassis.money import Money
from chassis.timestamps import moment_of
from chassis.typed.days import day_from
from chassis.typed.names import called
from chassis.web.colour import DEFAULT_ACCENT
from chassis.web.formatting import day_range
from protos.wayvault.events.v1.events_pb2 import Agency, PaymentContext, PaymentType
from services.notifier.templates.rules import Theme

LOCALE: Final = "en_US"
_TYPES: Final = {
    PaymentType.PAYMENT_TYPE_DEPOSIT: "Deposit",
    PaymentType.PAYMENT_TYPE_REGULAR: "Payment",
    PaymentType.PAYMENT_TYPE_FINAL: "Final payment",
    PaymentType.PAYMENT_TYPE_SERVICE_FEE: "Service fee",
}


def day(text: str) -> str:
    """An ISO date as "Sat 21 Nov 2026"; empty stays empty, and what is no day as it came."""
    found = day_from(text)
    return written_day(found) if found else text


def days(first: str, last: str) -> str:
    """Two ISO dates as pages write them, "Sat 21 Nov – Sat 28 Nov 2026"; one alone as a day, none as nothing."""
    begins, ends = day_from(first), day_from(last)
    if begins is None or ends is None:
        return day(first or last)
    return day_range(begins, ends)


def moment(timestamp: Timestamp, zone: str) -> str:
    """A moment as "Sat 21 Nov 2026, 4:30 PM EST" in the reader's zone; UTC where the zone is not known."""
    return written_moment(moment_of(timestamp), zone_of(zone))


def card(brand: str, last4: str) -> str:
    """ "Visa ending in 1111": all that is ever shown of a card in a mail."""
    return f"{brand_words(brand)} ending in {last4}"


def theme(agency: Agency) -> Theme:
    return Theme(
        name=agency.name or "Wayvault",
        accent=agency.accent_colour or DEFAULT_ACCENT,
        phone=agency.phone,
        email=agency.email,
    )


def agency_data(agency: Agency) -> dict[str, str]:
    """What a queued delivery keeps of the agency that it speaks for."""
    return {
        "agency_name": agency.name,
        "agency_accent": agency.accent_colour,
        "agency_phone": agency.phone,
        "agency_email": agency.email,
    }


def payment_facts(context: PaymentContext) -> dict[str, str]:
    """The rows that every mail about a payment shows, and the names of its people."""
    amount = Money(minor=context.amount.minor, currency=context.amount.currency)
    segment = context.segment
    purpose = context.purpose or _TYPES.get(context.type, "Payment")
    return {
        "amount": amount.format(LOCALE),
        "purpose": purpose,
        "supplier": segment.supplier_name or context.agency.name,
        "trip": context.booking_title,
        "dates": days(segment.begins_on, segment.ends_on),
        "due": day(context.due_on),
        # Of a standing order's payments.
        "plan": context.plan,
        "test_mode": "No money moves: the gateway is in test mode" if context.test_mode else "",
        "client_first_name": called(context.payer.first_name, context.payer.last_name),
        "client_name": f"{context.payer.first_name} {context.payer.last_name}".strip(),
        "agent_name": context.agent.name,
        "agent_email": context.agent.email,
        "agent_phone": context.agent.phone,
    }
