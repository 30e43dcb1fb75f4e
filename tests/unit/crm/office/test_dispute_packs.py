"""One file for the bank when a client disputes a payment (C19)."""

import io
from hashlib import sha256

import pikepdf
import pytest
from pypdf import PdfReader

from chassis.errors import NotFound, Unavailable
from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin as WireOrigin
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent, EsignSigned
from services.crm.access.activity.service import Act, ActivityFilter
from services.crm.core.actor import Actor
from services.crm.paying.payments.service import Payment
from services.crm.signing.esign.rules import DocumentKind
from tests.support.crm_paying import ORIGIN, CrmHouse
from tests.support.office_files import pdf

CLIENT = "grace@client.example"
TERMS = "Cancelled within 30 days the whole price is lost."


def made(crm: CrmHouse, payment_id: str, actor: Actor | None = None) -> bytes:
    return crm.deps.office.dispute_packs.make(actor or crm.maya, payment_id)


def payment_of(crm: CrmHouse, payment_id: str) -> Payment:
    return crm.deps.paying.book.get(crm.maya, payment_id)


def words(content: bytes) -> str:
    """All text, with the spaces that a line's end or a fixed space make, as one."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def signed_terms(crm: CrmHouse, client_id: str, key: str) -> bytes:
    """Terms that a passenger of the booking signed. Returns the signed PDF."""
    request = crm.deps.signing.requests.ask_for(
        crm.maya, crm.booking_id, client_id, kind=DocumentKind.TERMS, title="Terms", text=TERMS, request_key=key
    )
    content = pdf(f"{TERMS} {key}")
    crm.hear(
        EsignSigned(
            request_id=request.id,
            document_id=new_id("doc"),
            signer_name="Grace Hopper",
            signature_kind="typed",
            text_sha256=request.text_sha256,
            signed_at=stamp(crm.clock.now()),
            origin=WireOrigin(ip="198.51.100.4"),
            pdf=content,
            pdf_sha256=sha256(content).hexdigest(),
            title="Terms",
            booking_id=crm.booking_id,
        )
    )
    return content


def processed(crm: CrmHouse) -> str:
    payment_id = crm.retrieved()
    crm.hear(crm.signed(payment_id))
    crm.deps.paying.closing.process(crm.maya, payment_id, confirmation="AUR-77", note="", origin=ORIGIN)
    return payment_id


def test_the_bank_reads_what_was_paid_agreed_arranged_mailed_and_who_saw_the_card(crm: CrmHouse) -> None:
    payment_id = processed(crm)
    terms = signed_terms(crm, crm.grace_id, "of-the-payer")
    client = payment_of(crm, payment_id).payer_email
    crm.hear(_sent(crm, payment_id, "payment_link", client))
    crm.hear(_failed(crm, payment_id, "signed_copy", client))
    crm.hear(_sent(crm, payment_id, "payment_alert", "maya@harbour.example"))

    content = made(crm, payment_id)
    text = words(content)
    payment = payment_of(crm, payment_id)
    for expected in (
        payment.paid.format().replace("\u00a0", " "),
        payment.card_words,
        "AUR-77",
        "Annex 1 Credit card authorization, signed by Grace Hopper",
        "Annex 2 Terms, signed by Grace Hopper",
        sha256(terms).hexdigest(),
        f"Payment link to the client, to {client}: accepted by the recipient's mail server",
        f"Signed copy to the client, to {client}: not delivered. The mailbox is full.",
        "Card shown once",
        "Maya Okafor",
        "I authorize this charge.",
        TERMS,
    ):
        assert expected in text, expected
    assert "Alert of a payment" not in text


def test_the_signed_originals_follow_whole_and_bookmarked(crm: CrmHouse) -> None:
    payment_id = processed(crm)
    signed_terms(crm, crm.grace_id, "of-the-payer")
    with pikepdf.open(io.BytesIO(made(crm, payment_id))) as pack, pack.open_outline() as outline:
        assert [item.title for item in outline.root] == [
            "Documents for a card dispute",
            "Annex 1: Credit card authorization",
            "Annex 2: Terms",
        ]
    assert made(crm, payment_id) == made(crm, payment_id)


def test_what_another_traveler_signed_stays_out(crm: CrmHouse) -> None:
    payment_id = processed(crm)
    others = next(one.client_id for one in crm.booking.passengers if one.client_id != crm.grace_id)
    signed_terms(crm, others, "of-another")
    assert "Annex 2" not in words(made(crm, payment_id))


def test_an_event_told_twice_is_one_line(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    sent = _sent(crm, payment_id, "payment_link", payment_of(crm, payment_id).payer_email)
    crm.hear(sent)
    crm.hear(sent)
    assert len(crm.deps.office.mail_outcomes.fates(payment_of(crm, payment_id))) == 1


def test_the_owner_and_an_admin_get_it_and_nobody_else(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    assert made(crm, payment_id, crm.ada).startswith(b"%PDF")
    with pytest.raises(NotFound):
        made(crm, payment_id, crm.jonas)


def test_there_is_none_for_a_payment_without_a_card(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    browser = crm.browser(crm.maya)
    assert browser.get(f"/payments/{payment_id}/dispute-pack.pdf").status_code == 404
    assert "Dispute pack" not in browser.get(f"/payments/{payment_id}").text


def test_the_payments_page_offers_it_and_that_it_was_made_is_noted(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    browser = crm.browser(crm.maya)
    address = f"/payments/{payment_id}/dispute-pack.pdf"
    assert address in browser.get(f"/payments/{payment_id}").text
    answer = browser.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert "attachment" in answer.headers["Content-Disposition"]
    acts = crm.deps.access.activities.page(crm.ada, ActivityFilter()).items
    assert [(act.act, act.about) for act in acts][:1] == [(Act.DISPUTE_PACK_MADE, payment_id)]


def test_without_the_vault_there_is_no_pack_that_looks_whole(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.vault.down = Unavailable("The vault can't be reached.")
    answer = crm.browser(crm.maya).get(f"/payments/{payment_id}/dispute-pack.pdf", follow_redirects=True)
    assert "the pack would lack who handled the card" in answer.text


def _sent(crm: CrmHouse, payment_id: str, kind: str, address: str) -> DeliverySent:
    at = stamp(crm.clock.now())
    return DeliverySent(delivery_id=new_id("dlv"), kind=kind, payment_id=payment_id, address=address, at=at)


def _failed(crm: CrmHouse, payment_id: str, kind: str, address: str) -> DeliveryFailed:
    return DeliveryFailed(
        delivery_id=new_id("dlv"),
        kind=kind,
        payment_id=payment_id,
        address=address,
        reason="The mailbox is full.",
        at=stamp(crm.clock.now()),
    )
