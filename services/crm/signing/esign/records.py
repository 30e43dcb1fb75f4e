"""Signing requests as the rest of the CRM sees them: values, read from their rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.crm.core.asked import Kind
from services.crm.core.course import Fact
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
class SignRequest:
    """A request as pages see one."""

    id: str
    agent_id: str
    booking_id: str
    visit_id: str
    booking_title: str
    client_id: str
    signer_name: str
    email: str
    template_id: str
    title: str
    version_label: str
    text: str
    text_sha256: str
    state: RequestState
    issue: int
    delivery_problem: str
    created_at: datetime
    issued_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    opened_at: datetime | None
    signed_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def can_remind(self) -> bool:
        return COURSE.allows(self.state, Fact.REMINDED)

    @property
    def can_withdraw(self) -> bool:
        return COURSE.allows(self.state, Fact.WITHDRAWN)


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
        id=row.id,
        agent_id=row.agent_id,
        booking_id=row.booking_id,
        visit_id=row.visit_id,
        booking_title=row.booking_title,
        client_id=row.client_id,
        signer_name=row.signer_name,
        email=row.email,
        template_id=row.template_id,
        title=row.title,
        version_label=label(row),
        text=row.text,
        text_sha256=row.text_sha256,
        state=RequestState(row.state),
        issue=row.issue,
        delivery_problem=row.delivery_problem,
        created_at=row.created_at,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        opened_at=row.opened_at,
        signed_at=row.signed_at,
        withdrawn_at=row.withdrawn_at,
    )
