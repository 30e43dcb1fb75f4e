"""What only the embedded bus has to think of; what any bus must do is in contract/bus."""

import sqlite3
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
