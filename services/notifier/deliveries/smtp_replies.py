"""What a mail server's reply means for a mail, and in words for the agent. Pure.

The first digit decides (RFC 5321 §4.2.1): 5 is for good, 4 (and what makes no sense) may pass. Why, the enhanced
status code says where there is one (RFC 3463, RFC 5248), else the code itself; the server's own words are for its
operator, and strangers': they go nowhere.
"""

import re
from enum import StrEnum
from typing import Final

from services.notifier.deliveries.rules import Deferred, Outcome, Refused

# "5.2.2", and nothing longer: an IP address has four numbers.
_ENHANCED: Final = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_NO_MAILBOX: Final = "The address has no mailbox."
_NO_MAIL_THERE: Final = "The domain behind the @ takes no mail, or does not exist."
_ODD_ADDRESS: Final = "The mail server does not take an address that is written like this."
_MOVED: Final = "The mailbox has moved elsewhere."
_OFF: Final = "The mailbox is switched off."
_FULL: Final = "The mailbox is full."
_TOO_LARGE: Final = "The e-mail is larger than the mail server takes."
_UNREACHABLE: Final = "The recipient's mail server can't be reached."
_RULES: Final = "The mail server's rules keep this e-mail out."
_LATER: Final = "The mail server asks to try again later."


class Step(StrEnum):
    """What was said to the server, with the words for a refusal that gives no reason."""

    SENDER = "The mail server does not take mail from this agency's address."
    RECIPIENT = "The recipient's mail server did not take this address."
    MESSAGE = "The mail server did not take the message."


# By subject and detail of the enhanced code.
_REASONS: Final = {
    "1.0": _ODD_ADDRESS,
    "1.1": _NO_MAILBOX,
    "1.2": _NO_MAIL_THERE,
    "1.3": _ODD_ADDRESS,
    "1.6": _MOVED,
    "1.10": _NO_MAIL_THERE,
    "2.1": _OFF,
    "2.2": _FULL,
    "2.3": _TOO_LARGE,
    "3.4": _TOO_LARGE,
    "4.1": _UNREACHABLE,
    "4.3": _UNREACHABLE,
    "4.4": _UNREACHABLE,
    "4.7": _UNREACHABLE,
    "7.1": _RULES,
}
# By the code alone, where it says enough (RFC 5321 §4.2.3, RFC 7504).
_PLAIN_REASONS: Final = {
    (Step.SENDER, 552): _TOO_LARGE,
    (Step.RECIPIENT, 551): _MOVED,
    (Step.RECIPIENT, 552): _FULL,
    (Step.RECIPIENT, 556): _NO_MAIL_THERE,
}
# Of what may pass, other reasons: a server that puts strangers off at first says "4.2.1" or "4.7.1" for it.
_PASSING: Final = {"2.1": _LATER, "7.0": _LATER, "7.1": _LATER}


def outcome_of(step: Step, code: int, said: bytes) -> Outcome:
    """What a reply other than yes comes to. 421 (closing) and 530 to 538 (sign-in wanted, RFC 4954 §6) are between the
    two servers and never the address."""
    enhanced = _enhanced(code, said)
    if not 400 <= code < 600:
        return Deferred(reason=f"{step.value} What it answered makes no sense.")
    words = _words(step, code, enhanced)
    answer = f"{code} {enhanced}".rstrip()
    if code >= 500 and not 530 <= code <= 538:
        return Refused(reason=f"{words} The server answered {answer}, which is final.")
    return Deferred(reason=f"{words} The server answered {answer}.")


def _words(step: Step, code: int, enhanced: str) -> str:
    if code == 421 or 530 <= code <= 538:
        return step.value
    detail = enhanced.partition(".")[2]
    of_address = detail.startswith("1.")
    # 1.7 and 1.8 are the sender's address, and at MAIL nothing has been said of another.
    if of_address and step is Step.SENDER:
        return step.value
    if code < 500 and detail in _PASSING:
        return _PASSING[detail]
    return _REASONS.get(detail, _PLAIN_REASONS.get((step, code), step.value))


def _enhanced(code: int, said: bytes) -> str:
    """The enhanced status code at the reply's beginning; "" where there is none, or one of another class than the
    code's own (RFC 2034 §4: both begin with the same digit)."""
    found = _ENHANCED.match(said.strip())
    enhanced = found.group(1).decode("ascii") if found else ""
    return enhanced if enhanced.startswith(str(code // 100)) else ""
