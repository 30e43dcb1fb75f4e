"""One thread watches for all streams of a process."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError

from services.crm.paying.alerts.watcher import Counts, PendingWatcher, TooManyStreams

SOON = 10.0


def test_a_listener_hears_the_count_at_once_and_each_change() -> None:
    counts = {"maya": 1}
    with PendingWatcher(lambda: dict(counts), interval=0.01).listening() as watcher:
        assert watcher.wait("maya", None, timeout=SOON) == 1
        counts["maya"] = 2
        assert watcher.wait("maya", 1, timeout=SOON) == 2


def test_another_agents_change_wakes_nobody_else() -> None:
    counts = {"maya": 1}
    with PendingWatcher(lambda: dict(counts), interval=0.01).listening() as watcher:
        assert watcher.wait("jonas", None, timeout=SOON) == 0
        counts["maya"] = 5
        assert watcher.wait("jonas", 0, timeout=0.1) is None


def test_however_many_listen_one_thread_reads_and_it_ends_with_the_last() -> None:
    readers: set[int] = set()

    def read() -> Counts:
        readers.add(threading.get_ident())
        return {"maya": len(readers)}

    watcher = PendingWatcher(read, interval=0.01, max_streams=3)
    with watcher.listening(), watcher.listening(), watcher.listening():
        assert watcher.wait("maya", None, timeout=SOON) == 1
        thread = watcher._thread
        with pytest.raises(TooManyStreams), watcher.listening():
            pass
    assert len(readers) == 1
    assert thread is not None
    thread.join(SOON)
    assert not thread.is_alive()


def test_a_database_that_fails_for_a_while_ends_no_stream() -> None:
    answers: Iterator[Counts | OperationalError] = iter([OperationalError("select", {}, Exception("locked"))])

    def read() -> Counts:
        answer = next(answers, {"maya": 3})
        if isinstance(answer, OperationalError):
            raise answer
        return answer

    with PendingWatcher(read, interval=0.01).listening() as watcher:
        assert watcher.wait("maya", None, timeout=SOON) == 3
