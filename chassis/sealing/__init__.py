"""Sealed card traffic and letters."""

from chassis.sealing.jose import (
    OpeningKey,
    RecipientKey,
    SealError,
    open_sealed,
    open_signed,
    read_opening_key,
    read_recipient_key,
    seal_to,
    sealed_kid,
    sign,
)
from chassis.sealing.letters import Letter, LetterExpired, LetterReader, LetterSealer, LetterWriter, OpenedLetter
from chassis.sealing.link_letters import LinkLetter, link_letter

__all__ = [
    "Letter",
    "LetterExpired",
    "LetterReader",
    "LetterSealer",
    "LetterWriter",
    "LinkLetter",
    "OpenedLetter",
    "OpeningKey",
    "RecipientKey",
    "SealError",
    "link_letter",
    "open_sealed",
    "open_signed",
    "read_opening_key",
    "read_recipient_key",
    "seal_to",
    "sealed_kid",
    "sign",
]
