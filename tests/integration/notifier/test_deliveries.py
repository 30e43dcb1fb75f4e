"""From an event to a mail and back to an event."""

import html
import re
import threading
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Agent,
    Client,
    DeliveryFailed,
    DocumentSigned,
    MailSealed,
    PaymentAuthorized,
    PaymentConfirmationWanted,
    PaymentContext,
    PaymentLinkIssued,
    PaymentProcessed,
    PaymentRefunded,
    PaymentType,
    PaymentVoided,
    Segment,
)
from services.notifier.deliveries.events import DeliveryEvents
from services.notifier.deliveries.mailing import LetterRefused
from services.notifier.deliveries.measure import measure_deliveries
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import LEASE, Deferred, DeliveryState, Refused
from services.notifier.orm import event_tables
from services.notifier.reminders.models import ReminderPaymentRow
from tests.integration.notifier.conftest import House

CODE = "48151623"


def context() -> PaymentContext:
    made = PaymentContext(
        payment_id="pay_1",
        booking_id="bkg_1",
        booking_title="Norway in June",
        agency=Agency(id="agency_1", name="Harbour & Vine", accent_colour="#ffcc00", time_zone="America/New_York"),
        agent=Agent(id="agt_1", name="Maya Okafor", email="maya@harbour.example", time_zone="America/New_York"),
        payer=Client(id="cli_1", first_name="Ann", last_name="Lee", email="ann@example.com"),
        segment=Segment(id="seg_1", supplier_name="Aurora Cruises", begins_on="2027-06-03", ends_on="2027-06-14"),
        type=PaymentType.PAYMENT_TYPE_DEPOSIT,
        purpose="Deposit for the cabin",
    )
    made.amount.minor, made.amount.currency = 124000, "USD"
    return made


def events(house: House) -> DeliveryEvents:
    reaction = house.handlers.reaction("mail.sealed")
    assert reaction is not None
    (handler,) = reaction.handlers
    owner = getattr(handler, "__self__", None)
    assert isinstance(owner, DeliveryEvents)
    return owner


def link_issued(house: House, **letter_data: str) -> PaymentLinkIssued:
    event = PaymentLinkIssued(link_id="lnk_1", context=context())
    event.expires_at.FromDatetime(house.clock.now() + timedelta(days=7))
    event.sealed_mail = house.letter(
        "payment_link",
        issuer="crm",
        to="ann@example.com",
        valid_minutes=10_000,
        url="http://p.example/pay/lnk_1#tok",
        **letter_data,
    )
    return event


def authorized() -> PaymentAuthorized:
    return PaymentAuthorized(context=context(), brand="visa", last4="1111")


def code_mail(house: House, *, minutes: float = 5, issuer: str = "vault") -> MailSealed:
    sealed = house.letter(
        "reveal_code",
        issuer=issuer,
        to="maya@harbour.example",
        valid_minutes=minutes,
        code=CODE,
        agent_name="Maya",
        purpose="Supplier on the line",
        brand="visa",
        last4="1111",
        minutes="5",
    )
    return MailSealed(mail_id="mail_1", payment_id="pay_1", sealed_mail=sealed)


def published(house: House) -> list[Envelope]:
    with house.database.read() as session:
        rows = session.execute(select(event_tables.outbox).order_by("sequence")).mappings().all()
    return [Envelope.FromString(row["envelope"]) if "envelope" in row else Envelope(type=row["type"]) for row in rows]


def test_a_payment_link_reaches_the_client_and_its_sending_is_confirmed_to_the_agent(house: House) -> None:
    with house.database.transaction() as session:
        events(house).payment_link_issued(session, link_issued(house), house.meta(event_type="payment_link.issued"))

    assert house.send_all() == 2

    (first_to, first), (second_to, second) = house.transport.messages
    assert (first_to, second_to) == ("ann@example.com", "maya@harbour.example")
    text = first.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "http://p.example/pay/lnk_1#tok" in text
    assert "US$\u00a01,240.00" in text
    assert "Thu 3 Jun – Mon 14 Jun 2027" in text
    assert second["Subject"] == "Sent: payment link for Ann Lee, US$ 1,240.00"
    assert [event.type for event in published(house)] == ["delivery.sent", "delivery.sent"]


def test_a_clients_answer_goes_to_the_agent_also_where_the_agency_has_no_address(house: House) -> None:
    with house.database.transaction() as session:
        events(house).payment_link_issued(session, link_issued(house), house.meta(event_type="payment_link.issued"))

    house.send_all()

    (_, to_client), (_, to_agent) = house.transport.messages
    assert to_client["Reply-To"] == "Maya Okafor <maya@harbour.example>"
    assert to_agent["Reply-To"] is None


def test_the_same_event_twice_makes_one_mail(house: House) -> None:
    for _ in range(2):
        with house.database.transaction() as session:
            events(house).mail_sealed(session, code_mail(house), house.meta())

    assert house.send_all() == 1


def test_a_code_is_in_the_mail_and_in_no_row_of_the_database(house: House) -> None:
    with house.database.transaction() as session:
        events(house).mail_sealed(session, code_mail(house), house.meta())
    with house.database.read() as session:
        row = session.scalars(select(Delivery)).one()
        assert CODE not in repr({column.name: getattr(row, column.name) for column in Delivery.__table__.columns})

    house.send_all()

    body = house.transport.messages[0][1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert CODE in body
    assert "Visa ending in 1111" in body
    with house.database.read() as session:
        assert session.scalars(select(Delivery)).one().sealed_letter is None


@pytest.mark.parametrize("issuer", ["crm", "portal"])
def test_a_code_that_the_vault_did_not_sign_is_refused(house: House, issuer: str) -> None:
    with pytest.raises(LetterRefused), house.database.transaction() as session:
        events(house).mail_sealed(session, code_mail(house, issuer=issuer), house.meta())

    assert house.send_all() == 0


def test_a_tampered_letter_is_refused(house: House) -> None:
    event = code_mail(house)
    event.sealed_mail = event.sealed_mail[:-6] + "AAAAAA"

    with pytest.raises(LetterRefused), house.database.transaction() as session:
        events(house).mail_sealed(session, event, house.meta())


def test_a_code_that_expired_before_sending_is_reported_and_not_sent(house: House) -> None:
    with house.database.transaction() as session:
        events(house).mail_sealed(session, code_mail(house), house.meta())
    house.clock.advance(timedelta(minutes=6))

    house.send_all()

    assert house.transport.messages == []
    assert [event.type for event in published(house)] == ["delivery.failed"]


def test_a_letter_that_arrives_too_late_is_reported(house: House) -> None:
    event = code_mail(house)
    house.clock.advance(timedelta(minutes=6))
    with house.database.transaction() as session:
        events(house).mail_sealed(session, event, house.meta())

    assert [event.type for event in published(house)] == ["delivery.failed"]


def test_a_mail_is_tried_again_with_growing_pauses_until_the_server_takes_it(house: House) -> None:
    house.transport.outcomes = [Deferred(reason="away")] * 3
    with house.database.transaction() as session:
        events(house).payment_authorized(session, authorized(), house.meta())

    pauses = []
    for _ in range(3):
        assert house.send_all() == 1
        with house.database.read() as session:
            row = session.scalars(select(Delivery)).one()
            assert row.state == DeliveryState.QUEUED
            pauses.append(row.next_attempt_at - house.clock.now())
        house.clock.advance(pauses[-1])
    assert house.send_all() == 1

    assert pauses == sorted(set(pauses))
    assert [event.type for event in published(house)] == ["delivery.sent"]
    assert len({message["Message-ID"] for _, message in house.transport.messages}) == 1


def test_states_and_the_age_of_the_oldest_that_waits_are_metrics(house: House) -> None:
    house.transport.outcomes = [Deferred(reason="away"), Refused(reason="no such address")]
    with house.database.transaction() as session:
        events(house).payment_authorized(session, authorized(), house.meta())
    house.send_all()
    house.clock.advance(timedelta(seconds=1))

    measure_deliveries(house.database, house.clock)
    shown = {name: REGISTRY.get_sample_value("wayvault_deliveries", {"state": name}) for name in ("queued", "failed")}
    assert shown == {"queued": 1, "failed": 0}
    assert REGISTRY.get_sample_value("wayvault_delivery_waiting_seconds") == 1

    house.clock.advance(timedelta(minutes=1))
    house.send_all()
    measure_deliveries(house.database, house.clock)
    assert REGISTRY.get_sample_value("wayvault_deliveries", {"state": "failed"}) == 1
    assert REGISTRY.get_sample_value("wayvault_delivery_waiting_seconds") == 0


def test_a_refusal_is_final_and_told_in_plain_words(house: House) -> None:
    house.transport.outcomes = [Refused(reason="The mail server did not take this address. (reply 550)")]
    with house.database.transaction() as session:
        events(house).payment_link_issued(session, link_issued(house), house.meta(event_type="payment_link.issued"))

    house.send_all()

    (envelope,) = published(house)
    assert envelope.type == "delivery.failed"
    failed = DeliveryFailed.FromString(envelope.payload)
    assert failed.address_hint == "a***@example.com"
    assert failed.link_id == "lnk_1"
    assert "550" in failed.reason


def test_a_delivery_left_in_flight_by_a_crash_is_taken_over_after_its_lease_only(house: House) -> None:
    with house.database.transaction() as session:
        events(house).mail_sealed(session, code_mail(house), house.meta())
    with house.database.transaction() as session:
        assert house.notifier.deliveries.claim(session, lapsed=None) is not None

    assert house.send_all() == 0
    house.clock.advance(LEASE + timedelta(seconds=1))
    house.notifier.leases.renew()
    assert house.send_all() == 1


def test_many_senders_send_each_mail_once(house: House) -> None:
    with house.database.transaction() as session:
        for number in range(20):
            events(house).payment_authorized(session, authorized(), house.meta(f"evt-{number}"))
    threads = [threading.Thread(target=house.send_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [message["Message-ID"] for _, message in house.transport.messages]
    assert len(ids) == 20
    assert len(set(ids)) == 20


def test_the_client_gets_what_was_signed(house: House) -> None:
    event = DocumentSigned(document_id="doc_1", context=context(), pdf=b"%PDF-1.7 signed")
    event.sealed_mail = house.letter("signed_copy", issuer="portal", to="ann@example.com", url="http://p.example/s#t")
    with house.database.transaction() as session:
        events(house).document_signed(session, event, house.meta(event_type="document.signed"))

    house.send_all()

    ((to, message),) = house.transport.messages
    assert to == "ann@example.com"
    assert [part.get_content() for part in message.iter_attachments()] == [b"%PDF-1.7 signed"]


def test_the_client_reads_that_a_payment_is_done(house: House) -> None:
    done = PaymentProcessed(payment_id="pay_1", confirmation_number="AUR-77812", context=context())
    done.at.FromDatetime(house.clock.now())
    for _ in range(2):
        with house.database.transaction() as session:
            events(house).payment_processed(session, done, house.meta(event_type="payment.processed"))

    house.send_all()

    ((to, message),) = house.transport.messages
    assert to == "ann@example.com"
    assert message["Subject"] == "Paid: US$ 1,240.00 to Aurora Cruises"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "AUR-77812" in text
    assert "it is being deleted" in text
    assert message["Reply-To"] == "Maya Okafor <maya@harbour.example>"


@pytest.mark.parametrize(("again", "button"), [(False, "Confirm with your bank"), (True, "Pay on the provider's page")])
def test_the_client_gets_the_link_to_their_bank(house: House, again: bool, button: str) -> None:
    event = PaymentConfirmationWanted(context=context(), card_again=again)
    event.sealed_mail = house.letter("confirm_charge", issuer="crm", to="ann@example.com", url="https://bank.example/3")
    with house.database.transaction() as session:
        events(house).confirmation_wanted(session, event, house.meta(event_type="payment.confirmation_wanted"))

    house.send_all()

    ((to, message),) = house.transport.messages
    assert to == "ann@example.com"
    assert "https://bank.example/3" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert button in html.unescape(message.get_body(("html",)).get_content())  # type: ignore[union-attr]


def test_the_client_reads_what_was_given_back_and_what_is_left_counts_in_reminders(house: House) -> None:
    done = PaymentProcessed(payment_id="pay_1", context=context())
    back = PaymentRefunded(context=context(), reason="The excursion was cancelled")
    back.amount.CopyFrom(common_pb2.Money(minor=240_00, currency="USD"))
    back.refunded.CopyFrom(back.amount)
    with house.database.transaction() as session:
        events(house).payment_processed(session, done, house.meta(event_type="payment.processed"))
        events(house).payment_refunded(session, back, house.meta(event_type="payment.refunded"))
        assert [row.amount_minor for row in session.scalars(select(ReminderPaymentRow))] == [1_000_00]

    house.send_all()

    _, (to, message) = house.transport.messages
    assert to == "ann@example.com"
    assert message["Subject"] == "US$ 240.00 is going back to your card"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "The excursion was cancelled." in text
    assert "Now paid:  US$\u00a01,000.00" in text


def test_a_void_is_told_once_and_left_to_the_fresh_link_when_one_follows(house: House) -> None:
    voided = PaymentVoided(payment_id="pay_1", reason="The supplier's price changed", context=context())
    with house.database.transaction() as session:
        events(house).payment_voided(session, voided, house.meta("evt-1"))
        voided.fresh_link_follows = True
        events(house).payment_voided(session, voided, house.meta("evt-2"))
        events(house).payment_link_issued(
            session, link_issued(house, void_reason="The supplier's price changed."), house.meta("evt-3")
        )

    house.send_all()

    subjects = [message["Subject"] for to, message in house.transport.messages if to == "ann@example.com"]
    assert sorted(subjects) == [
        "Cancelled: your payment of US$ 1,240.00 for Aurora Cruises",
        "New payment request: US$ 1,240.00 for Aurora Cruises",
    ]


def test_no_mail_holds_an_unfilled_tag(house: House) -> None:
    with house.database.transaction() as session:
        events(house).payment_authorized(session, authorized(), house.meta("e1"))
        events(house).mail_sealed(session, code_mail(house), house.meta("e2"))
        events(house).payment_link_issued(session, link_issued(house), house.meta("e3"))
    house.send_all()

    for _, message in house.transport.messages:
        for kind in ("plain", "html"):
            content = message.get_body((kind,)).get_content()  # type: ignore[union-attr]
            assert not re.search(r"\{\{|\}\}|None|\bundefined\b", content)
