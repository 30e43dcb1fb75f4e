"""Fifty sessions at once over real sockets: each card goes to its own payment."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import numpy as np
import pytest

from deploy.dev.engines.host import port_is_taken
from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.media import Media
from services.vault.phone.capture.rules import Field, Result, State, TimeLimits
from services.vault.phone.capture.service import Sessions
from services.vault.phone.capture.sessions import Purpose
from tests.proof.phone.plans import card_number
from tests.proof.phone.world import Stores, Trail
from tests.support.phone_calls import Pair, set_up

pytestmark = pytest.mark.enable_socket
CALLS = 50


class House:
    """A masker on real ports, with a stand-in for the vault."""

    def __init__(self, stack: ExitStack) -> None:
        base = next(port for port in range(45_000, 60_000, 500) if not port_is_taken(port))
        self.store, self.trail = Stores(), Trail()
        self.media = media = Media(
            ng_listen=f"127.0.0.1:{base}", address="127.0.0.1", first_port=base + 2, last_port=base + 400
        )
        self.sessions = Sessions(
            media=media,
            store=self.store,
            trail=self.trail,
            monotonic=time.monotonic,
            today=lambda: datetime.now(UTC),
        )
        stop = threading.Event()
        masker = Masker(media.network, self.sessions)
        thread = threading.Thread(target=media.run, args=(masker, self.sessions.tick, stop), daemon=True)
        thread.start()
        stack.callback(thread.join, 10)
        stack.callback(stop.set)
        self.calls = set_up(base, CALLS)
        for call in self.calls:
            stack.callback(call.close)


@pytest.fixture
def house() -> Iterator[House]:
    with ExitStack() as stack:
        yield House(stack)


def _purpose(index: int) -> Purpose:
    return Purpose(
        agency_id="agency",
        agent_id=f"agent-{index}",
        payment_id=f"payment-{index}",
        desk="",
        card_days=30,
        cvv_hours=72,
        limits=TimeLimits(field=120, idle=300, total=600),
    )


def _until(condition: "object", seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not happen in time"
        threading.Event().wait(0.02)


def _keyed(calls: list[Pair], texts: list[str], *, by_client: bool) -> None:
    """All calls key side by side, one key of each in turn."""
    for place in range(max(map(len, texts))):
        for call, text in zip(calls, texts, strict=True):
            if place < len(text):
                (call.client if by_client else call.agent).key(text[place])


def test_fifty_sessions_at_once_each_store_their_own_card(house: House) -> None:
    rng = np.random.default_rng(11)
    cards = [
        (card_number(rng), f"{rng.integers(1, 13):02}{rng.integers(31, 40)}", f"{rng.integers(1000):03}")
        for _ in range(CALLS)
    ]
    cards = [(number, expiry, cvv + "7" if number.startswith("37") else cvv) for number, expiry, cvv in cards]
    calls = house.calls
    opened = [house.sessions.open(_purpose(index)) for index in range(CALLS)]
    listening = threading.Event()
    house.media.post(lambda _masker, _now: listening.set())
    assert listening.wait(10)
    _keyed(calls, [f"*{pin}#" for _, pin in opened], by_client=False)

    def states() -> set[State]:
        return {house.sessions.progress(opened[index][0], f"agent-{index}").state for index in range(CALLS)}

    _until(lambda: states() == {State.TIED})
    for part, field in enumerate(Field):
        for index in range(CALLS):
            house.sessions.capture(opened[index][0], f"agent-{index}", field)
        _keyed(calls, [f"{card[part]}#" for card in cards], by_client=True)
        _until(
            lambda field=field: all(
                house.sessions.progress(opened[index][0], f"agent-{index}").fields[field].taken
                for index in range(CALLS)
            )
        )
    results = {house.sessions.finish(opened[index][0], f"agent-{index}", "A Client").result for index in range(CALLS)}
    assert results == {Result.STORED}
    assert house.store.cards == {f"payment-{index}": cards[index] for index in range(CALLS)}
    assert not [act for act in house.trail.acts if act.refused]
