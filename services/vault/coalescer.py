"""Gathers concurrent calls of one kind into batches, where the cost is per call and hardly per item: a call to the
transit engine, a commit.

Leader and followers, no thread of its own: a caller who finds nobody leading sends at once, so a lone request never
waits for company. Who comes while a batch is under way waits; when the batch is back, its leader hands the lead to the
first of them, who sends all that gathered meanwhile. With `gather`, the next leader first gives those who were just
answered so many seconds to come back: callers who call in a loop then travel together, instead of in two halves that
take turns.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from chassis.errors import Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Send = Callable[[Sequence[Item], float], Sequence[Answer | Exception]]
"""Sends a batch with a timeout in seconds; gives an answer, or the item's own failure, for each item in order.
Raises BatchTimeout when time ran out, anything else when the whole batch failed."""

# No batch gets less than this: one impatient item must not make its whole batch time out again and again.
_LEAST_TIMEOUT = 0.05


class BatchTimeout(Exception):
    """The batch was not answered within the time that its most impatient item had."""


class _Ticket(Generic[Item, Answer]):
    __slots__ = ("answer", "deadline", "done", "failure", "item", "leads", "woken")

    def __init__(self, item: Item, deadline: float) -> None:
        self.item = item
        self.deadline = deadline
        self.woken = threading.Event()
        self.leads = False
        self.done = False
        self.answer: Answer | None = None
        self.failure: Exception | None = None

    def settle(self, outcome: Answer | Exception) -> None:
        if isinstance(outcome, Exception):
            self.failure = outcome
        else:
            self.answer = outcome
        self.done = True
        self.woken.set()


class Coalescer(Generic[Item, Answer]):
    """One lane: calls of one operation. At most `in_flight` batches are under way at a time.

    `gather` (seconds) bounds how long after a batch the next one waits for as many as were answered or waiting then.
    Who comes later, or alone, never waits for it.
    `unavailable` is what a caller reads whose time ran out; it says that the same call may be made again.
    """

    def __init__(
        self,
        send: Send[Item, Answer],
        *,
        max_batch: int,
        in_flight: int = 1,
        gather: float = 0.0,
        unavailable: type[Unavailable] = Unavailable,
    ) -> None:
        self._send = send
        self._unavailable = unavailable
        self._max_batch = max_batch
        self._free = in_flight
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket[Item, Answer]] = deque()
        self._gather = gather
        # How many are expected to travel in the next batch, and until when it waits for them.
        self._expected = self._answered = 0
        self._wait_until = 0.0
        self._came = threading.Condition(self._lock)

    def call(self, item: Item, timeout: float) -> Answer:
        """The item's answer. Raises its own failure, or `unavailable` when `timeout` seconds have passed."""
        ticket: _Ticket[Item, Answer] = _Ticket(item, time.monotonic() + timeout)
        with self._lock:
            self._waiting.append(ticket)
            if len(self._waiting) == self._expected:
                self._came.notify()
            if self._free:
                self._free -= 1
                ticket.leads = True
        if not ticket.leads:
            self._follow(ticket)
        if ticket.leads:
            self._lead(ticket)
        if ticket.failure is not None:
            raise ticket.failure
        return ticket.answer  # type: ignore[return-value]  # settled without failure: it is an answer

    def _follow(self, ticket: _Ticket[Item, Answer]) -> None:
        """Waits to be answered or to be handed the lead; at the deadline steps out of the queue."""
        ticket.woken.wait(max(0.0, ticket.deadline - time.monotonic()))
        with self._lock:
            if ticket.done or ticket.leads:
                return
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            ticket.settle(self._unavailable())

    def _lead(self, ticket: _Ticket[Item, Answer]) -> None:
        """Sends batches until the leader's own item is settled, then hands the lead on, whatever happened."""
        try:
            while not ticket.done:
                self._send_batch(self._take())
        finally:
            with self._lock:
                if not ticket.done:  # interrupted (KeyboardInterrupt, SystemExit): nobody may wait for this one
                    ticket.settle(self._unavailable())
                    if ticket in self._waiting:
                        self._waiting.remove(ticket)
                self._wait_until = time.monotonic() + self._gather
                self._expected = min(self._max_batch, self._answered + len(self._waiting))
                if self._waiting:
                    heir = self._waiting[0]
                    heir.leads = True
                    heir.woken.set()
                else:
                    self._free += 1

    def _take(self) -> list[_Ticket[Item, Answer]]:
        with self._lock:
            while len(self._waiting) < self._expected and (left := self._wait_until - time.monotonic()) > 0:
                self._came.wait(left)
            count = self._answered = min(len(self._waiting), self._max_batch)
            return [self._waiting.popleft() for _ in range(count)]

    def _send_batch(self, batch: list[_Ticket[Item, Answer]]) -> None:
        now = time.monotonic()
        live = [ticket for ticket in batch if ticket.deadline > now]
        for ticket in batch:
            if ticket.deadline <= now:
                ticket.settle(self._unavailable())
        if not live:
            return
        patience = max(min(ticket.deadline for ticket in live) - now, _LEAST_TIMEOUT)
        try:
            outcomes = self._outcomes(live, patience)
        except BatchTimeout as timeout:
            self._requeue(live, timeout)
        except BaseException:  # KeyboardInterrupt, SystemExit: nobody may go on waiting
            for ticket in live:
                ticket.settle(self._unavailable())
            raise
        else:
            for ticket, outcome in zip(live, outcomes, strict=True):
                ticket.settle(outcome)

    def _outcomes(self, batch: list[_Ticket[Item, Answer]], timeout: float) -> Sequence[Answer | Exception]:
        """An outcome for each; a failure of the whole call is everybody's."""
        try:
            outcomes = self._send([ticket.item for ticket in batch], timeout)
        except BatchTimeout:
            raise
        except Exception as failure:  # handed on to each caller
            return [failure] * len(batch)
        return outcomes if len(outcomes) == len(batch) else [self._unavailable()] * len(batch)

    def _requeue(self, batch: list[_Ticket[Item, Answer]], timeout: BatchTimeout) -> None:
        """Who has no time left fails; the others go into the next batch (encrypting twice harms nobody)."""
        now = time.monotonic()
        with self._lock:
            for ticket in reversed(batch):
                if ticket.deadline <= now:
                    ticket.settle(timeout if isinstance(timeout, Unavailable) else self._unavailable())
                else:
                    self._waiting.appendleft(ticket)
