"""Mails about second reveals (M9), the CVV alone (M10), the way into the portal (P2) and requests (P1)."""

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from google.protobuf.message import Message

from chassis.bus.catalogue import event_type_of
from chassis.bus.handlers import RetryLater
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Agent,
    Client,
    ClientPortalInvited,
    CvvRequested,
    CvvResupplied,
    MailSealed,
    PortalMailSealed,
    QuoteRequested,
    RegistrationAnswered,
    SecondRevealDecided,
    SecondRevealRequested,
)
from services.notifier.deliveries.mailing import LetterRefused
from tests.integration.notifier.conftest import House
from tests.integration.notifier.test_deliveries import context

AGENCY = Agency(id="agency_1", name="Harbour & Vine", phone="+1 401 555 0100", time_zone="America/New_York")
MAYA = Agent(id="agt_1", name="Maya Okafor", email="maya@harbour.example", phone="+1 401 555 0102")
ADA = Agent(id="agt_2", name="Ada Lindqvist", email="ada@harbour.example")


def tell(house: House, message: Message, event_id: str = "evt-1") -> None:
    """Hands an event to its handler, as the consumer does."""
    reaction = house.handlers.reaction(event_type_of(message).type)
    assert reaction is not None
    assert reaction.handlers
    with house.database.transaction() as session:
        reaction.handle(session, message, house.meta(event_id, event_type_of(message).type))


def mails(house: House) -> dict[str, EmailMessage]:
    """What left, by address; each is looked at for tags that nothing filled."""
    house.send_all()
    for _, message in house.transport.messages:
        for kind in ("plain", "html"):
            assert not re.search(r"\{\{|\}\}|\bNone\b|\bundefined\b", body(message, kind))
    return dict(house.transport.messages)


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_every_admin_who_may_decide_is_led_to_the_request_itself(house: House) -> None:
    event = SecondRevealRequested(
        context=context(),
        reason="My browser closed.",
        admins=[ADA, Agent(id="agt_3", name="Edda", email="e@h.example")],
    )
    event.second_reveal_id = "second_1"
    tell(house, event)
    sent = mails(house)
    assert set(sent) == {"ada@harbour.example", "e@h.example"}
    assert sent["ada@harbour.example"]["Subject"] == "Maya Okafor asks to see a card once more"
    assert "/approvals/second_1" in body(sent["ada@harbour.example"])
    assert "My browser closed." in body(sent["ada@harbour.example"])


@pytest.mark.parametrize("approved", [True, False])
def test_the_agent_learns_what_came_of_her_request(house: House, approved: bool) -> None:
    event = SecondRevealDecided(
        context=context(), approved=approved, decided_by="Ada Lindqvist", word="" if approved else "Ask Ann instead"
    )
    event.good_until.FromDatetime(house.clock.now() + timedelta(minutes=30))
    tell(house, event)
    message = mails(house)["maya@harbour.example"]
    assert "/payments/pay_1" in body(message)
    assert ("once more" in str(message["Subject"])) is approved
    assert ("refused" in str(message["Subject"])) is not approved
    assert ("Ask Ann instead" in body(message)) is not approved


def test_the_approvers_code_is_signed_by_the_vault_alone(house: House) -> None:
    letter: dict[str, Any] = {
        "code": "48151623",
        "agent_name": "Ada",
        "owner_name": "Maya",
        "brand": "visa",
        "last4": "1111",
    }
    letter |= {"purpose": "My browser closed.", "minutes": "5"}
    forged = house.letter("approve_code", issuer="crm", to=ADA.email, **letter)
    with pytest.raises(LetterRefused):
        tell(house, MailSealed(mail_id="mail_1", payment_id="pay_1", sealed_mail=forged))
    sealed = house.letter("approve_code", issuer="vault", to=ADA.email, **letter)
    tell(house, MailSealed(mail_id="mail_2", payment_id="pay_1", sealed_mail=sealed))
    text = body(mails(house)[ADA.email])
    assert "48151623" in text
    assert "Maya" in text


def cvv_requested(house: House) -> CvvRequested:
    event = CvvRequested(link_id="cvvlink_1", context=context(), brand="visa", last4="1111")
    event.expires_at.FromDatetime(house.clock.now() + timedelta(days=3))
    event.sealed_mail = house.letter(
        "cvv_request", issuer="crm", to="ann@example.com", valid_minutes=4000, url="http://p.example/cvv/cvvlink_1#tok"
    )
    return event


def test_the_client_is_asked_for_the_cvv_alone_and_the_agent_hears_of_it_once_it_is_there(house: House) -> None:
    tell(house, cvv_requested(house), "evt-1")
    given = CvvResupplied(link_id="cvvlink_1", payment_id="pay_1")
    given.cvv_kept_until.FromDatetime(house.clock.now() + timedelta(hours=72))
    tell(house, given, "evt-2")
    tell(house, given, "evt-2")
    sent = mails(house)
    assert len(house.transport.messages) == 2
    assert "http://p.example/cvv/cvvlink_1#tok" in body(sent["ann@example.com"])
    assert "Visa ending in 1111" in body(sent["ann@example.com"])
    assert "/payments/pay_1" in body(sent["maya@harbour.example"])


def test_news_of_a_cvv_waits_for_the_request_that_it_answers(house: House) -> None:
    with pytest.raises(RetryLater):
        tell(house, CvvResupplied(link_id="cvvlink_9", payment_id="pay_1"))


def test_an_invitation_carries_its_link_sealed_and_names_the_username(house: House) -> None:
    event = ClientPortalInvited(
        client=Client(id="cli_1", first_name="Ann", email="ann@example.com"), agent=MAYA, agency=AGENCY, username="ann"
    )
    event.expires_at.FromDatetime(house.clock.now() + timedelta(days=14))
    url = "http://p.example/password#tok"
    event.sealed_mail = house.letter(
        "portal_invitation", issuer="crm", to="ann@example.com", valid_minutes=10_000, url=url, username="ann"
    )
    tell(house, event)
    text = body(mails(house)["ann@example.com"])
    assert url in text
    assert "Your username:  ann" in text


@pytest.mark.parametrize("issuer", ["crm", "vault"])
def test_a_new_password_is_offered_by_the_portal_alone(house: House, issuer: str) -> None:
    data: dict[str, Any] = {"url": "http://p.example/password#tok", "client_first_name": "Ann", "username": "ann"}
    data |= {"agent_name": "Maya", "agent_phone": "", "minutes": "60"}
    forged = house.letter("password_reset", issuer=issuer, to="ann@example.com", **data)
    with pytest.raises(LetterRefused):
        tell(house, PortalMailSealed(mail_id="mail_1", sealed_mail=forged, agency=AGENCY))
    sealed = house.letter("password_reset", issuer="portal", to="ann@example.com", **data)
    tell(house, PortalMailSealed(mail_id="mail_2", sealed_mail=sealed, agency=AGENCY))
    assert "http://p.example/password#tok" in body(mails(house)["ann@example.com"])


def test_tries_to_sign_in_are_told_to_whose_account_it_is(house: House) -> None:
    data: dict[str, Any] = {
        "first_name": "Ann",
        "account": "ann",
        "failures": "10",
        "minutes": "30",
        "contact": "Maya Okafor",
    }
    data["url"] = "http://p.example/sign-in"
    ours = house.letter("portal_sign_in_locked", issuer="portal", to="ann@example.com", **data)
    tell(house, PortalMailSealed(mail_id="mail_1", sealed_mail=ours, agency=AGENCY))
    crms = house.letter("sign_in_locked", issuer="crm", to="maya@example.com", **data)
    tell(house, MailSealed(mail_id="mail_2", sealed_mail=crms))
    for address in ("ann@example.com", "maya@example.com"):
        assert "10 failed attempts to sign in to your account ann" in body(mails(house)[address])


def registered(outcome: str) -> RegistrationAnswered:
    client = Client(id="client_1", first_name="Ann", last_name="Lee", email="ann@example.com")
    return RegistrationAnswered(
        registration_id="registration_1",
        client=client,
        outcome=outcome,
        username="ann@example.com" if outcome != "closed" else "",
        agent=MAYA,
        agency=AGENCY,
    )


def test_who_registered_gets_their_username_and_the_agent_reads_who_came(house: House) -> None:
    tell(house, registered("admitted"))
    sent = mails(house)
    assert "Your username is ann@example.com" in body(sent["ann@example.com"])
    assert "/clients/client_1" in body(sent["maya@harbour.example"])
    assert "Ann Lee" in sent["maya@harbour.example"]["Subject"]


def test_nobody_is_mailed_of_who_is_known_and_the_agent_alone_of_a_closed_door(house: House) -> None:
    tell(house, registered("known"))
    assert mails(house) == {}
    tell(house, registered("closed"))
    assert set(sent := mails(house)) == {"maya@harbour.example"}
    assert "stays closed until you invite them again" in body(sent["maya@harbour.example"])


def test_the_link_that_proves_an_address_is_the_portals_alone(house: House) -> None:
    data: dict[str, Any] = {"url": "http://p.example/registration#tok", "agent_name": "Maya", "agent_phone": ""}
    data["hours"] = "24"
    forged = house.letter("registration_link", issuer="crm", to="ann@example.com", **data)
    with pytest.raises(LetterRefused):
        tell(house, PortalMailSealed(mail_id="mail_1", sealed_mail=forged, agency=AGENCY))
    sealed = house.letter("registration_link", issuer="portal", to="ann@example.com", **data)
    tell(house, PortalMailSealed(mail_id="mail_2", sealed_mail=sealed, agency=AGENCY))
    assert "http://p.example/registration#tok" in body(mails(house)["ann@example.com"])


def test_a_request_reaches_the_agent_and_is_confirmed_without_a_word_of_what_was_typed(house: House) -> None:
    """Anybody can type any address and any text on a public page: the mail to that address repeats none of it."""
    typed = {"first_name": "Buy-pills", "last_name": "Now", "email": "victim@mail.example"}
    event = QuoteRequested(
        quote_id="quote_1",
        agent_id="agt_1",
        client=Client(**typed),
        destination="http://spam.example",
        wishes="Click here",
        adults=2,
        agent=MAYA,
        agency=AGENCY,
    )
    tell(house, event)
    sent = mails(house)
    assert set(sent) == {"maya@harbour.example", "victim@mail.example"}
    assert "/quotes/quote_1" in body(sent["maya@harbour.example"])
    for kind in ("plain", "html"):
        text = body(sent["victim@mail.example"], kind)
        assert "Maya Okafor" in text
        for word in ("Buy-pills", "Now", "spam.example", "Click here"):
            assert word not in text
