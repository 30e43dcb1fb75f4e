"""Mails of a visit: one link for all that is asked, one mail with all copies (C18)."""

from datetime import timedelta

import pytest
from google.protobuf.message import Message

from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.events_pb2 import (
    DocumentSigned,
    EsignRequested,
    InsuranceOffered,
    PaymentContext,
    PaymentLinkIssued,
    SignedCopy,
    VisitAsked,
    VisitEnded,
    VisitPart,
)
from services.notifier.deliveries.mailing import LetterRefused
from tests.integration.notifier.conftest import House
from tests.integration.notifier.test_signing_mails import (
    AGENCY,
    ANN,
    MAYA,
    attachments,
    decided,
    letter,
    mails_of,
    signed,
    text_of,
)

URL = "http://p.example/visit/visit_1#tok"


def asked(house: House, *, issue: int = 1, issuer: str = "crm") -> VisitAsked:
    context = PaymentContext(
        amount=Money(minor=1_240_00, currency="USD"), purpose="Deposit for your cabin", payer=ANN, agent=MAYA
    )
    offer = InsuranceOffered(plan="Voyager Care", price=Money(minor=212_00, currency="USD"))
    event = VisitAsked(
        visit_id="visit_1",
        booking_title="Norway in June",
        agency=AGENCY,
        agent=MAYA,
        client=ANN,
        issue=issue,
        sealed_mail=letter(house, "visit", issuer=issuer, url=URL),
        parts=[
            VisitPart(insurance=offer),
            VisitPart(document=EsignRequested(title="Terms and conditions")),
            VisitPart(payment=PaymentLinkIssued(context=context)),
        ],
    )
    event.expires_at.FromDatetime(house.clock.now() + timedelta(days=7))
    return event


def ended(house: House, *, left_out: int = 0) -> VisitEnded:
    return VisitEnded(
        visit_id="visit_1",
        booking_title="Norway in June",
        agency=AGENCY,
        agent=MAYA,
        client=ANN,
        left_out=left_out,
        copies=[
            SignedCopy(name="1-insurance-answer.pdf", pdf=b"%PDF-1.7 one", title="Voyager Care"),
            SignedCopy(name="2-signed-document.pdf", pdf=b"%PDF-1.7 two", title="Terms and conditions"),
        ],
        sealed_mail=letter(house, "visit_copy", issuer="portal", url=f"{URL}new"),
    )


def test_one_mail_says_all_that_is_asked_and_a_later_one_that_it_reminds(house: House) -> None:
    ((to, first),) = mails_of(house, asked(house))
    assert to == ANN.email
    text = text_of(first)
    for words in (
        URL,
        "Voyager Care, US$\u00a0212.00",
        "“Terms and conditions”",
        "US$\u00a01,240.00",
        "Norway in June",
    ):
        assert words in text, words
    ((_, again),) = mails_of(house, asked(house, issue=2), event_id="e2")
    assert str(again["Subject"]).startswith("Reminder:")


def test_at_the_end_all_copies_come_in_one_mail(house: House) -> None:
    ((to, mail),) = mails_of(house, ended(house))
    assert to == ANN.email
    assert attachments(mail) == [
        ("1-insurance-answer.pdf", b"%PDF-1.7 one"),
        ("2-signed-document.pdf", b"%PDF-1.7 two"),
    ]
    assert "expired" not in text_of(mail)
    ((_, partly),) = mails_of(house, ended(house, left_out=1), event_id="e2")
    assert "expired" in text_of(partly)


@pytest.mark.parametrize("kind", ["document", "insurance", "payment"])
def test_what_is_signed_in_a_visit_is_no_mail_to_the_client_of_its_own(house: House, kind: str) -> None:
    events: dict[str, Message] = {
        "document": signed(house),
        "insurance": decided(house, accepted=True),
        "payment": DocumentSigned(context=PaymentContext(payer=ANN, agent=MAYA, agency=AGENCY), pdf=b"%PDF"),
    }
    event = events[kind]
    event.visit_id = "visit_1"  # type: ignore[attr-defined]  # each of these has it
    assert ANN.email not in [to for to, _ in mails_of(house, event)]


def test_a_visit_that_the_crm_did_not_sign_is_refused(house: House) -> None:
    with pytest.raises(LetterRefused):
        mails_of(house, asked(house, issuer="portal"))
