"""The operator's command that waits until events have gone their way."""

import io
import threading
from pathlib import Path

import pytest

from chassis.bus import open_bus
from chassis.bus.backlog import main
from tests.support.bus import World, receive, retrieved


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    database = f"sqlite:///{tmp_path}/crm.db"
    World(database, name="crm")
    monkeypatch.setenv("CRM_DATABASE_URL", database)
    monkeypatch.setenv("CRM_BUS_URL", f"embedded:///{tmp_path}/bus.db")
    return f"embedded:///{tmp_path}/bus.db"


def test_what_is_left_is_told_and_makes_the_command_fail(url: str) -> None:
    bus = open_bus(url, service="crm")
    bus.bind("crm", ["payment.*.v1"])
    bus.publish([retrieved("p1")])
    out = io.StringIO()
    assert main(["crm"], out=out) == 3
    assert out.getvalue() == "crm: 0 event(s) to tell, 1 to read\n"
    bus.close()


def test_it_waits_until_a_reader_has_read_everything(url: str) -> None:
    bus = open_bus(url, service="crm")
    bus.bind("crm", ["payment.*.v1"])
    bus.publish([retrieved("p1")])
    asked = threading.Event()

    class Out(io.StringIO):
        def flush(self) -> None:
            asked.set()

    def read() -> None:
        assert asked.wait(10)
        subscription = bus.subscribe("crm", ["payment.*.v1"])
        receive(subscription).ack()
        subscription.close()

    reader, out = threading.Thread(target=read), Out()
    reader.start()
    assert main(["crm", "--wait", "20"], out=out) == 0
    reader.join()
    assert out.getvalue().splitlines() == ["crm: 0 event(s) to tell, 1 to read", "crm: 0 event(s) to tell, 0 to read"]
    bus.close()


def test_a_database_that_is_not_there_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    monkeypatch.setenv("CRM_BUS_URL", f"embedded:///{tmp_path}/bus.db")
    out = io.StringIO()
    assert main(["crm"], out=out) == 1
    assert "can't be counted" in out.getvalue()
