"""What counts as a signature, and what a certificate says about it (M2, M13, C8).

US E-SIGN Act, 15 U.S.C. §7006(5): a signature is a symbol or process adopted with the intent to sign. So a
drawn line and a typed name are both good, together with a tick beside words that state the intent.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from chassis.typed.text import clean_line, has_letter
from services.portal.esign.on_file_rules import ON_FILE, Reused

# The words beside the tick. A changed text gets a new version, and old documents keep theirs.
CONSENT_VERSION = "2026-11"
CONSENT_TEXT = (
    "I have read these terms, I am the cardholder or may use this card, I authorize this charge, "
    "and I agree that my electronic signature is as binding as one on paper."
)
DOCUMENT_CONSENT_VERSION = "2026-11"
DOCUMENT_CONSENT_TEXT = (
    "I have read this document and agree to it, I want to sign it electronically, and I agree that my electronic "
    "signature is as binding as one on paper."
)
NAME_LIMIT = 100


class SignatureKind(StrEnum):
    DRAWN = "drawn"
    TYPED = "typed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature as given. `image` is a PNG with black ink on transparent ground, empty when typed.

    `reused`: it was first given elsewhere, and signs once more with the signer's consent.
    """

    kind: SignatureKind
    signer_name: str
    image: bytes = b""
    reused: Reused | None = None

    @property
    def way(self) -> str:
        """How it was given this time: drawn, typed or on_file."""
        return ON_FILE if self.reused is not None else self.kind.value


def text_sha256(text: str) -> str:
    """SHA-256 (hex) of a text's UTF-8 bytes: of the exact terms, as shown and as printed."""
    return hashlib.sha256(text.encode()).hexdigest()


def clean_name(raw: str) -> str:
    """A person's name, in any script, as one line without unseen characters: those that change direction could make a
    printed name read differently."""
    return clean_line(raw)[:NAME_LIMIT].strip()


def is_name(name: str) -> bool:
    """Whether a cleaned text can be a name: it has at least two characters and one of them is a letter."""
    return len(name) >= 2 and has_letter(name)
