"""The office's own acts, in words. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Act(StrEnum):
    """What is noted of the office's work: whatever changes who may come in, the house's rules, and
    whose word let money go back."""

    SIGNED_IN = "signed_in"
    AGENCY_CHANGED = "agency_changed"
    LOGO_CHANGED = "logo_changed"
    AGENT_ADDED = "agent_added"
    AGENT_CHANGED = "agent_changed"
    AGENT_INVITED = "agent_invited"
    PROFILE_CHANGED = "profile_changed"
    PUBLIC_PAGE_CHANGED = "public_page_changed"
    CALENDAR_ADDRESS_MADE = "calendar_address_made"
    CALENDAR_ADDRESS_ENDED = "calendar_address_ended"
    AUTHENTICATOR_RESET = "authenticator_reset"
    TRAIL_EXPORTED = "trail_exported"
    DISPUTE_PACK_MADE = "dispute_pack_made"
    REFUND_APPROVED = "refund_approved"
    REFUND_REFUSED = "refund_refused"
    GATEWAY_KEYS_ENTERED = "gateway_keys_entered"


ACT_WORDS: dict[Act, str] = {
    Act.SIGNED_IN: "Signed in",
    Act.AGENCY_CHANGED: "Agency and policies changed",
    Act.LOGO_CHANGED: "Logo changed",
    Act.AGENT_ADDED: "Agent added",
    Act.AGENT_CHANGED: "Agent changed",
    Act.AGENT_INVITED: "Invitation made",
    Act.PROFILE_CHANGED: "Own profile changed",
    Act.PUBLIC_PAGE_CHANGED: "Own public page changed",
    Act.CALENDAR_ADDRESS_MADE: "Address of the own calendar made",
    Act.CALENDAR_ADDRESS_ENDED: "Address of the own calendar ended",
    Act.AUTHENTICATOR_RESET: "Authenticator reset",
    Act.TRAIL_EXPORTED: "Trail downloaded",
    Act.DISPUTE_PACK_MADE: "Dispute pack made",
    Act.REFUND_APPROVED: "Refund approved",
    Act.REFUND_REFUSED: "Refund refused",
    Act.GATEWAY_KEYS_ENTERED: "Keys of the payment gateway entered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One act: who, what, about whom or what, from where."""

    at: datetime
    act: Act
    who: str
    about: str
    ip: str
    device: str

    @property
    def what(self) -> str:
        return ACT_WORDS[self.act]
