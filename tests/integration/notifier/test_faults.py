"""A database that goes away and mails that can't be made: each delivery is settled by itself, none is sent twice."""

import threading
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from protos.wayvault.events.v1.events_pb2 import DeliveryFailed
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import FAULT_TRIES, PAUSES, DeliveryState, Outcome
from services.notifier.deliveries.service import NewDelivery
from services.notifier.templates.rules import Mail
from tests.integration.notifier.conftest import House
from tests.integration.notifier.test_deliveries import authorized, events, published


def _queue(house: House, *numbers: int) -> None:
    with house.database.transaction() as session:
        for number in numbers:
            events(house).payment_authorized(session, authorized(), house.meta(f"evt-{number}"))


def _states(house: House) -> list[str]:
    with house.database.read() as session:
        return sorted(session.scalars(select(Delivery.state)))


def _away(house: House, wanted: Callable[[str], bool], times: int) -> list[str]:
    """Lets the database fail on the next `times` statements that are wanted; returns those that failed."""
    failed: list[str] = []

    def fail(_: Any, __: Any, statement: str, *___: Any) -> None:
        if wanted(statement) and len(failed) < times:
            failed.append(statement)
            raise OperationalError(statement, {}, Exception("the database is away"))

    event.listen(house.database.engine, "before_cursor_execute", fail)
    return failed


def _run_until(house: House, done: Callable[[], bool]) -> None:
    """Runs the sending loop as the worker does until `done`; the loop must still be alive then."""
    stop = threading.Event()
    thread = threading.Thread(target=house.notifier.senders[0].run, args=(stop,))
    thread.start()
    try:
        waiting = threading.Event()
        for _ in range(400):
            if done():
                break
            waiting.wait(0.02)
        assert done()
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()


def test_the_loop_outwaits_a_database_that_is_away_while_it_looks_for_mail(house: House) -> None:
    _queue(house, 1)
    failed = _away(house, lambda statement: "deliveries" in statement, times=2)
    _run_until(house, lambda: len(house.transport.messages) == 1 and len(failed) == 2)
    assert _states(house) == [DeliveryState.SENT]


def test_a_mail_that_left_is_written_down_once_the_database_is_back_and_never_sent_twice(house: House) -> None:
    _queue(house, 1)
    sent = house.transport.messages
    failed = _away(house, lambda statement: bool(sent) and "deliveries" in statement, times=3)
    _run_until(house, lambda: len(failed) == 3 and _states(house) == [DeliveryState.SENT])
    assert len(sent) == 1
    assert [told.type for told in published(house)] == ["delivery.sent"]


def test_a_kind_of_mail_that_this_version_does_not_know_waits_gives_up_and_stands_in_nobodys_way(house: House) -> None:
    _queue(house, 1, 2)
    with house.database.transaction() as session:
        first = session.scalars(select(Delivery.id).order_by(Delivery.source_key)).first()
        session.execute(update(Delivery).where(Delivery.id == first).values(template="from_tomorrow"))
    house.send_all()
    assert len(house.transport.messages) == 1
    assert _states(house) == [DeliveryState.QUEUED, DeliveryState.SENT]
    for pause in PAUSES[: FAULT_TRIES - 1]:
        house.clock.advance(pause)
        house.send_all()
    assert _states(house) == [DeliveryState.FAILED, DeliveryState.SENT]
    told = DeliveryFailed.FromString(published(house)[-1].payload)
    assert told.reason.startswith("This version of Wayvault does not know this kind of e-mail. It was tried 6 times")


class _Broken:
    """A way out with a fault that nobody foresaw."""

    def send(self, message: EmailMessage, recipient: str) -> Outcome:
        raise RuntimeError("unforeseen")


def test_an_unforeseen_error_is_settled_like_any_other_failure_and_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.notifier.senders[0], "_transport", _Broken())
    _queue(house, 1)
    tries = 0
    while _states(house) == [DeliveryState.QUEUED]:
        tries += house.send_all()
        house.clock.advance(timedelta(hours=9))
    assert tries == FAULT_TRIES
    assert _states(house) == [DeliveryState.FAILED]


class _Unsure:
    """A room that can't say whether its mail is still wanted, nor bear to hear how it ended."""

    def wanted(self, *_: object) -> bool:
        raise RuntimeError("unforeseen")

    def finished(self, *_: object) -> None:
        raise RuntimeError("unforeseen")


class _Deaf(_Unsure):
    def wanted(self, *_: object) -> bool:
        return True


@pytest.mark.parametrize(("follower", "end"), [(_Unsure(), DeliveryState.QUEUED), (_Deaf(), DeliveryState.SENT)])
def test_a_room_that_fails_over_its_own_mail_holds_up_no_other(
    house: House, follower: _Unsure, end: DeliveryState
) -> None:
    house.notifier.deliveries.follow(Mail.SUPPORT_ANSWER, follower)
    data = dict.fromkeys(("subject", "text", "author_name", "recipient_first_name", "url"), "x")
    answer = NewDelivery(
        source_key="a", template=Mail.SUPPORT_ANSWER, agency_id="agency_1", address="ann@example.com", data=data
    )
    with house.database.transaction() as session:
        house.notifier.deliveries.queue(session, answer)
    _queue(house, 1)
    house.send_all()
    assert _states(house) == sorted([end, DeliveryState.SENT])
    assert [event_.type for event_ in published(house)] == ["delivery.sent"] * (2 if end == DeliveryState.SENT else 1)


def test_a_process_that_dies_in_every_try_does_not_go_on_for_ever(house: House) -> None:
    _queue(house, 1)
    with house.database.transaction() as session:
        session.execute(update(Delivery).values(attempts=len(PAUSES) + 1))
    house.send_all()
    assert house.transport.messages == []
    assert _states(house) == [DeliveryState.FAILED]
