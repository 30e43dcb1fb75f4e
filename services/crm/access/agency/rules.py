"""What an agency and an agent are, and the bounds of an agency's policies."""

import re
import zoneinfo
from dataclasses import dataclass

from chassis.paper.letterhead import Letterhead, letterhead_of
from chassis.typed.emails import clean_address
from services.crm.core.actor import Role

# M11: days a card may live, hours a CVV may live (0 = never stored); the vault enforces the same bounds.
CARD_DAYS = range(1, 181)
CVV_HOURS = range(73)
# G2: from 0, where every refund needs a second person, to more than anybody refunds.
REFUND_LIMITS = range(1_000_001)
# G3: how many days before each charge of a standing order both sides are told; 0: they are not.
NOTICE_DAYS = range(15)
DEFAULT_NOTICE_DAYS = 3
DEFAULT_CARD_DAYS = 30
DEFAULT_CVV_HOURS = 72
# Read once: finding them walks through a folder of files.
TIME_ZONES = frozenset(zoneinfo.available_timezones())

# Empty: as is usual in the time zone.
PAPERS = frozenset({"", "us-letter", "a4"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyData:
    """What an admin sets for an agency. `accent_colour` is "#rrggbb", or empty for Wayvault's teal."""

    name: str
    accent_colour: str = ""
    phone: str = ""
    email: str = ""
    time_zone: str = "America/New_York"
    # What PDFs are made for: us-letter or a4; empty = as is usual in the time zone.
    paper: str = ""
    card_retention_days: int = DEFAULT_CARD_DAYS
    cvv_retention_hours: int = DEFAULT_CVV_HOURS
    # M9: whether another person may approve that a card is shown once more. The vault has a say of its own.
    second_reveal: bool = False
    # G2: what may be given back of one charge, in whole units of its currency, without another admin; None = anything.
    refund_limit: int | None = None
    # G1: whether who charges a card shows first, with a fresh code, that they are at the keyboard.
    charge_code: bool = False
    # G3: of standing orders that are proposed from now on; in a signed one stands what was signed.
    notice_days: int = DEFAULT_NOTICE_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyDetail:
    """An agency. `logo_sha256` is empty where it has no logo."""

    id: str
    data: AgencyData
    version: int
    logo_sha256: str = ""

    @property
    def name(self) -> str:
        return self.data.name

    @property
    def letterhead(self) -> Letterhead:
        """The agency's paper."""
        return letterhead_of(
            name=self.data.name,
            phone=self.data.phone,
            email=self.data.email,
            accent=self.data.accent_colour,
            paper=self.data.paper,
            time_zone=self.data.time_zone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentData:
    """What an admin enters about an agent. `time_zone` is an IANA name."""

    name: str
    email: str
    phone: str = ""
    time_zone: str = "America/New_York"
    role: Role = Role.AGENT
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDetail:
    """An agent. `page_name` is the end of their public page's address."""

    id: str
    agency_id: str
    data: AgentData
    version: int
    page_name: str

    @property
    def name(self) -> str:
        return self.data.name

    @property
    def email(self) -> str:
        return self.data.email


def email_key(email: str) -> str:
    """The form in which two spellings of one address are the same."""
    return clean_address(email).casefold()


def agency_errors(data: AgencyData) -> dict[str, str]:
    """What is wrong: field name → text for the person."""
    errors: dict[str, str] = {}
    if data.accent_colour and not re.fullmatch(r"#[0-9a-fA-F]{6}", data.accent_colour):
        errors["accent_colour"] = "Write a colour as # and six digits, such as #0f766e, or leave it empty."
    if data.card_retention_days not in CARD_DAYS:
        errors["card_retention_days"] = "A card may be kept from 1 to 180 days."
    if data.cvv_retention_hours not in CVV_HOURS:
        errors["cvv_retention_hours"] = "A CVV may be kept for at most 72 hours; 0 means it is never stored."
    if data.refund_limit is not None and data.refund_limit not in REFUND_LIMITS:
        errors["refund_limit"] = "Enter a whole amount from 0 to 1,000,000, or leave it empty."
    if data.notice_days not in NOTICE_DAYS:
        errors["notice_days"] = "Enter a number of days from 0 to 14; 0 means that nobody is told ahead."
    if data.paper not in PAPERS:
        errors["paper"] = "Choose a paper from the list."
    if not is_time_zone(data.time_zone):
        errors["time_zone"] = "Choose a time zone from the list."
    return errors


def is_time_zone(name: str) -> bool:
    """Whether the name is an IANA time zone that this machine knows."""
    return name in TIME_ZONES
