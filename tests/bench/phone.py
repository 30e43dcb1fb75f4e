"""How many calls one core carries: real sockets, every call in a session, sound both ways; CPU time and late beats."""

import multiprocessing
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from deploy.dev.engines.host import port_is_taken
from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.media import Media
from services.vault.phone.calls.ports import Ended, Transport
from services.vault.phone.signal.g711 import PCMU
from tests.bench.figures import Figure, Run
from tests.support.phone_calls import Pair, set_up

_FRAME = 160
_FRAME_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    calls: int
    seconds: float
    rounds: int


QUICK = Plan(calls=20, seconds=2.0, rounds=1)
FULL = Plan(calls=50, seconds=8.0, rounds=3)


class _Nobody:
    """Hears keys and does nothing with them."""

    def key_while_waiting(self, call_id: str, tag: str, *, desk: bool, transport: Transport, key: int) -> None: ...
    def key_in_session(self, call_id: str, transport: Transport, key: int) -> None: ...
    def over(self, call_id: str, why: Ended) -> None: ...


def measure(plan: Plan) -> list[Figure]:
    """`per_second` is calls per core: seconds of calls for each second of CPU time, whatever else the machine does.

    `ms` is how late beats were, which is worth reading on a quiet machine only.
    """
    return [
        Figure(
            name="phone: calls per core, all in a session",
            engines="none",
            runs=[_round(plan) for _ in range(plan.rounds)],
            callers=plan.calls,
        )
    ]


def _round(plan: Plan) -> Run:
    base = next(port for port in range(42_000, 60_000, 500) if not port_is_taken(port))
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_mask, args=(theirs, base, plan.calls), daemon=True)
    process.start()
    assert ours.recv() == "ready"
    phones = set_up(base, plan.calls)
    ours.send("begin")
    assert ours.recv() == "begun"
    seconds = _talk(phones, plan.seconds)
    ours.send("end")
    cpu, late = ours.recv()
    process.join(10)
    for call in phones:
        call.close()
    return Run(per_second=round(plan.calls * seconds / cpu, 1), operations=plan.calls, ms=late)


def _mask(pipe: Connection, base: int, calls: int) -> None:
    media = Media(ng_listen=f"127.0.0.1:{base}", address="127.0.0.1", first_port=base + 2, last_port=base + 400)
    masker, stop = Masker(media.network, _Nobody()), threading.Event()
    thread = threading.Thread(target=media.run, args=(masker, lambda _: None, stop))
    thread.start()
    pipe.send("ready")
    pipe.recv()
    begun = threading.Event()

    def begin(masker: Masker, now: float) -> None:
        for index in range(calls):
            assert masker.begin(f"call-{index}", "agent", now)
        begun.set()

    media.post(begin)
    begun.wait(10)
    cpu = time.process_time()
    media.lateness.clear()
    pipe.send("begun")
    pipe.recv()
    late = {f"p{part}": round(media.lateness.percentile(part / 100) * 1000, 2) for part in (50, 95, 99)}
    pipe.send((time.process_time() - cpu, late))
    stop.set()
    thread.join(5)


def _talk(calls: list[Pair], seconds: float) -> float:
    """Both sides of each call speak; returns for how long, by what was sent: a busy machine sends less."""
    noise = np.random.default_rng(1).standard_normal(_FRAME * 50) * 0.05
    sound = PCMU.encode(noise).tobytes()
    started, frame = time.monotonic(), 0
    while (now := time.monotonic()) < started + seconds:
        payload = sound[frame % 50 * _FRAME :][:_FRAME]
        for call in calls:
            call.client.send(0, payload, timestamp=frame * _FRAME)
            call.agent.send(0, payload, timestamp=frame * _FRAME)
        frame += 1
        time.sleep(max(0.0, started + frame * _FRAME_SECONDS - now))
    return frame * _FRAME_SECONDS
