"""What an agent's entry holds, and what an address shows of itself. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

MAX_ADDRESS = 254
MAX_NAME = 120
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{1,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An enrolled agent. One-time codes go to `email` and nowhere else. `approver`: of second reveals (M9)."""

    agent_id: str
    agency_id: str
    display_name: str
    email: str
    approver: bool
    enrolled_at: datetime


def is_address(text: str) -> bool:
    """Whether codes may be mailed there: one plain ASCII address (RFC 5322 dot-atom), no comments, quotes or breaks."""
    local = text.partition("@")[0]
    return (
        len(text) <= MAX_ADDRESS
        and _ADDRESS.fullmatch(text) is not None
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in text
    )


def mask_address(address: str) -> str:
    """The address as a hint: "m***@harbour.example". Shows neither the local part's length nor its end."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"
