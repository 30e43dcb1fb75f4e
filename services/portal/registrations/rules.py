"""Who registers, how often, and what becomes of it. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# How long the mailed link works.
LINK_VALID = timedelta(days=1)
# What was answered is kept for as long as somebody may look at the page that says so.
KEPT_FOR = timedelta(days=1)
# From one address of the network within an hour: a family at its table, not a machine.
REGISTRATIONS_PER_HOUR = 5
# To one e-mail address: nobody's inbox is filled from here.
MAILS_PER_HOUR = 3


class RegistrationState(StrEnum):
    """asked → proven (the address is theirs, the CRM is being told) → one of the CRM's three answers."""

    ASKED = "asked"
    PROVEN = "proven"
    ADMITTED = "admitted"
    # They had an account before; the one they have stays as it is.
    KNOWN = "known"
    # Their agent took their access away.
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrant:
    """Who registers, as typed. `country` is ISO 3166-1 alpha-2 or empty."""

    first_name: str
    last_name: str
    email: str
    phone: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A registration as its page sees it. `username` once there is one."""

    registration_id: str
    agent_id: str
    state: RegistrationState
    username: str
