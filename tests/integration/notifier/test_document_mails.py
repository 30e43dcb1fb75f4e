"""Travelers read that a document was shared; the document itself is never mailed (P4)."""

from protos.wayvault.events.v1.events_pb2 import Agency, Agent, Client, DocumentShared
from tests.integration.notifier.conftest import House


def hear(house: House, event: DocumentShared, event_id: str = "evt-1") -> None:
    reaction = house.handlers.reaction("document.shared")
    assert reaction is not None
    assert reaction.handlers
    with house.database.transaction() as session:
        reaction.handle(session, event, house.meta(event_id, "document.shared"))


def shared(*told: Client) -> DocumentShared:
    return DocumentShared(
        document_id="file_1",
        booking_id="bkg_1",
        title="Boarding <passes>\r\nBcc: all@evil.example",
        content=b"%PDF-1.7 secret voucher",
        booking_title="Norway in June",
        agent=Agent(id="agt_1", name="Maya Okafor", email="maya@harbour.example", phone="+1 212 555 0142"),
        agency=Agency(id="agency_1", name="Harbour & Vine", accent_colour="#ffcc00"),
        told=told,
    )


def test_each_who_is_told_gets_one_mail_that_leads_to_the_portal(house: House) -> None:
    people = [Client(id=f"cli_{n}", first_name=f"Ann{n}", email=f"ann{n}@example.com") for n in (1, 2)]
    hear(house, shared(*people))
    hear(house, shared(*people))
    assert house.send_all() == 2
    assert sorted(to for to, _ in house.transport.messages) == ["ann1@example.com", "ann2@example.com"]
    message = house.transport.messages[0][1]
    text = message.get_body(("plain",))
    assert text is not None
    assert "/trips/bkg_1#documents" in text.get_content()
    assert not list(message.iter_attachments())
    assert b"secret voucher" not in message.as_bytes()
    assert message["Bcc"] is None


def test_a_document_that_nobody_is_to_be_told_of_makes_no_mail(house: House) -> None:
    hear(house, shared())
    assert house.send_all() == 0
