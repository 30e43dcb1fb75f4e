"""When an earlier signature signs again (M2): only with the signer's tick, each time, and the paper says so. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

# How a form, an event and the books call this way of signing, beside "drawn" and "typed".
ON_FILE: Final = "on_file"
NOT_AGREED: Final = "Tick the box to sign with your signature on file, or draw or type a new one."
NOT_THERE: Final = "That signature is not on file any more. Please draw or type your signature."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reused:
    """Where a signature that signs once more was first given. `given_at` is aware UTC."""

    document_id: str
    given_at: datetime


def consent_to_reuse(given_on: str) -> str:
    """The words beside the tick, and in the certificate."""
    return f"Sign this with my signature on file of {given_on}. It counts as if I gave it anew."


def words_of_reuse(given_on: str, consented_at: str) -> str:
    """What the new document says of its signature."""
    return f"Signature on file of {given_on}, reused with consent at {consented_at}"
