"""The closed list of e-mails and the plain rules of how they look. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chassis.web.colour import DEFAULT_ACCENT, accent_for


class Mail(StrEnum):
    """Every e-mail of the system."""

    PAYMENT_LINK = "payment_link"
    LINK_SENT = "link_sent"
    PAYMENT_ALERT = "payment_alert"
    PAYMENT_REPORTED = "payment_reported"
    SIGNED_COPY = "signed_copy"
    REVEAL_CODE = "reveal_code"
    CVV_CODE = "cvv_code"
    CVV_LINK = "cvv_link"
    PAYMENT_PROCESSED = "payment_processed"
    CONFIRM_CHARGE = "confirm_charge"
    PAYMENT_REFUNDED = "payment_refunded"
    REFUND_REQUESTED = "refund_requested"
    REFUND_DECIDED = "refund_decided"
    REFUND_FAILED = "refund_failed"
    VOID_NOTICE = "void_notice"
    STANDING_ORDER = "standing_order"
    STANDING_ORDER_AGENT = "standing_order_agent"
    CARD_LAPSING = "card_lapsing"
    CARD_LAPSED = "card_lapsed"
    APPROVE_CODE = "approve_code"
    SECOND_REVEAL_REQUESTED = "second_reveal_requested"
    SECOND_REVEAL_DECIDED = "second_reveal_decided"
    CVV_REQUEST = "cvv_request"
    CVV_RESUPPLIED = "cvv_resupplied"
    PORTAL_INVITATION = "portal_invitation"
    AGENT_INVITATION = "agent_invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a mail, not a password
    SIGN_IN_LOCKED = "sign_in_locked"
    PORTAL_SIGN_IN_LOCKED = "portal_sign_in_locked"
    REGISTRATION_LINK = "registration_link"
    REGISTRATION_DONE = "registration_done"
    CLIENT_REGISTERED = "client_registered"
    QUOTE_REQUEST = "quote_request"
    QUOTE_RECEIVED = "quote_received"
    ESIGN_REQUEST = "esign_request"
    ESIGN_COPY = "esign_copy"
    ESIGN_SIGNED = "esign_signed"
    INSURANCE_OFFER = "insurance_offer"
    INSURANCE_COPY = "insurance_copy"
    INSURANCE_DECIDED = "insurance_decided"
    ITINERARY = "itinerary"
    VISIT = "visit"
    VISIT_COPY = "visit_copy"
    DOCUMENT_SHARED = "document_shared"
    REMINDER = "reminder"
    REMINDER_TEST = "reminder_test"
    SUPPORT_QUESTION = "support_question"
    SUPPORT_ANSWER = "support_answer"


# By what name the HTML part finds the logo (RFC 2392).
LOGO_ID: Final = "agency-logo@wayvault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A template's outcome."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The agency that a mail speaks for. `logo` is a PNG that goes with the mail; empty = none."""

    name: str
    accent: str = DEFAULT_ACCENT
    phone: str = ""
    email: str = ""
    logo: bytes = b""


def readable_accent(colour: str) -> str:
    """The agency's colour, darkened until white text on it has enough contrast; the default for no colour at all."""
    try:
        return accent_for(colour, dark=False).accent
    except ValueError:
        return DEFAULT_ACCENT


# What names an agent in data, and did in mails that a former version queued.
_NAMES_OF_AGENTS: Final = ("agent_name", "recipient_first_name", "first_name")


def hello_agent(data: Mapping[str, str]) -> str:
    """How every mail to an agent begins: by the whole name, as colleagues know them. Raises KeyError for data without
    one."""
    name = next((data[key] for key in _NAMES_OF_AGENTS if key in data), None)
    if name is None:
        raise KeyError("agent_name")
    return f"Hello {name},"


def sentence(text: str) -> str:
    """What a person typed, as a sentence among others: with a full stop where it ends without one."""
    plain = text.strip()
    return plain if not plain or plain.endswith((".", "!", "?", "…")) else f"{plain}."
