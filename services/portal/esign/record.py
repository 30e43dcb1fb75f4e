"""The genre of documents (C8): what the PDF says of one, and what is told of it."""

from datetime import datetime

from chassis.ids import new_id
from chassis.sealing import Letter, LetterSealer
from chassis.timestamps import moment_of, stamp
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, EsignOpened, EsignRequested, EsignSigned
from services.portal.agents.rules import AgentView
from services.portal.esign.documents import DocumentText, SignedDocument
from services.portal.esign.request_rules import RequestKind
from services.portal.esign.requests import Genre, NewRequest, Signing, SignRequest
from services.portal.esign.rules import DOCUMENT_CONSENT_TEXT, DOCUMENT_CONSENT_VERSION


def document_genre(letters: LetterSealer) -> Genre:
    """Documents are signed at /sign; the signer's copy goes out in a letter that also leads back there."""

    def signed(request: SignRequest, document: SignedDocument, signing: Signing, url: str) -> EsignSigned:
        return EsignSigned(
            request_id=request.request_id,
            document_id=document.document_id,
            signer_name=document.signature.signer_name,
            signature_kind=document.signature.way,
            text_sha256=document.terms_sha256,
            signed_at=stamp(document.signed_at),
            origin=signing.origin.to_proto(),
            sealed_mail=letters.seal(_copy_letter(request, document, url)),
            agency=agency_of(request.agent),
            agent=agent_of(request.agent),
            signer=request.signer,
            title=request.title,
            booking_id=request.booking_id,
        )

    return Genre(path="sign", text=_text, opened=_opened, signed=signed)


def agent_of(sender: AgentView) -> Agent:
    """The agent who asked, as events carry one."""
    return Agent(
        id=sender.agent_id, name=sender.name, email=sender.email, phone=sender.phone, time_zone=sender.time_zone
    )


def agency_of(sender: AgentView) -> Agency:
    """The agency that asked, as events carry one."""
    return Agency(
        id=sender.agency_id,
        name=sender.agency_name,
        accent_colour=sender.accent,
        phone=sender.agency_phone,
        email=sender.agency_email,
        time_zone=sender.time_zone,
        paper=sender.paper,
    )


def _text(request: SignRequest, _: bool | None) -> DocumentText:
    facts = (("Trip", request.booking_title), ("Agent", request.agent.name), ("Client", request.signer_name))
    return DocumentText(
        title=request.title,
        head=request.agent.letterhead,
        time_zone=request.agent.time_zone,
        facts=tuple((label, text) for label, text in facts if text),
        terms_text=request.text,
        terms_version=request.text_version,
        consent_text=DOCUMENT_CONSENT_TEXT,
        consent_version=DOCUMENT_CONSENT_VERSION,
        signer_email=request.signer.email,
        calls_itself="document",
        signed_words="Document signed",
    )


def _opened(request: SignRequest, at: datetime) -> EsignOpened:
    return EsignOpened(request_id=request.request_id, at=stamp(at))


def _copy_letter(request: SignRequest, document: SignedDocument, url: str) -> Letter:
    return Letter(
        letter_id=new_id("ltr"),
        template="esign_copy",
        to=request.signer.email,
        data={"url": url},
        issued_at=document.signed_at,
    )


def new_document(message: EsignRequested, at: datetime) -> NewRequest:
    """A document to be signed, as the CRM tells of one at `at`."""
    return NewRequest(
        request_id=message.request_id,
        kind=RequestKind.DOCUMENT,
        booking_id=message.booking_id,
        booking_title=message.booking_title,
        agency=message.agency,
        agent=message.agent,
        signer=message.signer,
        title=message.title,
        text=message.text,
        text_sha256=message.text_sha256,
        text_version=message.template_version,
        token_sha256=message.token_sha256,
        issue=message.issue,
        issued_at=at,
        expires_at=moment_of(message.expires_at),
    )
