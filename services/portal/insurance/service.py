"""The genre of insurance offers (C7): what the PDF says of an answer, and what is told of it."""

from datetime import datetime

from chassis.money import Money
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import InsuranceDecided, InsuranceOffered
from services.portal.esign.service import (
    DocumentText,
    Genre,
    NewRequest,
    RequestKind,
    SignedDocument,
    Signing,
    SignRequest,
    agency_of,
    agent_of,
    stamp,
)
from services.portal.insurance.rules import ANSWER_CONSENT_TEXT, ANSWER_CONSENT_VERSION, answer_words

__all__ = ["insurance_genre", "new_offer"]


def insurance_genre() -> Genre:
    """Offers are answered at /insurance. Nobody is told of an opening: only the answer counts."""
    return Genre(path="insurance", text=_text, opened=None, signed=_signed)


def _text(request: SignRequest, accepted: bool | None) -> DocumentText:
    if accepted is None:
        raise ValueError("an insurance offer is signed with an answer")
    facts = (
        ("Plan", request.title),
        ("Price", request.price.format() if request.price else ""),
        ("Trip", request.booking_title),
        ("Agent", request.agent.name),
        ("Passenger", request.signer_name),
    )
    return DocumentText(
        title="Travel insurance",
        head=request.agent.letterhead,
        time_zone=request.agent.time_zone,
        facts=tuple((label, text) for label, text in facts if text),
        headline=answer_words(accepted),
        terms_text=request.text,
        terms_version=request.text_version,
        consent_text=ANSWER_CONSENT_TEXT,
        consent_version=ANSWER_CONSENT_VERSION,
        signer_email=request.signer.email,
        calls_itself="answer",
        signed_words=f"{answer_words(accepted)} and signed",
    )


def _signed(request: SignRequest, document: SignedDocument, signing: Signing, _: str) -> InsuranceDecided:
    return InsuranceDecided(
        offer_id=request.request_id,
        accepted=bool(signing.accepted),
        signer_name=document.signature.signer_name,
        signature_kind=document.signature.way,
        text_sha256=document.terms_sha256,
        at=stamp(document.signed_at),
        origin=signing.origin.to_proto(),
        agency=agency_of(request.agent),
        agent=agent_of(request.agent),
        passenger=request.signer,
        booking_id=request.booking_id,
        plan=request.title,
        document_id=document.document_id,
    )


def new_offer(message: InsuranceOffered, at: datetime) -> NewRequest:
    """An offer to be answered, as the CRM tells of one at `at`."""
    return NewRequest(
        request_id=message.offer_id,
        kind=RequestKind.INSURANCE,
        booking_id=message.booking_id,
        booking_title=message.booking_title,
        agency=message.agency,
        agent=message.agent,
        signer=message.passenger,
        title=message.plan,
        text=message.text,
        text_sha256=message.text_sha256,
        text_version=message.template_version,
        token_sha256=message.token_sha256,
        price=Money(minor=message.price.minor, currency=message.price.currency),
        issue=message.issue,
        issued_at=at,
        expires_at=moment_of(message.expires_at),
    )
