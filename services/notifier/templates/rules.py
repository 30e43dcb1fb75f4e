"""The closed list of e-mails and the plain rules of how they look. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEFAULT_ACCENT: Final = "#0f5b61"
# Contrast that WCAG 2.2 AA asks for text (1.4.3).
MIN_CONTRAST: Final = 4.5


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
    VOID_NOTICE = "void_notice"
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
    QUOTE_REQUEST = "quote_request"
    QUOTE_RECEIVED = "quote_received"
    ESIGN_REQUEST = "esign_request"
    ESIGN_COPY = "esign_copy"
    ESIGN_SIGNED = "esign_signed"
    INSURANCE_OFFER = "insurance_offer"
    INSURANCE_COPY = "insurance_copy"
    INSURANCE_DECIDED = "insurance_decided"
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
    match = re.fullmatch(r"#([0-9a-fA-F]{6})", colour)
    if not match:
        return DEFAULT_ACCENT
    channels = [int(match.group(1)[start : start + 2], 16) for start in (0, 2, 4)]
    while 1.05 / (_luminance(channels) + 0.05) < MIN_CONTRAST:
        channels = [int(channel * 0.94) for channel in channels]
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _luminance(channels: list[int]) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in channels)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
