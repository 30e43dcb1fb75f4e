"""The eSignature room's face to other rooms: what is signed, and what waits for a signature."""

from chassis.timestamps import stamp
from services.portal.esign.documents import (
    TITLE,
    DocumentEntry,
    Documents,
    DocumentText,
    KnownDocument,
    SignatureMissing,
    SignedDocument,
    read_signature,
)
from services.portal.esign.on_file import SignatureOnFile, SignaturesOnFile
from services.portal.esign.on_file_rules import ON_FILE, consent_to_reuse
from services.portal.esign.printing import Printing
from services.portal.esign.record import agency_of, agent_of, new_document
from services.portal.esign.request_rules import RequestKind, RequestStatus
from services.portal.esign.requests import Answered, Genre, NewRequest, Signing, SignRequest, SignRequests, sender_of
from services.portal.esign.rules import CONSENT_TEXT, CONSENT_VERSION, Signature, clean_name

__all__ = [
    "CONSENT_TEXT",
    "CONSENT_VERSION",
    "ON_FILE",
    "TITLE",
    "Answered",
    "DocumentEntry",
    "DocumentText",
    "Documents",
    "Genre",
    "KnownDocument",
    "NewRequest",
    "Printing",
    "RequestKind",
    "RequestStatus",
    "SignRequest",
    "SignRequests",
    "Signature",
    "SignatureMissing",
    "SignatureOnFile",
    "SignaturesOnFile",
    "SignedDocument",
    "Signing",
    "agency_of",
    "agent_of",
    "clean_name",
    "consent_to_reuse",
    "new_document",
    "read_signature",
    "sender_of",
    "stamp",
]
