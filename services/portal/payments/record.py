"""A finished authorization, and everything that is said of it: PDF lines, events, the client's letter."""

from dataclasses import dataclass

from chassis.cards import brand_words
from chassis.ids import new_id
from chassis.sealing import Letter
from chassis.timestamps import stamp
from chassis.web.formatting import day, day_range
from protos.wayvault.events.v1.events_pb2 import DocumentSigned, PaymentAuthorized, PaymentContext
from services.portal.esign.service import TITLE, SignedDocument
from services.portal.links.service import LinkView
from services.portal.payment_request import PaymentRequest
from services.portal.payments.intake import StoredCard
from services.portal.payments.values import BillingAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What a client authorized: the request they saw, the card the vault stored, and what they signed."""

    link: LinkView
    card: StoredCard
    address: BillingAddress
    document: SignedDocument


def request_facts(request: PaymentRequest) -> tuple[tuple[str, str], ...]:
    """The labelled lines of the authorization that are known before it is signed; empty ones are left out."""
    dates = ""
    if request.begins_on is not None:
        dates = day_range(request.begins_on, request.ends_on) if request.ends_on else day(request.begins_on)
    facts = (
        ("Payment", request.type_words),
        ("For", request.purpose),
        ("Standing order", request.plan),
        ("Trip", request.booking_title),
        ("Supplier", request.supplier_name),
        ("Dates", dates),
        ("Agent", request.agent_name),
        ("Client", request.payer_name),
    )
    return tuple((label, text) for label, text in facts if text)


def document_facts(request: PaymentRequest, card: StoredCard, address: BillingAddress) -> tuple[tuple[str, str], ...]:
    """All labelled lines of the signed authorization."""
    facts = (
        ("Card", f"{brand_words(card.brand)} ending in {card.last4}"),
        ("Cardholder", card.cardholder_name),
        ("Billing address", "\n".join(address.lines())),
    )
    return request_facts(request) + tuple((label, text) for label, text in facts if text)


def authorized_event(made: Authorization) -> PaymentAuthorized:
    """PaymentAuthorized, as the CRM and the notifier read it."""
    event = PaymentAuthorized(
        context=PaymentContext.FromString(made.link.context),
        # The CRM knows no link of a payment that the client started themselves.
        link_id="" if made.link.self_service else made.link.link_id,
        self_service=made.link.self_service,
        card_token=made.card.card_token,
        brand=made.card.brand,
        last4=made.card.last4,
        cardholder_name=made.card.cardholder_name,
        billing_address=made.address.to_proto(),
        authorized_at=stamp(made.document.signed_at),
        card_kept_until=stamp(made.card.card_kept_until),
        document_id=made.document.document_id,
    )
    if made.card.cvv_kept_until is not None:
        event.cvv_kept_until.FromDatetime(made.card.cvv_kept_until)
    return event


def signed_event(made: Authorization, sealed_letter: str) -> DocumentSigned:
    """DocumentSigned with the sealed letter for the client; the PDF goes into it when it is printed."""
    document = made.document
    return DocumentSigned(
        document_id=document.document_id,
        context=PaymentContext.FromString(made.link.context),
        title=TITLE,
        signer_name=document.signature.signer_name,
        signature_kind=document.signature.way,
        terms_version=document.terms_version,
        terms_sha256=document.terms_sha256,
        signed_at=stamp(document.signed_at),
        origin=document.origin.to_proto(),
        sealed_mail=sealed_letter,
    )


def copy_letter(made: Authorization, url: str) -> Letter:
    """The letter that brings the client their copy and, in `url`, the way to their payment's state."""
    request = made.link.request
    return Letter(
        letter_id=new_id("ltr"),
        template="signed_copy",
        to=request.payer_email,
        data={
            "url": url,
            "agency_name": request.agency_name,
            "agent_name": request.agent_name,
            "client_first_name": request.payer_first_name,
            "amount": request.amount.format(),
            "supplier": request.supplier_name or request.agency_name,
            "brand": brand_words(made.card.brand),
            "last4": made.card.last4,
            "payment_id": request.payment_id,
            "link_id": made.link.link_id,
        },
        issued_at=made.document.signed_at,
    )
