"""Steps on the way to a signature: the links room collects them, the certificate of the signed PDF lists them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StepKind(StrEnum):
    """What the certificate lists."""

    STARTED = "started"
    LINK_ISSUED = "link_issued"
    LINK_SENT = "link_sent"
    LINK_OPENED = "link_opened"
    SUBMITTED = "submitted"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceStep:
    """A step with its moment (aware UTC) and, where a person did it, from where."""

    kind: StepKind
    at: datetime
    ip: str = ""
    user_agent: str = ""
    detail: str = ""
