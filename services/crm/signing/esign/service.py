"""The eSignature room's face to other rooms: the library, and what was sent to be signed."""

from services.crm.signing.esign.book import NEWEST, REQUEST_KEYS, RequestBook, RequestFilter, RequestSort
from services.crm.signing.esign.library import Library, Template, TemplateData, Version
from services.crm.signing.esign.records import SignedRequest, SignRequest
from services.crm.signing.esign.requests import FeeRestricted, SendRequest, SignRequests

__all__ = [
    "NEWEST",
    "REQUEST_KEYS",
    "FeeRestricted",
    "Library",
    "RequestBook",
    "RequestFilter",
    "RequestSort",
    "SendRequest",
    "SignRequest",
    "SignRequests",
    "SignedRequest",
    "Template",
    "TemplateData",
    "Version",
]
