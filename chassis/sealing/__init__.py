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

__all__ = [
    "Letter",
    "LetterExpired",
    "LetterReader",
    "LetterSealer",
    "LetterWriter",
    "OpenedLetter",
    "OpeningKey",
    "RecipientKey",
    "SealError",
    "open_sealed",
    "open_signed",
    "read_opening_key",
    "read_recipient_key",
    "seal_to",
    "sealed_kid",
    "sign",
]
