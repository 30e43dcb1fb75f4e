"""A database that goes away and mails that can't be made: each delivery is settled by itself, none is sent twice."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from protos.wayvault.events.v1.events_pb2 import DeliveryFailed
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import FAULT_TRIES, LEASE, PAUSES, RENEW_SECONDS, DeliveryState, Outcome
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
    data = dict.fromkeys(("subject", "text", "author_name", "agent_name", "url"), "x")
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


def test_a_claim_is_renewed_for_as_long_as_a_slow_mail_server_takes_and_lapses_soon_after_a_crash(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _queue(house, 1)
    taken_by_others: list[int] = []

    def slow(_: EmailMessage, __: str) -> Outcome:
        for _renewal in range(20):
            house.clock.advance(LEASE * 0.75)
            house.notifier.leases.renew()
            taken_by_others.append(house.send_all())
        raise SystemExit  # the process dies in the midst of it

    send = house.transport.send
    monkeypatch.setattr(house.transport, "send", slow)
    with pytest.raises(SystemExit):
        house.send_all()
    assert set(taken_by_others) == {0}

    monkeypatch.setattr(house.transport, "send", send)
    house.clock.advance(LEASE * 1.01)
    house.notifier.leases.renew()
    assert house.send_all() == 1
    assert timedelta(seconds=8) > LEASE > timedelta(seconds=RENEW_SECONDS) * 3


def test_nobody_is_taken_for_dead_who_could_not_renew_because_the_database_was_away(house: House) -> None:
    _queue(house, 1)
    with house.database.transaction() as session:
        assert house.notifier.deliveries.claim(session, lapsed=None) is not None
    house.clock.advance(LEASE * 2)
    _away(house, lambda statement: statement.startswith("SELECT 1"), times=1)
    with pytest.raises(OperationalError):
        house.notifier.leases.renew()

    assert house.send_all() == 0
    house.clock.advance(LEASE)
    house.notifier.leases.renew()
    assert house.send_all() == 1


def test_who_is_late_with_their_own_renewals_takes_nobody_for_dead(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is busy: what keeps this process from renewing keeps others from it too."""
    _queue(house, 1)
    with house.database.transaction() as session:
        assert house.notifier.deliveries.claim(session, lapsed=None) is not None
    house.clock.advance(LEASE * 2)
    later = time.monotonic() + LEASE.total_seconds()
    monkeypatch.setattr("services.notifier.deliveries.leases.time.monotonic", lambda: later)
    assert house.send_all() == 0
    house.notifier.leases.renew()
    assert house.send_all() == 1


def test_the_loop_of_renewals_outwaits_a_database_and_ends_with_what_is_in_hand(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.deliveries.leases.RENEW_SECONDS", 0.01)
    failed = _away(house, lambda statement: statement.startswith("SELECT 1"), times=2)
    stop, renewed = threading.Event(), threading.Event()
    thread = threading.Thread(target=house.notifier.leases.run, args=(stop,))
    event.listen(
        house.database.engine,
        "before_cursor_execute",
        lambda _c, _u, statement, *_: renewed.set() if statement.startswith("UPDATE") else None,
    )
    thread.start()
    with house.notifier.leases.held("dlv_1"):
        stop.set()
        assert renewed.wait(5)
        renewed.clear()
        assert renewed.wait(5)
        assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()
    assert len(failed) <= 2
