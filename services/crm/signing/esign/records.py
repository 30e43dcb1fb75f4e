"""Signing requests as the rest of the CRM sees them: values, read from their rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.crm.core.asked import Kind
from services.crm.core.together import AskedPart
from services.crm.signing.esign.models import SignRequestRow
from services.crm.signing.esign.rules import COURSE, RequestState

KIND: Final = Kind(
    row=SignRequestRow,
    state=RequestState,
    course=COURSE,
    unknown="There is no such document among yours.",
    not_yours="Only the agent who owns this booking can act on its documents.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest(AskedPart[RequestState]):
    """A request as pages see one."""

    course = COURSE

    booking_title: str
    signer_name: str
    template_id: str
    title: str
    version_label: str
    text: str
    text_sha256: str
    opened_at: datetime | None
    signed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """What is known of a signed PDF without its bytes."""

    id: str
    signer_name: str
    signature_kind: str
    signed_at: datetime
    ip: str
    pdf_sha256: str


def label(row: SignRequestRow) -> str:
    """What certificates call the text: "Terms and conditions v3"."""
    return f"{row.title[:50]} v{row.template_number}"


def view(row: SignRequestRow) -> SignRequest:
    """The request as a value."""
    return SignRequest(
        **KIND.seen(row),
        visit_id=row.visit_id,
        booking_title=row.booking_title,
        signer_name=row.signer_name,
        template_id=row.template_id,
        title=row.title,
        version_label=label(row),
        text=row.text,
        text_sha256=row.text_sha256,
        opened_at=row.opened_at,
        signed_at=row.signed_at,
    )
