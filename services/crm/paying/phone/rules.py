"""How a phone payment ends, what the agent reads of it, and what an agency may set. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chassis.tags import fill, slips, slips_message
from services.crm.core.ports.charging import ChargeState


class Result(StrEnum):
    """The masker's words, and LOST: the masker went away and took the session with it."""

    STORED = "stored"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    HUNG_UP = "hung_up"
    HELD = "held"
    TRANSFERRED = "transferred"
    REFUSED = "refused"
    PIN_EXPIRED = "pin_expired"
    LOST = "lost"


RESULT_WORDS: Final = {
    Result.STORED: "Card stored",
    Result.CANCELLED: "Cancelled",
    Result.TIMED_OUT: "Timed out",
    Result.HUNG_UP: "Call ended",
    Result.HELD: "Call put on hold",
    Result.TRANSFERRED: "Call handed on",
    Result.REFUSED: "PIN refused",
    Result.PIN_EXPIRED: "PIN not keyed in time",
    Result.LOST: "Interrupted",
}


class Verdict(StrEnum):
    """What is right for a card that the vault took though the CRM never wrote down that it did."""

    COMPLETE = "complete"
    REMOVE = "remove"


def verdict(*, pressed: bool, result: Result | None, waits: bool) -> Verdict:
    """The card counts when it was authorized: the client agreed and keyed it, the agent pressed *Store card*
    (`pressed`), nobody ended the session otherwise or was told that nothing is stored, and the payment still `waits`.
    """
    unended = result is None or result in (Result.LOST, Result.STORED)
    return Verdict.COMPLETE if pressed and unended and waits else Verdict.REMOVE


# What became of the charge at the agency's own gateway, in the report (T5).
CHARGE_WORDS: Final = {
    ChargeState.INTENT: "Being found out",
    ChargeState.ASKING: "Being found out",
    ChargeState.NEEDS_CLIENT: "Waits for the client",
    ChargeState.SUCCEEDED: "Charged",
    ChargeState.DECLINED: "Declined",
    ChargeState.FAILED: "Not charged",
    ChargeState.VOIDED: "Given up",
}


class Field(StrEnum):
    """What the client keys."""

    NUMBER = "number"
    EXPIRY = "expiry"
    CVV = "cvv"


FIELD_WORDS: Final = {Field.NUMBER: "Card number", Field.EXPIRY: "Expiry, MMYY", Field.CVV: "Security code"}

# Why a field was not taken, by the masker's word.
REFUSAL_WORDS: Final = {
    "nothing_keyed": "Nothing was keyed.",
    "too_short": "Too short. Ask the client to key it again.",
    "too_long": "Too long. Ask the client to key it again.",
    "not_a_card": "This is not a card number. Ask the client to key it again.",
    "not_a_date": "This is not a date. The client keys month and year, such as 0 9 2 7.",
    "expired": "This card has expired. Ask for another card.",
    "timed_out": "No key came for too long. Ask the client to key it again.",
}

# What does not answer while a session goes on, by the masker's word.
SILENT_WORDS: Final = {
    "exchange": "The telephone exchange does not answer. You can talk on and take the card; that somebody hangs up may "
    "be noticed late, and no new call comes in.",
    "vault": "The vault does not answer. What was keyed stays; the card can be stored once it answers again.",
}

SCRIPT_TAGS: Final = frozenset({"ClientName", "AgencyName", "AgentName", "Amount", "Supplier", "Purpose"})
LONGEST_SCRIPT: Final = 3000
FIRST_SCRIPT: Final = """\
{ClientName}, I will now take your card for {Amount}, for {Purpose} with {Supplier}. Please don't say the number aloud.

I ask you to key it on your telephone. I hear one flat tone for each key and see only how many you have pressed; \
neither I nor a recording of this call can tell the digits.

{AgencyName} keeps the card encrypted until the charge is made, and then destroys it. You get the authorization by \
e-mail to sign. Do you agree?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The agency's flow (T8): order of the fields, script, seconds until a field, an idle session, any session ends."""

    order: tuple[Field, ...] = (Field.NUMBER, Field.EXPIRY, Field.CVV)
    script: str = FIRST_SCRIPT
    field_seconds: int = 45
    idle_seconds: int = 180
    total_seconds: int = 900

    def asks(self, *, keeps_cvv: bool) -> tuple[Field, ...]:
        """The fields in order; no CVV where the agency's policy keeps none."""
        return tuple(field for field in self.order if keeps_cvv or field is not Field.CVV)


def script_problem(text: str) -> str:
    """What is wrong with a script in words; empty when nothing is."""
    return slips_message(slips(text, SCRIPT_TAGS), sorted(SCRIPT_TAGS))


def read_out(script: str, values: dict[str, str]) -> list[str]:
    """The script's paragraphs, filled, as the agent reads them to the client."""
    return [part for part in fill(script, values).replace("\r", "").split("\n\n") if part.strip()]
