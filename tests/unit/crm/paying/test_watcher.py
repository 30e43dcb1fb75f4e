"""One thread watches for all streams of a process."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from services.crm.paying.alerts.watcher import Counts, Listening, PendingWatcher, TooManyStreams

SOON = 10.0


def test_a_listener_hears_the_count_at_once_and_each_change() -> None:
    counts = {"maya": 1}
    with PendingWatcher(lambda: dict(counts), interval=0.01).listening("maya") as place:
        assert place.wait(None, timeout=SOON) == 1
        counts["maya"] = 2
        assert place.wait(1, timeout=SOON) == 2


def test_another_agents_change_wakes_nobody_else() -> None:
    counts = {"maya": 1}
    with PendingWatcher(lambda: dict(counts), interval=0.01).listening("jonas") as place:
        assert place.wait(None, timeout=SOON) == 0
        counts["maya"] = 5
        assert place.wait(0, timeout=0.1) is None


def test_however_many_listen_one_thread_reads_and_it_ends_with_the_last() -> None:
    readers: set[int] = set()

    def read() -> Counts:
        readers.add(threading.get_ident())
        return {"maya": len(readers)}

    watcher = PendingWatcher(read, interval=0.01, max_streams=3)
    with watcher.listening("maya") as place, watcher.listening("maya"), watcher.listening("maya"):
        assert place.wait(None, timeout=SOON) == 1
        thread = watcher._thread
        with pytest.raises(TooManyStreams), watcher.listening("maya"):
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

    with PendingWatcher(read, interval=0.01).listening("maya") as place:
        assert place.wait(None, timeout=SOON) == 3


def test_one_agents_eight_windows_push_nobody_else_to_asking() -> None:
    watcher = PendingWatcher(lambda: {"jonas": 2}, interval=0.01, max_streams=8)
    with ExitStack() as windows:
        maya = [windows.enter_context(watcher.listening("maya")) for _ in range(8)]
        with watcher.listening("jonas") as place:
            assert place.wait(None, timeout=SOON) == 2
            assert [window.displaced for window in maya] == [True] + [False] * 7


@settings(deadline=None)  # each example starts a thread
@given(st.lists(st.sampled_from(["maya", "jonas", "admin"]), max_size=40), st.integers(1, 8))
def test_whoever_comes_places_are_never_exceeded_and_shared_out_fairly(arrivals: list[str], places: int) -> None:
    watcher = PendingWatcher(dict, interval=0.01, max_streams=places)
    held: list[Listening] = []
    with ExitStack() as windows:
        for agent in arrivals:
            others = Counter(place.agent_id for place in held if not place.displaced)
            try:
                held.append(windows.enter_context(watcher.listening(agent)))
            except TooManyStreams:
                assert max(others.values()) <= others[agent] + 1
            assert sum(not place.displaced for place in held) <= places
