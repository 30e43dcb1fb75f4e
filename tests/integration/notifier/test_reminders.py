"""Reminders from events to mail: once, not when paid, across restarts, crashes and workers side by side."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from sqlalchemy import select

from chassis.bus import CATALOGUE, EventMeta, event_type_of
from chassis.db import Database, open_database
from chassis.ids import new_event_id
from chassis.money import Money as ShownMoney
from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1 import events_pb2
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from services.notifier.deliveries.formats import day
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import Deferred, Refused
from services.notifier.models import Base
from services.notifier.orm import event_tables
from services.notifier.reminders.models import ReminderBookingRow, ReminderClientRow, ReminderRow
from services.notifier.reminders.service import UnknownBooking
from tests.integration.notifier.conftest import House
from tests.support.clock import FakeClock

AGENCY = events_pb2.Agency(id="agency_1", name="Harbour & Vine", time_zone="America/New_York", email="hi@hv.example")
MAYA = events_pb2.Agent(id="agent_maya", name="Maya Okafor", email="maya@hv.example", phone="+1 305 555 0142")
JONAS = events_pb2.Agent(id="agent_jonas", name="Jonas Weber", email="jonas@hv.example")
ANN = events_pb2.Client(id="client_ann", first_name="Ann", last_name="Lee", email="ann@mail.example")
BODY = "Dear {ClientFirstName},\n\n{DepositAmt} is due {DepositDate}; {BalanceDue} is left. {AgentName}"
# 10 in the morning in New York, a week before the deposit is due.
RIPE = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


class Notebook:
    """Tells the notifier what CRM and portal would, and reads what it did."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.clock.advance(RIPE - timedelta(days=3) - house.clock.now())

    def tell(self, *messages: Message, at: datetime | None = None) -> None:
        for message in messages:
            declared = event_type_of(message)
            reaction = self.house.handlers.reaction(declared.type)
            assert reaction is not None
            assert reaction.handlers
            meta = EventMeta(
                event_id=new_event_id(),
                type=declared.type,
                aggregate_type=declared.aggregate,
                aggregate_id="x",
                sequence=1,
                occurred_at=at or self.house.clock.now(),
                producer=declared.producer,
                agency_id=AGENCY.id,
                traceparent="",
            )
            with self.house.database.transaction() as session:
                reaction.handle(session, message, meta)

    def until(self, moment: datetime) -> None:
        self.house.clock.advance(moment - self.house.clock.now())

    def work(self) -> list[str]:
        """One round of the worker; the subjects of the mails that left, but for those that say a payment is done."""
        before = len(self.house.transport.messages)
        self.house.notifier.reminders.run_due()
        self.house.send_all()
        subjects = [str(mail["Subject"]) for _, mail in self.house.transport.messages[before:]]
        return [subject for subject in subjects if not subject.startswith("Paid: ")]

    def settled(self) -> list[events_pb2.ReminderSettled]:
        with self.house.database.read() as session:
            rows = session.execute(select(event_tables.outbox.c.envelope).order_by(event_tables.outbox.c.id)).scalars()
            envelopes = [Envelope.FromString(row) for row in rows]
        return [
            events_pb2.ReminderSettled.FromString(envelope.payload)
            for envelope in envelopes
            if CATALOGUE[envelope.type].message_class is events_pb2.ReminderSettled
        ]

    def outcomes(self) -> list[str]:
        return [each.outcome for each in self.settled()]


def rule(**changed: Any) -> events_pb2.ReminderRuleSaved:
    known: dict[str, Any] = {
        "rule_id": "rule_agency",
        "kind": "payment_due",
        "days_before": 7,
        "active": True,
        "subject": "{SupplierName}: deposit due",
        "body": BODY,
        "agency": AGENCY,
    }
    return events_pb2.ReminderRuleSaved(**known | changed)


def segment(**changed: Any) -> events_pb2.Segment:
    known: dict[str, Any] = {
        "id": "segment_1",
        "supplier_name": "Aurora Cruises",
        "begins_on": "2027-06-03",
        "price": Money(minor=4_000_00, currency="USD"),
        "deposit": Money(minor=500_00, currency="USD"),
        "deposit_due_on": "2026-12-01",
        "final": Money(minor=3_500_00, currency="USD"),
        "final_due_on": "2027-04-01",
    }
    return events_pb2.Segment(**known | changed)


def booking(*segments: events_pb2.Segment, **changed: Any) -> events_pb2.BookingSaved:
    known: dict[str, Any] = {
        "booking_id": "booking_1",
        "title": "Norwegian fjords",
        "status": "booked",
        "agent_id": MAYA.id,
        "agent": MAYA,
        "agency": AGENCY,
        "currency": "USD",
        "lead_client_id": ANN.id,
        "passengers": [ANN],
        "segments": segments or [segment()],
    }
    return events_pb2.BookingSaved(**known | changed)


def context(payment_id: str = "pay_1", **changed: Any) -> events_pb2.PaymentContext:
    known: dict[str, Any] = {
        "payment_id": payment_id,
        "booking_id": "booking_1",
        "agency": AGENCY,
        "agent": MAYA,
        "payer": ANN,
        "segment": segment(),
        "amount": Money(minor=500_00, currency="USD"),
        "type": events_pb2.PaymentType.PAYMENT_TYPE_DEPOSIT,
    }
    return events_pb2.PaymentContext(**known | changed)


def processed(**changed: Any) -> events_pb2.PaymentProcessed:
    return events_pb2.PaymentProcessed(payment_id="pay_1", context=context(**changed))


@pytest.fixture
def notebook(house: House) -> Notebook:
    return Notebook(house)


def test_a_reminder_leaves_at_nine_once_filled_and_is_told_of(notebook: Notebook) -> None:
    notebook.tell(rule(), booking())
    notebook.until(RIPE - timedelta(hours=1, seconds=1))
    assert notebook.work() == []

    notebook.until(RIPE)
    assert notebook.work() == ["Aurora Cruises: deposit due"]
    to, mail = notebook.house.transport.messages[-1]
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert to == "ann@mail.example"
    assert "Dear Ann," in text
    assert "US$\u00a0500.00 is due Tue 1 Dec 2026; US$\u00a04,000.00 is left. Maya Okafor" in text
    assert "See your trip" not in text

    (told,) = notebook.settled()
    assert (told.outcome, told.kind, told.due_on) == ("sent", "payment_due", "2026-12-01")
    assert (told.recipient_name, told.address_hint) == ("Ann Lee", "a***@mail.example")
    for days in range(1, 9):
        notebook.until(RIPE + timedelta(days=days))
        assert notebook.work() == []


def due(kind: str, amount: int, due_on: str) -> events_pb2.Instalment:
    made = Money(minor=amount, currency="USD")
    return events_pb2.Instalment(id=f"due-{kind}-{amount}", kind=kind, amount=made, due_on=due_on)


def two_on_one_day() -> events_pb2.Segment:
    amounts = (due("deposit", 200_00, "2026-12-01"), due("regular", 300_00, "2026-12-01"))
    return segment(instalments=[*amounts, due("final", 3_500_00, "2027-04-01")])


def test_two_amounts_of_one_kind_on_one_day_are_told_in_one_mail_that_names_both(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(two_on_one_day()))
    notebook.until(RIPE)
    assert notebook.work() == ["Aurora Cruises: deposit due"]
    text = newest_text(notebook)
    assert "US$\u00a0500.00 is due Tue 1 Dec 2026" in text
    assert "US$\u00a0500.00 (US$\u00a0200.00 + US$\u00a0300.00)" in text
    notebook.until(RIPE + timedelta(days=1))
    assert notebook.work() == []


def test_of_two_amounts_on_one_day_the_one_that_is_not_paid_is_still_reminded_of(notebook: Notebook) -> None:
    paid = context(amount=Money(minor=200_00, currency="USD"))
    notebook.tell(rule(), booking(two_on_one_day()), events_pb2.PaymentProcessed(payment_id="pay_1", context=paid))
    notebook.until(RIPE)
    assert notebook.work() == ["Aurora Cruises: deposit due"]
    text = newest_text(notebook)
    assert "US$\u00a0300.00 is due Tue 1 Dec 2026" in text
    assert "200.00" not in text


def test_of_two_amounts_on_one_day_that_are_both_paid_nobody_is_reminded(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(two_on_one_day()), processed())
    notebook.until(RIPE)
    assert (notebook.work(), notebook.outcomes()) == ([], ["skipped_paid"])


def newest_text(notebook: Notebook) -> str:
    _, mail = notebook.house.transport.messages[-1]
    return str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]


def test_events_told_twice_or_a_saved_booking_again_send_nothing_more(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(), booking(), rule())
    notebook.until(RIPE)
    assert len(notebook.work()) == 1
    notebook.tell(booking(), rule(days_before=6), booking(segment(deposit_due_on="")), booking())
    notebook.until(RIPE + timedelta(days=1))
    assert notebook.work() == []


@pytest.mark.parametrize("how", ["processed", "authorized", "in parts"])
def test_what_is_paid_is_not_reminded_of_and_the_log_says_why(notebook: Notebook, how: str) -> None:
    notebook.tell(rule(), booking())
    match how:
        case "processed":
            notebook.tell(processed())
        case "authorized":
            notebook.tell(events_pb2.PaymentAuthorized(context=context()))
        case _:
            for number in (1, 2):
                half = Money(minor=250_00, currency="USD")
                notebook.tell(processed(payment_id=f"pay_{number}", amount=half))
    notebook.until(RIPE)
    mails = notebook.work()
    assert [subject for subject in mails if "deposit due" in subject] == []
    assert notebook.outcomes() == ["skipped_paid"]


def test_a_void_takes_the_payment_back_whichever_service_is_heard_first(notebook: Notebook) -> None:
    voided = events_pb2.PaymentVoided(context=context(), reason="Wrong card", fresh_link_follows=True)
    notebook.tell(rule(), booking(), voided, events_pb2.PaymentAuthorized(context=context()))
    notebook.until(RIPE)
    assert "Aurora Cruises: deposit due" in notebook.work()


def test_a_service_fee_does_not_pay_the_supplier(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(), processed(type=events_pb2.PaymentType.PAYMENT_TYPE_SERVICE_FEE))
    notebook.until(RIPE)
    assert notebook.work() == ["Aurora Cruises: deposit due"]


def test_a_cancelled_trip_and_a_client_without_an_address_are_not_reminded(notebook: Notebook) -> None:
    nobody = events_pb2.Client(id="client_bo", first_name="Bo", last_name="Ek")
    notebook.tell(
        rule(),
        booking(status="cancelled"),
        booking(segment(id="segment_2"), booking_id="booking_2", lead_client_id=nobody.id, passengers=[nobody]),
        booking(segment(id="segment_3"), booking_id="booking_3", status="quote"),
    )
    notebook.until(RIPE)
    assert notebook.work() == []
    assert sorted(notebook.outcomes()) == ["skipped_cancelled", "skipped_no_address"]


def test_a_moved_date_is_reminded_of_anew_and_the_old_one_is_forgotten(notebook: Notebook) -> None:
    notebook.tell(rule(), booking())
    notebook.tell(booking(segment(deposit_due_on="2026-12-05")))
    notebook.until(RIPE)
    assert notebook.work() == []
    notebook.until(RIPE + timedelta(days=4))
    assert len(notebook.work()) == 1
    notebook.tell(booking(segment(deposit_due_on="2026-12-20")))
    notebook.until(RIPE + timedelta(days=19))
    assert len(notebook.work()) == 1
    assert [each.due_on for each in notebook.settled()] == ["2026-12-05", "2026-12-20"]


def test_a_changed_rule_holds_at_once(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(), rule(days_before=9, subject="Sooner, {ClientFirstName}"))
    notebook.until(RIPE - timedelta(days=2))
    assert notebook.work() == ["Sooner, Ann"]


def test_a_rule_that_is_switched_on_late_skips_what_is_past_and_does_not_flood(notebook: Notebook) -> None:
    notebook.until(datetime(2026, 11, 28, 15, 0, tzinfo=UTC))
    past = segment(id="segment_past", deposit_due_on="2026-11-02")
    notebook.tell(*(booking(segment(id=f"segment_{n}"), booking_id=f"booking_{n}") for n in range(30)))
    notebook.tell(booking(past, booking_id="booking_past"), rule())
    assert notebook.work() == []
    assert notebook.outcomes() == ["skipped_late"] * 30


def test_after_a_long_interruption_nothing_leaves_late_and_the_log_tells_what_was_missed(notebook: Notebook) -> None:
    notebook.tell(rule(), booking())
    notebook.until(RIPE + timedelta(days=40))
    assert notebook.work() == []
    assert notebook.outcomes() == ["skipped_late"]


def test_after_a_short_interruption_it_still_leaves(notebook: Notebook) -> None:
    notebook.tell(rule(), booking())
    notebook.until(RIPE + timedelta(days=1, hours=20))
    assert len(notebook.work()) == 1


def test_an_agents_own_rule_stands_in_the_place_of_the_agencys(notebook: Notebook) -> None:
    own = rule(rule_id="rule_maya", agent_id=MAYA.id, subject="From Maya", days_before=7)
    notebook.tell(rule(), own, booking())
    notebook.tell(booking(segment(id="segment_2"), booking_id="booking_2", agent_id=JONAS.id, agent=JONAS))
    notebook.until(RIPE)
    assert sorted(notebook.work()) == ["Aurora Cruises: deposit due", "From Maya"]


def test_an_agent_may_be_without_reminders_and_take_the_agencys_up_again(notebook: Notebook) -> None:
    off = rule(rule_id="rule_maya", agent_id=MAYA.id, active=False)
    notebook.tell(rule(), off, booking())
    notebook.until(RIPE)
    assert notebook.work() == []
    notebook.tell(rule(rule_id="rule_maya", agent_id=MAYA.id, active=False, withdrawn=True))
    assert len(notebook.work()) == 1


@pytest.mark.parametrize(
    "switched",
    [
        events_pb2.BookingRemindersSwitched(booking_id="booking_1", off=True),
        events_pb2.BookingRemindersSwitched(booking_id="booking_1", off_segment_ids=["segment_1"]),
    ],
)
def test_what_is_switched_off_for_a_booking_or_segment_stays_quiet_until_it_is_on_again(
    notebook: Notebook, switched: events_pb2.BookingRemindersSwitched
) -> None:
    notebook.tell(switched, rule(), booking())
    notebook.until(RIPE)
    assert notebook.work() == []
    assert notebook.outcomes() == []
    notebook.tell(events_pb2.BookingRemindersSwitched(booking_id="booking_1"))
    assert len(notebook.work()) == 1


def test_a_mail_that_waits_for_the_server_is_dropped_once_it_is_paid(notebook: Notebook) -> None:
    notebook.tell(rule(), booking())
    notebook.until(RIPE)
    notebook.house.transport.outcomes = [Deferred(reason="The mail server is away.")]
    assert len(notebook.work()) == 1
    notebook.tell(processed())
    notebook.until(RIPE + timedelta(hours=1))
    assert notebook.work() == []
    assert notebook.outcomes() == ["skipped_paid"]


def test_a_mail_that_waits_for_the_server_is_dropped_once_the_date_moved(notebook: Notebook) -> None:
    notebook.tell(rule(), booking())
    notebook.until(RIPE)
    notebook.house.transport.outcomes = [Deferred(reason="The mail server is away.")]
    notebook.work()
    notebook.tell(booking(segment(deposit_due_on="2026-12-03")))
    notebook.until(RIPE + timedelta(hours=1))
    assert notebook.work() == []
    notebook.until(RIPE + timedelta(days=2))
    assert len(notebook.work()) == 1


def test_a_refused_address_is_told_as_failed_with_the_reason(notebook: Notebook) -> None:
    notebook.tell(rule(), booking())
    notebook.until(RIPE)
    notebook.house.transport.outcomes = [Refused(reason="No such mailbox.")]
    notebook.work()
    (told,) = notebook.settled()
    assert (told.outcome, told.reason) == ("failed", "No such mailbox.")


def test_the_newest_address_counts_whichever_event_comes_last(notebook: Notebook) -> None:
    now = notebook.house.clock.now()
    moved = events_pb2.Client(id=ANN.id, first_name="Ann", last_name="Lee", email="new@mail.example")
    notebook.tell(events_pb2.ClientSaved(client=moved), at=now)
    notebook.tell(rule())
    notebook.tell(booking(), at=now - timedelta(hours=1))
    notebook.until(RIPE)
    notebook.work()
    assert notebook.house.transport.messages[-1][0] == "new@mail.example"


def test_after_a_merge_the_kept_client_is_reminded_also_of_trips_told_late(notebook: Notebook) -> None:
    kept = events_pb2.Client(id="client_kept", first_name="Anna", last_name="Lee", email="anna@mail.example")
    merged = events_pb2.ClientMerged(
        kept_client_id=kept.id, merged_client_id=ANN.id, profile=events_pb2.ClientProfile(client=kept)
    )
    notebook.tell(rule(), booking(), merged)
    notebook.tell(booking(segment(id="segment_2"), booking_id="booking_2"))
    notebook.until(RIPE)
    assert len(notebook.work()) == 2
    assert {to for to, _ in notebook.house.transport.messages} == {"anna@mail.example"}
    with notebook.house.database.read() as session:
        assert set(session.scalars(select(ReminderBookingRow.lead_client_id))) == {kept.id}
        assert session.get(ReminderClientRow, ANN.id) is None


def test_a_client_who_signs_in_is_led_to_her_trip_until_her_way_in_is_taken_back(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(), events_pb2.ClientPortalActivated(client_id=ANN.id))
    notebook.tell(booking(segment(id="segment_2", deposit_due_on="2026-12-02"), booking_id="booking_2"))
    notebook.until(RIPE)
    notebook.work()
    notebook.tell(events_pb2.ClientPortalWithdrawn(client_id=ANN.id))
    notebook.until(RIPE + timedelta(days=1))
    notebook.work()
    first, second = (mail.get_body(("plain",)).get_content() for _, mail in notebook.house.transport.messages)  # type: ignore[union-attr]
    assert "/trips/booking_1" in first
    assert "/trips/" not in second


def test_the_agencys_zone_decides_also_when_it_changes(notebook: Notebook) -> None:
    tokyo = events_pb2.Agency(id=AGENCY.id, name="Harbour & Vine", time_zone="Asia/Tokyo")
    notebook.tell(rule(), booking())
    notebook.tell(events_pb2.AgentSaved(agent=MAYA, agency=tokyo, active=True))
    notebook.until(datetime(2026, 11, 23, 23, 59, tzinfo=UTC))
    assert notebook.work() == []
    notebook.until(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))
    assert len(notebook.work()) == 1


def test_a_test_goes_to_the_agent_only_and_settles_nothing(notebook: Notebook) -> None:
    asked = events_pb2.ReminderTestRequested(
        rule_id="rule_agency",
        subject="{SupplierName} soon",
        body=BODY,
        booking_id="booking_1",
        segment_id="segment_1",
        agent=MAYA,
        agency=AGENCY,
    )
    notebook.tell(booking(), asked)
    assert notebook.work() == ["Test: Aurora Cruises soon"]
    to, mail = notebook.house.transport.messages[-1]
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert to == MAYA.email
    assert "ann@mail.example would get it like this" in text
    assert "Dear Ann," in text
    assert notebook.settled() == []


def test_a_test_of_a_booking_that_was_not_told_yet_is_tried_again(notebook: Notebook) -> None:
    with pytest.raises(UnknownBooking):
        notebook.tell(events_pb2.ReminderTestRequested(booking_id="booking_9", segment_id="segment_9", agent=MAYA))


def test_text_that_looks_like_markup_or_a_tag_is_only_text(notebook: Notebook) -> None:
    odd = events_pb2.Client(id=ANN.id, first_name="<b>{AgentName}</b>", last_name="Lee", email=ANN.email)
    notebook.tell(rule(body="Hi {ClientFirstName} {Nonsense}"), booking(passengers=[odd]))
    notebook.until(RIPE)
    notebook.work()
    mail = notebook.house.transport.messages[-1][1]
    assert "Hi <b>{AgentName}</b> {Nonsense}" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "<b>{AgentName}" not in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


class Crash(Exception):
    """What the step does is undone, as when the process dies in it."""


class Death(BaseException):
    """The process dies here: nothing in it can catch this."""


@pytest.mark.parametrize("step", ["before the mail is queued", "after the mail is queued", "before it is told"])
def test_a_crash_at_any_step_neither_loses_nor_doubles_a_reminder(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    schedule, deliveries = notebook.house.notifier.reminders, notebook.house.notifier.deliveries
    notebook.tell(rule(), booking())
    notebook.until(RIPE)
    queue = deliveries.queue

    def dies(*arguments: Any, **_: Any) -> bool:
        if step == "after the mail is queued":
            queue(*arguments)
        raise Death if step == "before it is told" else Crash

    with monkeypatch.context() as patched:
        if step == "before it is told":
            patched.setattr(schedule, "_tell", dies)
        else:
            patched.setattr(deliveries, "queue", dies)
        schedule.run_due()
        if step == "before it is told":
            with pytest.raises(Death):
                notebook.house.send_all()
    # The mail server had it already when the process died: that one SMTP can't rule out (N4).
    sent_before = len(notebook.house.transport.messages)
    notebook.until(RIPE + timedelta(minutes=5))
    notebook.work()
    assert len(notebook.house.transport.messages) == sent_before + 1
    assert notebook.outcomes() == ["sent"]
    with notebook.house.database.read() as session:
        assert len(session.scalars(select(Delivery)).all()) == 1


def test_one_that_can_not_be_settled_does_not_hold_up_the_others(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.tell(rule(), booking(), booking(segment(id="segment_2"), booking_id="booking_2"))
    schedule = notebook.house.notifier.reminders
    real = schedule._queue

    def poisoned(session: Any, case: Any, by: Any) -> None:
        if case.booking.id == "booking_1":
            raise Crash
        real(session, case, by)

    monkeypatch.setattr(schedule, "_queue", poisoned)
    notebook.until(RIPE)
    assert len(notebook.work()) == 1
    monkeypatch.setattr(schedule, "_queue", real)
    assert len(notebook.work()) == 1


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/shared.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = open_database(url, name="test", pool_size=8)
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


def test_workers_side_by_side_send_each_reminder_once(
    shared: Database, workers: Callable[[Database, FakeClock], House]
) -> None:
    clock = FakeClock()
    houses = [workers(shared, clock) for _ in range(3)]
    first = Notebook(houses[0])
    first.tell(rule())
    first.tell(*(booking(segment(id=f"segment_{n}"), booking_id=f"booking_{n}") for n in range(25)))
    first.until(RIPE)
    start = threading.Barrier(len(houses))
    faults: list[BaseException] = []

    def work(house: House) -> None:
        try:
            start.wait()
            house.notifier.reminders.run_due()
            house.send_all()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(house,)) for house in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    houses[0].send_all()
    assert sum(len(house.transport.messages) for house in houses) == 25
    assert first.outcomes() == ["sent"] * 25
    with shared.read() as session:
        assert set(session.scalars(select(ReminderRow.state).where(ReminderRow.kind == "payment_due"))) == {"sent"}


def plan(*parts: tuple[str, str, int, str]) -> list[events_pb2.Instalment]:
    return [
        events_pb2.Instalment(id=due_id, kind=kind, amount=Money(minor=minor, currency="USD"), due_on=day)
        for due_id, kind, minor, day in parts
    ]


THREE = (
    ("segment_1-deposit", "deposit", 500_00, "2026-12-01"),
    ("due_2", "regular", 1_500_00, "2027-02-01"),
    ("segment_1-final", "final", 2_000_00, "2027-04-01"),
)


def test_each_instalment_is_reminded_of_by_its_own_amount_until_that_much_has_come_in(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(segment(instalments=plan(*THREE))), processed())
    notebook.until(datetime(2027, 1, 25, 15, 0, tzinfo=UTC))
    assert notebook.work() == ["Aurora Cruises: deposit due"]
    _, mail = notebook.house.transport.messages[-1]
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert "US$\u00a01,500.00 is due Mon 1 Feb 2027" in text
    assert "US$\u00a03,500.00 is left" in text


@pytest.mark.parametrize("part", THREE, ids=lambda part: part[0])
def test_a_tests_text_and_table_speak_of_the_very_payment_that_was_chosen(
    notebook: Notebook, part: tuple[str, str, int, str]
) -> None:
    _, kind, minor, due_on = part
    is_final = kind == "final"
    asked = events_pb2.ReminderTestRequested(
        rule_id="rule_agency",
        subject="Soon",
        body="{FinalAmt} by {FinalDate}." if is_final else "{DepositAmt} by {DepositDate}.",
        booking_id="booking_1",
        segment_id="segment_1",
        kind="final_payment" if is_final else "payment_due",
        due_on=due_on,
        agent=MAYA,
        agency=AGENCY,
    )
    notebook.tell(booking(segment(instalments=plan(*THREE))), asked)
    assert notebook.work() == ["Test: Soon"]
    _, mail = notebook.house.transport.messages[-1]
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    amount, written = ShownMoney(minor=minor, currency="USD").format(), day(due_on)
    assert f"{amount} by {written}." in text
    assert re.search(rf"Amount:\s+{re.escape(amount)}", text)
    assert re.search(rf"Due:\s+{re.escape(written)}", text)
    others = [ShownMoney(minor=other, currency="USD").format() for _, _, other, _ in THREE if other != minor]
    assert not [other for other in others if other in text]


def test_a_rule_may_count_from_the_first_day_of_travel(notebook: Notebook) -> None:
    notebook.tell(rule(kind="final_payment", days_before=30, anchor="travel"), booking())
    notebook.until(datetime(2027, 5, 4, 12, 0, tzinfo=UTC))
    assert notebook.work() == []
    notebook.until(datetime(2027, 5, 4, 15, 0, tzinfo=UTC))
    assert notebook.work() == ["Aurora Cruises: deposit due"]
    assert notebook.work() == []


def test_the_button_leads_to_the_very_payment_that_is_due(notebook: Notebook) -> None:
    activated = events_pb2.ClientPortalActivated(client_id=ANN.id)
    notebook.tell(rule(), booking(segment(instalments=plan(*THREE))), activated)
    notebook.until(RIPE)
    notebook.work()
    _, mail = notebook.house.transport.messages[-1]
    text = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert "/trips/booking_1/pay/segment_1?due=segment_1-deposit" in text


def send_now(**changed: Any) -> events_pb2.ReminderSendNowRequested:
    known: dict[str, Any] = {
        "booking_id": "booking_1",
        "segment_id": "segment_1",
        "kind": "payment_due",
        "due_on": "2026-12-01",
        "rule_id": "rule_agency",
        "subject": "{SupplierName}: deposit due",
        "body": BODY,
    }
    return events_pb2.ReminderSendNowRequested(**known | changed)


def test_one_that_was_too_late_is_sent_when_the_agent_wishes_and_only_once(notebook: Notebook) -> None:
    notebook.until(RIPE + timedelta(days=5))
    notebook.tell(rule(), booking(), at=RIPE - timedelta(days=9))
    assert (notebook.work(), notebook.outcomes()) == ([], ["skipped_late"])
    notebook.tell(send_now(), send_now())
    assert notebook.work() == ["Aurora Cruises: deposit due"]
    notebook.tell(send_now())
    assert notebook.work() == []
    assert notebook.outcomes() == ["skipped_late", "sent"]


def test_without_any_rule_one_is_sent_at_once_with_the_text_that_came(notebook: Notebook) -> None:
    notebook.tell(booking(), send_now(rule_id="", subject="Please pay {DepositAmt}"))
    assert notebook.work() == ["Please pay US$ 500.00"]


def test_what_is_paid_is_not_sent_even_when_the_agent_wishes(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(), processed(), send_now())
    assert notebook.work() == []
    assert notebook.outcomes() == ["skipped_paid"]


def test_a_reversed_payment_is_reminded_of_again(notebook: Notebook) -> None:
    reversal = events_pb2.PaymentReversed(context=context())
    notebook.tell(rule(), booking(), reversal, processed())
    notebook.until(RIPE)
    assert notebook.work() == ["Aurora Cruises: deposit due"]


def test_a_cancelled_segment_is_not_reminded_of_until_it_is_taken_up_again(notebook: Notebook) -> None:
    notebook.tell(rule(), booking(segment(cancelled=True)))
    notebook.until(RIPE)
    assert notebook.work() == []
    notebook.tell(booking(segment()))
    assert notebook.work() == ["Aurora Cruises: deposit due"]
