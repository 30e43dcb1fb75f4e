"""One thread watches for all streams of a process."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from services.crm.paying.alerts.service import DeskSign
from services.crm.paying.alerts.watcher import DeskWatcher, Listening, Signs, TooManyStreams

SOON = 10.0


def sign(pending: int, news: str = "0.0") -> DeskSign:
    return DeskSign(pending=pending, news=news)


def test_a_listener_hears_the_count_at_once_and_each_change_and_news_that_no_count_tells() -> None:
    signs = {"maya": sign(1)}
    with DeskWatcher(lambda: dict(signs), interval=0.01).listening("maya") as place:
        assert place.wait(None, timeout=SOON) == sign(1)
        signs["maya"] = sign(2)
        assert place.wait(sign(1), timeout=SOON) == sign(2)
        signs["maya"] = sign(2, news="7.1")
        assert place.wait(sign(2), timeout=SOON) == sign(2, news="7.1")


def test_another_agents_change_wakes_nobody_else() -> None:
    signs = {"maya": sign(1)}
    with DeskWatcher(lambda: dict(signs), interval=0.01).listening("jonas") as place:
        assert place.wait(None, timeout=SOON) == sign(0)
        signs["maya"] = sign(5)
        assert place.wait(sign(0), timeout=0.1) is None


def test_however_many_listen_one_thread_reads_and_it_ends_with_the_last() -> None:
    readers: set[int] = set()

    def read() -> Signs:
        readers.add(threading.get_ident())
        return {"maya": sign(len(readers))}

    watcher = DeskWatcher(read, interval=0.01, max_streams=3)
    with watcher.listening("maya") as place, watcher.listening("maya"), watcher.listening("maya"):
        assert place.wait(None, timeout=SOON) == sign(1)
        thread = watcher._thread
        with pytest.raises(TooManyStreams), watcher.listening("maya"):
            pass
    assert len(readers) == 1
    assert thread is not None
    thread.join(SOON)
    assert not thread.is_alive()


def test_a_database_that_fails_for_a_while_ends_no_stream() -> None:
    answers: Iterator[Signs | OperationalError] = iter([OperationalError("select", {}, Exception("locked"))])

    def read() -> Signs:
        answer = next(answers, {"maya": sign(3)})
        if isinstance(answer, OperationalError):
            raise answer
        return answer

    with DeskWatcher(read, interval=0.01).listening("maya") as place:
        assert place.wait(None, timeout=SOON) == sign(3)


def test_one_agents_eight_windows_push_nobody_else_to_asking() -> None:
    watcher = DeskWatcher(lambda: {"jonas": sign(2)}, interval=0.01, max_streams=8)
    with ExitStack() as windows:
        maya = [windows.enter_context(watcher.listening("maya")) for _ in range(8)]
        with watcher.listening("jonas") as place:
            assert place.wait(None, timeout=SOON) == sign(2)
            assert [window.displaced for window in maya] == [True] + [False] * 7


@settings(deadline=None)  # each example starts a thread
@given(st.lists(st.sampled_from(["maya", "jonas", "admin"]), max_size=40), st.integers(1, 8))
def test_whoever_comes_places_are_never_exceeded_and_shared_out_fairly(arrivals: list[str], places: int) -> None:
    watcher = DeskWatcher(dict, interval=0.01, max_streams=places)
    held: list[Listening] = []
    with ExitStack() as windows:
        for agent in arrivals:
            others = Counter(place.agent_id for place in held if not place.displaced)
            try:
                held.append(windows.enter_context(watcher.listening(agent)))
            except TooManyStreams:
                assert max(others.values()) <= others[agent] + 1
            assert sum(not place.displaced for place in held) <= places
