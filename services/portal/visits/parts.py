"""A visit's parts, from what their own rooms say of them."""

from typing import Final

from services.portal.esign.service import RequestKind, RequestStatus, SignRequest
from services.portal.links.service import LinkStatus, LinkView
from services.portal.visits.rules import Part, PartKind, PartStatus

_OF_LINK: Final = {
    LinkStatus.OPEN: PartStatus.OPEN,
    LinkStatus.SUBMITTED: PartStatus.DONE,
    LinkStatus.EXPIRED: PartStatus.EXPIRED,
    LinkStatus.REVOKED: PartStatus.WITHDRAWN,
}
_OF_REQUEST: Final = {
    RequestStatus.OPEN: PartStatus.OPEN,
    RequestStatus.SIGNED: PartStatus.DONE,
    RequestStatus.EXPIRED: PartStatus.EXPIRED,
    RequestStatus.WITHDRAWN: PartStatus.WITHDRAWN,
}
_FILES: Final = {
    PartKind.INSURANCE: "insurance-answer",
    PartKind.DOCUMENT: "signed-document",
    PartKind.PAYMENT: "credit-card-authorization",
}


def payment_part(link: LinkView) -> Part:
    """A payment to be authorized."""
    request = link.request
    return Part(
        part_id=link.link_id,
        kind=PartKind.PAYMENT,
        title=request.amount.format(),
        detail=request.purpose or request.supplier_name,
        status=_OF_LINK[link.status],
        outcome="Authorized",
        expires_at=link.expires_at,
    )


def document_part(asked: SignRequest) -> Part:
    """A document to be signed, or an insurance offer to be answered."""
    offer = asked.kind is RequestKind.INSURANCE
    return Part(
        part_id=asked.request_id,
        kind=PartKind.INSURANCE if offer else PartKind.DOCUMENT,
        title=asked.title,
        detail=asked.price.format() if asked.price else "",
        status=_OF_REQUEST[asked.status],
        outcome=("Accepted" if asked.accepted else "Declined") if offer else "Signed",
        expires_at=asked.expires_at,
    )


def file_name(number: int, kind: PartKind) -> str:
    """What the copy in the mail is called; each once."""
    return f"{number}-{_FILES[kind]}.pdf"
