"""Visits as the CRM asks for them: two documents and a plain offer in the library, and what a form sends (C18)."""

from services.crm.office.visits.service import Visit, VisitRequest
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.esign.service import TemplateData
from services.crm.signing.insurance.service import OfferRequest
from tests.support.crm_paying import CrmHouse, usd


def furnish_library(crm: CrmHouse) -> list[str]:
    """Two documents, whose ids it returns, and an offer whose text every booking can fill."""
    library = crm.deps.signing.library
    offer = library.of_kind(crm.ada, DocumentKind.INSURANCE)
    plain = TemplateData(title=offer.title, body="{PlanName} at {PlanPrice}: yes or no?")
    library.change(crm.ada, offer.id, plain, version=offer.version)
    titles = ("House rules", "Passport checklist")
    return [library.create(crm.maya, TemplateData(title=each, body="{ClientName} agrees.")).id for each in titles]


def everything(crm: CrmHouse, documents: list[str], key: str = "the form's own key") -> VisitRequest:
    """Insurance, documents and a payment."""
    return VisitRequest(
        request_key=key,
        client_id=crm.grace_id,
        document_ids=documents,
        offer=OfferRequest(request_key=key, client_ids=[crm.grace_id], plan="Voyager Care", price=usd(212_00)),
        payment=crm.link_request(key=key),
    )


def asked_for_all(crm: CrmHouse, key: str = "the form's own key") -> Visit:
    """A visit that was just sent."""
    return crm.deps.office.visits.send(crm.maya, crm.booking_id, everything(crm, furnish_library(crm), key))
