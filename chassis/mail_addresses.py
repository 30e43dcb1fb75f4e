"""E-mail addresses: which ones mail can be sent to, and how they go over the wire."""

import re
import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from chassis.typed.text import describe

# RFC 5321 4.5.3.1.1.
_LONGEST_LOCAL_PART: Final = 64
EXAMPLE: Final = "Enter an e-mail address such as name@example.com."


class AddressRefused(ValueError):
    """No mail can be sent there; the text says why, to whoever typed it."""


def wire_address(address: str) -> str:
    """The address as mail servers take it: an international domain as IDNA (RFC 5891).

    Raises AddressRefused for anything but one plain mailbox, and for a local part beyond ASCII: that needs SMTPUTF8
    (RFC 6531) of every server on the way, which many lack. A local part that reads as an encoded word (RFC 2047 §2) is
    valid by RFC 5322; nobody honest has one.
    """
    if "=?" in address:
        raise AddressRefused(EXAMPLE)
    try:
        checked = validate_email(address, check_deliverability=False, test_environment=True, allow_quoted_local=False)
    except EmailNotValidError as error:
        raise AddressRefused(_why(address)) from error
    if len(checked.ascii_domain.rpartition(".")[2]) < 2:  # no such top-level domain: "example.c" was cut off
        raise AddressRefused(EXAMPLE)
    if len(checked.local_part) > _LONGEST_LOCAL_PART:
        raise AddressRefused(f"Before the @ an address has at most {_LONGEST_LOCAL_PART} characters. {EXAMPLE}")
    if checked.ascii_email is None:
        odd = next(char for char in checked.local_part if not char.isascii())
        raise AddressRefused(
            f"Many mail servers can't take “{odd}” before the @. Enter an address with the letters a to z there."
        )
    return checked.ascii_email


def _why(address: str) -> str:
    """Names what can't stand in an address; two addresses are told as such."""
    if address.count("@") > 1:
        return f"Enter one address only. {EXAMPLE}"
    name, _, domain = address.rpartition("@")
    for part, allowed, where in (
        (name, r"[^\w.!#$%&'*+/=?^`{|}~\-]", "before"),
        (domain, r"[^\w.\-]|_", "behind"),
    ):
        # Vowels and accents that stand above or below a letter belong to it.
        odd = next((char for char in re.findall(allowed, part) if unicodedata.category(char)[0] != "M"), "")
        if name and odd:
            return f"An e-mail address can't have {describe(odd)} {where} the @. {EXAMPLE}"
    return EXAMPLE
