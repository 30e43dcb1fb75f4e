"""The coalescer: batches under company, no waiting alone, each item its own outcome, deadlines."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.vault.coalescer import Coalescer, Send
from services.vault.transit.login import SendTimeout
from services.vault.transit.rules import CipherRefused, TransitUnavailable


class Engine:
    """Answers when told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.timeouts: list[float] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def send(self, items: Sequence[int], timeout: float) -> list[str | Exception]:
        self.batches.append(list(items))
        self.timeouts.append(timeout)
        self.entered.release()
        assert self.gate.acquire(timeout=10)
        return [CipherRefused("odd") if item < 0 else str(item) for item in items]


def lane_of(send: Send[int, str], max_batch: int = 200, gather: float = 0.0) -> Coalescer[int, str]:
    return Coalescer(send, max_batch=max_batch, gather=gather, unavailable=TransitUnavailable)


def waiting(lane: Coalescer[int, str], count: int) -> None:
    """Returns once that many callers queue up behind the batch under way."""
    while len(lane._waiting) < count:
        threading.Event().wait(0.001)


def test_a_lone_call_is_sent_at_once_and_alone() -> None:
    engine = Engine()
    engine.gate.release()

    assert lane_of(engine.send).call(7, 1.0) == "7"
    assert engine.batches == [[7]]


def test_who_was_just_answered_travels_with_those_who_waited_meanwhile() -> None:
    engine = Engine()
    lane = lane_of(engine.send, gather=30.0)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(lane.call, 0, 60.0)
        engine.entered.acquire()
        others = [pool.submit(lane.call, number, 60.0) for number in (1, 2)]
        waiting(lane, 2)
        engine.gate.release(2)
        assert first.result() == "0"
        assert pool.submit(lane.call, 3, 60.0).result(timeout=10) == "3"
        assert [other.result() for other in others] == ["1", "2"]

    assert engine.batches == [[0], [1, 2, 3]]


def test_a_caller_alone_never_waits_for_company() -> None:
    engine = Engine()
    engine.gate.release(3)
    lane = lane_of(engine.send, gather=30.0)

    assert [lane.call(number, 5.0) for number in range(3)] == ["0", "1", "2"]


def test_a_batch_that_nobody_joins_leaves_when_its_time_has_come() -> None:
    engine = Engine()
    lane = lane_of(engine.send, gather=0.05)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lane.call, 0, 5.0)
        engine.entered.acquire()
        second = pool.submit(lane.call, 1, 5.0)
        waiting(lane, 1)
        engine.gate.release(2)
        assert (first.result(), second.result()) == ("0", "1")


def test_who_comes_during_a_batch_goes_together_into_the_next() -> None:
    engine = Engine()
    lane = lane_of(engine.send)
    with ThreadPoolExecutor(11) as pool:
        first = pool.submit(lane.call, 0, 5.0)
        engine.entered.acquire()
        rest = [pool.submit(lane.call, number, 5.0) for number in range(1, 11)]
        waiting(lane, 10)
        engine.gate.release(2)

        assert first.result() == "0"
        assert [future.result() for future in rest] == [str(number) for number in range(1, 11)]
    assert engine.batches[0] == [0]
    assert sorted(engine.batches[1]) == list(range(1, 11))


def test_a_batch_is_never_larger_than_allowed_and_nobody_is_forgotten() -> None:
    engine = Engine()
    lane = lane_of(engine.send, max_batch=4)
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(lane.call, 0, 5.0)
        engine.entered.acquire()
        rest = [pool.submit(lane.call, number, 5.0) for number in range(1, 12)]
        waiting(lane, 11)
        engine.gate.release(10)
        assert [first.result(), *(future.result() for future in rest)] == [str(number) for number in range(12)]
    assert max(len(batch) for batch in engine.batches) == 4


def test_an_items_failure_is_its_own() -> None:
    engine = Engine()
    lane = lane_of(engine.send)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(lane.call, 0, 5.0)
        engine.entered.acquire()
        good, bad = pool.submit(lane.call, 1, 5.0), pool.submit(lane.call, -1, 5.0)
        waiting(lane, 2)
        engine.gate.release(2)
        assert (first.result(), good.result()) == ("0", "1")
        with pytest.raises(CipherRefused):
            bad.result()


def test_a_failed_call_fails_all_in_it_and_the_lane_goes_on() -> None:
    calls = 0

    def send(items: Sequence[int], timeout: float) -> list[str | Exception]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise TransitUnavailable
        return [str(item) for item in items]

    lane: Coalescer[int, str] = lane_of(send)
    with pytest.raises(TransitUnavailable):
        lane.call(1, 1.0)
    assert lane.call(2, 1.0) == "2"


def test_an_answer_of_the_wrong_length_is_no_answer() -> None:
    lane: Coalescer[int, str] = lane_of(lambda items, timeout: [])

    with pytest.raises(TransitUnavailable):
        lane.call(1, 1.0)


def test_a_follower_gives_up_at_its_deadline_and_is_not_sent_any_more() -> None:
    engine = Engine()
    lane = lane_of(engine.send)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lane.call, 0, 5.0)
        engine.entered.acquire()
        began = time.monotonic()
        with pytest.raises(TransitUnavailable):
            lane.call(1, 0.05)
        assert time.monotonic() - began < 2.0
        engine.gate.release(5)
        assert first.result() == "0"
    assert engine.batches == [[0]]


def test_when_the_impatient_ones_time_is_up_the_patient_go_on_in_another_batch() -> None:
    """The batch carries the shortest deadline as its timeout; only who set it pays when it runs out."""
    sent: list[list[int]] = []
    gate, entered = threading.Event(), threading.Event()

    def send(items: Sequence[int], timeout: float) -> list[str | Exception]:
        sent.append(sorted(items))
        if items == [0]:
            entered.set()
            assert gate.wait(10)
        if 1 in items:
            threading.Event().wait(timeout)
            raise SendTimeout
        return [str(item) for item in items]

    lane: Coalescer[int, str] = lane_of(send)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(lane.call, 0, 5.0)
        assert entered.wait(10)
        impatient, patient = pool.submit(lane.call, 1, 0.4), pool.submit(lane.call, 2, 5.0)
        waiting(lane, 2)
        gate.set()
        assert first.result() == "0"
        assert patient.result() == "2"
        with pytest.raises(TransitUnavailable):
            impatient.result()
    assert sent == [[0], [1, 2], [2]]


def test_a_leader_that_is_interrupted_leaves_nobody_waiting() -> None:
    class Interrupted(BaseException):
        pass

    entered, gate = threading.Event(), threading.Event()

    def send(items: Sequence[int], timeout: float) -> list[str | Exception]:
        if 0 in items:
            entered.set()
            assert gate.wait(10)
            raise Interrupted
        return [str(item) for item in items]

    lane: Coalescer[int, str] = lane_of(send)
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(lane.call, 0, 5.0)
        assert entered.wait(10)
        follower = pool.submit(lane.call, 1, 5.0)
        waiting(lane, 1)
        gate.set()
        with pytest.raises(Interrupted):
            leader.result()
        assert follower.result() == "1"
    assert lane.call(2, 1.0) == "2"


def test_under_load_every_caller_gets_its_own_answer_once() -> None:
    sent = 0

    def send(items: Sequence[int], timeout: float) -> list[str | Exception]:
        nonlocal sent
        sent += len(items)
        return [CipherRefused("odd") if item % 7 == 0 else str(item) for item in items]

    lane: Coalescer[int, str] = lane_of(send)

    def caller(worker: int) -> int:
        refused = 0
        for turn in range(200):
            number = worker * 1000 + turn
            try:
                assert lane.call(number, 10.0) == str(number)
            except CipherRefused:
                assert number % 7 == 0
                refused += 1
        return refused

    with ThreadPoolExecutor(16) as pool:
        refused = sum(pool.map(caller, range(16)))
    assert sent == 16 * 200
    assert refused == sum(1 for worker in range(16) for turn in range(200) if (worker * 1000 + turn) % 7 == 0)
    assert not lane._waiting
    assert lane._free == 1
