"""A payment request as the client sees it: agency, agent, trip, amount, purpose. Read from the CRM's snapshot."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from chassis.money import Money
from chassis.typed.days import day_from
from chassis.typed.names import called
from chassis.web.colour import DEFAULT_ACCENT, parse_hex
from protos.wayvault.events.v1.events_pb2 import PaymentContext, PaymentType
from services.portal.house import House

TYPE_WORDS: dict[int, str] = {
    PaymentType.PAYMENT_TYPE_UNSPECIFIED: "Payment",
    PaymentType.PAYMENT_TYPE_DEPOSIT: "Deposit",
    PaymentType.PAYMENT_TYPE_REGULAR: "Payment",
    PaymentType.PAYMENT_TYPE_FINAL: "Final payment",
    PaymentType.PAYMENT_TYPE_SERVICE_FEE: "Service fee",
}
_missing = set(PaymentType.values()) - set(TYPE_WORDS)
if _missing:
    raise ImportError(f"services.portal.payment_request has no words for the payment types {sorted(_missing)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest(House):
    """What is asked of the client. Texts may be empty where the CRM had none; dates are the supplier's days."""

    payment_id: str
    booking_id: str
    segment_id: str
    agent_id: str
    agent_name: str
    agent_email: str
    agent_phone: str
    payer_first_name: str
    payer_name: str
    payer_email: str
    booking_title: str
    supplier_name: str
    segment_text: str
    begins_on: date | None
    ends_on: date | None
    amount: Money
    type_words: str
    is_fee: bool
    purpose: str
    # Of a standing order: what is charged when, in words; else empty.
    plan: str
    due_on: date | None
    # Of a standing order: the agency's gateway is in its test mode, and no money moves.
    test_mode: bool
    card_retention_days: int
    cvv_retention_hours: int

    @property
    def contact_phone(self) -> str:
        """The agent's number, else the agency's."""
        return self.agent_phone or self.agency_phone

    @property
    def contact_email(self) -> str:
        """The agent's address, else the agency's."""
        return self.agent_email or self.agency_email


def read_context(context: PaymentContext) -> PaymentRequest:
    """The request in a snapshot. What the CRM left out or garbled becomes empty, never an error: the client
    must be able to pay even when a date is odd."""
    agency, agent, payer, segment = context.agency, context.agent, context.payer, context.segment
    return PaymentRequest(
        payment_id=context.payment_id,
        booking_id=context.booking_id,
        segment_id=segment.id,
        agency_id=agency.id,
        agency_name=agency.name,
        accent=readable_accent(agency.accent_colour),
        agency_phone=agency.phone,
        agency_email=agency.email,
        time_zone=_zone(agency.time_zone or agent.time_zone),
        paper=agency.paper,
        agent_id=agent.id,
        agent_name=agent.name,
        agent_email=agent.email,
        agent_phone=agent.phone,
        payer_first_name=called(payer.first_name, payer.last_name),
        payer_name=f"{payer.first_name} {payer.last_name}".strip(),
        payer_email=payer.email,
        booking_title=context.booking_title,
        supplier_name=segment.supplier_name,
        segment_text=segment.description,
        begins_on=day_from(segment.begins_on),
        ends_on=day_from(segment.ends_on),
        amount=Money(minor=context.amount.minor, currency=context.amount.currency or "USD"),
        type_words=TYPE_WORDS.get(context.type, "Payment"),
        is_fee=context.type == PaymentType.PAYMENT_TYPE_SERVICE_FEE,
        purpose=context.purpose,
        plan=context.plan,
        due_on=day_from(context.due_on),
        test_mode=context.test_mode,
        card_retention_days=context.policy.card_retention_days or 30,
        cvv_retention_hours=context.policy.cvv_retention_hours,
    )


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name or "UTC").key
    except (ValueError, KeyError, OSError):  # not found, no zone's name at all, a folder's name
        return "UTC"


def readable_accent(colour: str) -> str:
    """The agency's colour as it wrote it; Wayvault's for what is no colour."""
    try:
        parse_hex(colour)
    except ValueError:
        return DEFAULT_ACCENT
    return colour if colour.startswith("#") else f"#{colour}"
