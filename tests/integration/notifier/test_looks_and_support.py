"""Mails wear the agency's logo as it is today (C13), and support tickets are told by mail (C12)."""

import io
from email.message import EmailMessage

from PIL import Image

from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    AgencySaved,
    Agent,
    SupportTicketAnswered,
    SupportTicketOpened,
)
from services.notifier.agencies.service import Looks
from services.notifier.deliveries.support_mails import SupportMails
from services.notifier.mailbox.service import Mailbox
from tests.integration.notifier.conftest import House

AGENCY = Agency(id="agency_1", name="Harbour & Vine Travel", accent_colour="#0f5b61", email="hello@harbour.example")
MAYA = Agent(id="agent_maya", name="Maya Okafor", email="maya@harbour.example")
ADA = Agent(id="agent_ada", name="Ada Lindqvist", email="ada@harbour.example")


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "#0f5b61").save(out, "PNG")
    return out.getvalue()


def _asked(house: House, *, admins: tuple[Agent, ...] = (ADA,)) -> None:
    event = SupportTicketOpened(
        ticket_id="ticket_1", subject="Portal colour", text="Is it ours?", author=MAYA, admins=admins, agency=AGENCY
    )
    mails = SupportMails(deliveries=house.notifier.deliveries, crm_url="http://crm.localhost:8101")
    with house.database.transaction() as session:
        mails.asked(session, event, house.meta("support_ticket.opened"))


def _saved(house: House, logo: bytes) -> None:
    with house.database.transaction() as session:
        Looks().learn(session, AgencySaved(agency=AGENCY, logo=logo, logo_sha256="0" * 64), house.meta("agency.saved"))


def test_every_admin_reads_the_question_and_finds_it(house: House) -> None:
    other = Agent(id="agent_nora", name="Nora Lind", email="nora@harbour.example")
    _asked(house, admins=(ADA, other))
    assert house.send_all() == 2
    sent = _sent(house)
    assert {str(message["To"]) for message in sent} == {"ada@harbour.example", "nora@harbour.example"}
    text = _body(sent[0], "plain")
    assert "Maya Okafor asks you" in text
    assert "Is it ours?" in text
    assert "http://crm.localhost:8101/support/ticket_1" in text


def test_the_agent_reads_the_answer(house: House) -> None:
    event = SupportTicketAnswered(
        ticket_id="ticket_1", subject="Portal colour", text="It is.", author=ADA, recipient=MAYA, agency=AGENCY
    )
    mails = SupportMails(deliveries=house.notifier.deliveries, crm_url="http://crm.localhost:8101")
    with house.database.transaction() as session:
        mails.answered(session, event, house.meta("support_ticket.answered"))
    house.send_all()
    (message,) = _sent(house)
    assert str(message["To"]) == "maya@harbour.example"
    assert "Ada Lindqvist answered" in str(message["Subject"])
    assert "It is." in _body(message, "html")


def test_the_logo_comes_with_the_mail_and_no_server_is_asked_for_it(house: House) -> None:
    _saved(house, _png())
    _asked(house)
    house.send_all()
    (message,) = _sent(house)
    html = _body(message, "html")
    assert 'src="cid:agency-logo@wayvault"' in html
    assert "http" not in html.partition("<img")[2].partition(">")[0]
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<agency-logo@wayvault>"
    assert picture.get_payload(decode=True) == _png()
    assert list(message.iter_attachments()) == []


def test_without_a_logo_the_agencys_colour_stands_there(house: House) -> None:
    _saved(house, _png())
    _saved(house, b"")
    _asked(house)
    house.send_all()
    (message,) = _sent(house)
    assert "<img" not in _body(message, "html")


def test_the_mailbox_shows_the_logo(house: House) -> None:
    _saved(house, _png())
    _asked(house)
    house.send_all()
    mailbox = Mailbox(house.database, house.clock)
    mailbox.send(_sent(house)[0], "ada@harbour.example")
    (summary,) = mailbox.newest()
    shown = mailbox.get(summary.id)
    assert shown is not None
    assert "data:image/png;base64," in shown.html
    assert "cid:" not in shown.html
    assert shown.attachments == ()


def _sent(house: House) -> list[EmailMessage]:
    return [message for _, message in house.transport.messages]


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())
