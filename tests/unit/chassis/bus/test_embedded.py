"""What only the embedded bus has to think of; what any bus must do is in contract/bus."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.bus import embedded, open_bus
from chassis.bus.port import DELIVERY_LIMIT
from tests.support.bus import ids, receive, retrieved


def test_nothing_behind_a_message_that_could_not_be_put_away_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = open_bus(f"embedded:///{tmp_path}/bus.db", service="crm")
    subscription = bus.subscribe("crm", ("payment.*.v1",))
    sent = [retrieved("p1", number) for number in range(1, 4)]
    bus.publish(sent)
    with sqlite3.connect(tmp_path / "bus.db") as file:
        file.execute(
            "UPDATE messages SET deliveries = ? WHERE id = (SELECT min(id) FROM messages)", (DELIVERY_LIMIT + 1,)
        )
    bury, failures = embedded._bury, [sqlite3.OperationalError("disk I/O error")]

    def fails_once(*about: object) -> None:
        if failures:
            raise failures.pop()
        bury(*about)  # type: ignore[arg-type]

    monkeypatch.setattr(embedded, "_bury", fails_once)

    assert ids([receive(subscription), receive(subscription)]) == [one.event_id for one in sent[1:]]
    subscription.close()


def test_what_was_handed_out_before_is_never_received_together_with_others(tmp_path: Path) -> None:
    bus = open_bus(f"embedded:///{tmp_path}/bus.db", service="crm")
    first = bus.subscribe("crm", ("payment.*.v1",))
    sent = [retrieved("p1", number) for number in range(1, 5)]
    bus.publish(sent[:2])
    receive(first).ack()
    assert ids([receive(first)]) == [sent[1].event_id]
    first.close()  # as when the process dies
    bus.publish(sent[2:])
    second = bus.subscribe("crm", ("payment.*.v1",))
    assert second.receive_fresh(10) == []
    again = receive(second)
    assert again.handed_out_before
    assert ids([again, *second.receive_fresh(10)]) == [one.event_id for one in sent[1:]]
    second.close()


def test_what_was_received_together_is_gone_once_all_of_it_is_settled(tmp_path: Path) -> None:
    bus = open_bus(f"embedded:///{tmp_path}/bus.db", service="crm")
    subscription = bus.subscribe("crm", ("payment.*.v1",))
    bus.publish([retrieved("p1", number) for number in range(1, 4)])
    held = subscription.receive_fresh(10)
    for delivery in held[:2]:
        delivery.ack()
    held[2].reject("because")
    assert subscription.receive(0.01) is None
    assert (len(held), bus.waiting("crm"), bus.dead_letter_count()) == (3, 0, 1)
    subscription.close()


def test_all_who_open_a_new_bus_at_the_same_moment_can_use_it(tmp_path: Path) -> None:
    """As the services of a new installation do."""
    together = 8

    def publish_first(path: Path, gate: threading.Barrier) -> None:
        bus = embedded.EmbeddedBus(path)
        gate.wait(timeout=30)
        bus.publish([])
        bus.close()

    with ThreadPoolExecutor(together) as pool:
        for number in range(40):
            gate = threading.Barrier(together)
            path = tmp_path / str(number) / "bus.db"
            for done in [pool.submit(publish_first, path, gate) for _ in range(together)]:
                done.result()
