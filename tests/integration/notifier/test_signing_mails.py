"""Mails about what is to be signed and what was."""

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from google.protobuf.message import Message

from chassis.bus import event_type_of
from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Agent,
    Client,
    EsignRequested,
    EsignSigned,
    InsuranceDecided,
    InsuranceOffered,
    ItineraryShared,
)
from services.notifier.deliveries.mailing import LetterRefused
from tests.integration.notifier.conftest import House

AGENCY = Agency(id="agency_1", name="Harbour & Vine", accent_colour="#0f5b61", time_zone="America/New_York")
MAYA = Agent(id="agt_1", name="Maya Okafor", email="maya@harbour.example", phone="+1 (212) 555 0142")
ANN = Client(id="cli_1", first_name="Ann", last_name="Lee", email="ann@example.com")
PDF = b"%PDF-1.7 signed"


def letter(house: House, template: str, *, issuer: str, url: str) -> str:
    return house.letter(template, issuer=issuer, to=ANN.email, valid_minutes=10_000, url=url)


def requested(house: House, *, issue: int = 1, issuer: str = "crm") -> EsignRequested:
    event = EsignRequested(
        request_id="sign_1",
        booking_id="bkg_1",
        booking_title="Norway in June",
        agency=AGENCY,
        agent=MAYA,
        signer=ANN,
        title="Terms and conditions",
        issue=issue,
        sealed_mail=letter(house, "esign_request", issuer=issuer, url="http://p.example/sign/sign_1#tok"),
    )
    event.expires_at.FromDatetime(house.clock.now() + timedelta(days=14))
    return event


def signed(house: House) -> EsignSigned:
    event = EsignSigned(
        request_id="sign_1",
        pdf=PDF,
        agency=AGENCY,
        agent=MAYA,
        signer=ANN,
        title="Terms and conditions",
        booking_id="bkg_1",
        sealed_mail=letter(house, "esign_copy", issuer="portal", url="http://p.example/sign/sign_1#new"),
    )
    event.signed_at.FromDatetime(house.clock.now())
    return event


def offered(house: House) -> InsuranceOffered:
    event = InsuranceOffered(
        offer_id="offer_1",
        booking_title="Norway in June",
        agency=AGENCY,
        agent=MAYA,
        passenger=ANN,
        plan="Voyager Care",
        price=Money(minor=212_00, currency="USD"),
        issue=1,
        sealed_mail=letter(house, "insurance_offer", issuer="crm", url="http://p.example/insurance/offer_1#tok"),
    )
    event.expires_at.FromDatetime(house.clock.now() + timedelta(days=14))
    return event


def decided(house: House, *, accepted: bool) -> InsuranceDecided:
    event = InsuranceDecided(
        offer_id="offer_1",
        accepted=accepted,
        pdf=PDF,
        agency=AGENCY,
        agent=MAYA,
        passenger=ANN,
        booking_id="bkg_1",
        plan="Voyager Care",
    )
    event.at.FromDatetime(house.clock.now())
    return event


def mails_of(house: House, event: Message, *, event_id: str = "e1") -> list[tuple[str, EmailMessage]]:
    """What goes out because of an event that is told twice."""
    kind = event_type_of(event).type
    reaction = house.handlers.reaction(kind)
    assert reaction is not None
    assert reaction.handlers
    before = len(house.transport.messages)
    for _ in range(2):
        with house.database.transaction() as session:
            reaction.handle(session, event, house.meta(event_id, kind))
    house.send_all()
    return house.transport.messages[before:]


def text_of(message: EmailMessage) -> str:
    return str(message.get_body(("plain",)).get_content())  # type: ignore[union-attr]


def attachments(message: EmailMessage) -> list[tuple[str | None, bytes]]:
    return [(part.get_filename(), part.get_payload(decode=True)) for part in message.iter_attachments()]  # type: ignore[misc]


def test_the_client_gets_the_link_and_later_a_reminder_that_says_so(house: House) -> None:
    ((to, first),) = mails_of(house, requested(house))
    assert to == ANN.email
    assert "http://p.example/sign/sign_1#tok" in text_of(first)
    assert str(first["Subject"]) == "Please sign “Terms and conditions”"
    ((_, again),) = mails_of(house, requested(house, issue=2), event_id="e2")
    assert str(again["Subject"]).startswith("Reminder: please sign")


def test_signed_the_client_gets_a_copy_and_the_agent_the_news(house: House) -> None:
    found = dict(mails_of(house, signed(house)))
    assert set(found) == {ANN.email, MAYA.email}
    for message in found.values():
        assert attachments(message) == [("signed-document.pdf", PDF)]
    assert "#new" in text_of(found[ANN.email])
    assert "#new" not in text_of(found[MAYA.email]), "the client's own link is nobody else's"
    assert "/signatures/sign_1" in text_of(found[MAYA.email])


@pytest.mark.parametrize(("accepted", "word"), [(True, "accepted"), (False, "declined")])
def test_an_answer_to_an_offer_goes_to_both_with_the_pdf(house: House, accepted: bool, word: str) -> None:
    ((to, offer),) = mails_of(house, offered(house))
    assert to == ANN.email
    assert "US$\u00a0212.00" in text_of(offer)
    found = dict(mails_of(house, decided(house, accepted=accepted), event_id="e2"))
    assert set(found) == {ANN.email, MAYA.email}
    for message in found.values():
        assert word in str(message["Subject"])
        assert attachments(message) == [("insurance-answer.pdf", PDF)]


def test_a_request_that_the_crm_did_not_sign_is_refused(house: House) -> None:
    with pytest.raises(LetterRefused):
        mails_of(house, requested(house, issuer="portal"))


def test_no_mail_holds_an_unfilled_tag(house: House) -> None:
    events: list[Message] = [
        requested(house),
        requested(house, issue=2),
        signed(house),
        offered(house),
        decided(house, accepted=True),
        decided(house, accepted=False),
    ]
    for number, event in enumerate(events):
        mails_of(house, event, event_id=f"e{number}")
    assert len(house.transport.messages) == 9
    for _, message in house.transport.messages:
        for kind in ("plain", "html"):
            content = message.get_body((kind,)).get_content()  # type: ignore[union-attr]
            assert not re.search(r"\{\{|\}\}|\{%|None|\bundefined\b", content)


def test_an_itinerarys_link_is_mailed_and_one_to_pass_on_is_not(house: House) -> None:
    url = "http://p.example/itinerary/itin_1#tok"
    event = ItineraryShared(share_id="itin_1", booking_title="Norway in June", agency=AGENCY, agent=MAYA)
    event.expires_at.FromDatetime(house.clock.now() + timedelta(days=30))
    assert mails_of(house, event, event_id="e0") == []
    event.client.CopyFrom(ANN)
    event.sealed_mail = letter(house, "itinerary", issuer="crm", url=url)
    ((to, mail),) = mails_of(house, event)
    assert to == ANN.email
    assert mail["Subject"] == "Your itinerary: Norway in June"
    assert url in text_of(mail)
